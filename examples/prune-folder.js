// Prunes every GGUF model of a folder by the same share of layers and prints what each cost, as JSON lines.
//
//   node examples/prune-folder.js <folder> <output folder> [ratio]
//
// In a project of your own, import from "lorp"; here the built package is used.
import { mkdir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { LorpError, prune } from "lorp";

const [folder, outputFolder, ratio = "0.25"] = process.argv.slice(2);
if (folder === undefined || outputFolder === undefined) {
  console.error("usage: node examples/prune-folder.js <folder> <output folder> [ratio]");
  process.exit(2);
}

await mkdir(outputFolder, { recursive: true });
// Any part stands for a split model; the first is taken.
const models = (await readdir(folder)).filter(
  (name) => name.endsWith(".gguf") && !/-(?!00001)\d{5}-of-\d{5}\.gguf$/.test(name),
);

for (const name of models) {
  const output = join(outputFolder, `${basename(name, ".gguf")}-small.gguf`);
  try {
    const { plan, perplexity } = await prune(join(folder, name), {
      ratio: Number(ratio),
      output,
      sequences: 4,
    });
    console.log(JSON.stringify({ name, output, removed: plan.removedLayers, ratio: perplexity?.ratio }));
  } catch (error) {
    // One model that cannot be pruned does not stop the others; a fault of the program does.
    if (!(error instanceof LorpError)) throw error;
    console.log(JSON.stringify({ name, error: error.code, message: error.message }));
    process.exitCode = 1;
  }
}
