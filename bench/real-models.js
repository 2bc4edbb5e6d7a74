// What the default method's choice costs on real models, beside what the other methods choose: KL divergence from the
// original, on the part of the text that no choice has seen, and the seconds that each took.
//   node bench/real-models.js MODEL.gguf [BUDGETS, such as 1,3,5] [METHODS]
import { basename } from "node:path";
import { compare } from "../dist/index.js";

const [path, budgets = "1,3,5", methods = "auto,lorp,shortgpt,streamline,sleb"] = process.argv.slice(2);
if (path === undefined) throw new Error("Name a model: node bench/real-models.js MODEL.gguf");

console.log(`${basename(path)}: mean KL divergence, nats a token (layers; seconds)\n`);
console.log(`| removed | ${methods.replaceAll(",", " | ")} |`);
console.log(`|---${"|---".repeat(methods.split(",").length)}|`);
for (const budget of budgets.split(",").map(Number)) {
  const cells = [];
  for (const method of methods.split(",")) {
    const began = performance.now();
    const { candidates } = await compare(path, {
      remove: [budget],
      methods: [method],
      gpu: "off",
      cache: true,
    });
    const seconds = (performance.now() - began) / 1000;
    const [candidate] = candidates;
    cells.push(
      candidate
        ? `${candidate.measures[0].klDivergence.toFixed(3)} (${candidate.removedLayers.join(" ")}; ${seconds.toFixed(0)})`
        : "–",
    );
  }
  console.log(`| ${budget} | ${cells.join(" | ")} |`);
}
