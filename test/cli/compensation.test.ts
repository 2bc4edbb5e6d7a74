import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { MeasuredSet } from "../../src/documents/measurements.ts";
import type { Plan } from "../../src/documents/plan.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { lorp } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const quick = ["--gpu", "off", "--threads", "1", "--sequences", "3", "--sequence-length", "128"];

const prune = (...options: string[]) => lorp(["prune", EXAMPLE_MODEL, ...quick, ...options]);
const apply = (plan: string, ...options: string[]) => lorp(["apply", EXAMPLE_MODEL, at(plan), ...options]);

/** The Plan of `--layers 5-8 --compensate magnitude`, which keeps its factors whatever they give back. */
let plan: Plan;

beforeAll(async () => {
  const options = ["--layers", "5-8", "--compensate", "magnitude", "-o", at("pruned.gguf")];
  const { stdout } = await prune(...options, "--json");
  plan = JSON.parse(stdout).plan;
  writeFileSync(at("plan.json"), JSON.stringify(plan));
});

test("apply writes with the plan's factors what prune wrote, and says what they gave back", async () => {
  const { status, stdout } = await apply("plan.json", "-o", at("applied.gguf"));
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /Compensation \(magnitude\) scales 11 layers:\n {2}held-back loss \d+\.\d{4} without, \d+\.\d{4} with factors/,
  );
  expect(readFileSync(at("applied.gguf")).equals(readFileSync(at("pruned.gguf")))).toBe(true);
});

test("apply --compensate finds other factors, or leaves them out", async () => {
  const off = await apply("plan.json", "--compensate", "off", "-o", at("off.gguf"));
  expect([off.status, off.stdout.includes("Compensation")]).toEqual([0, false]);
  expect((await readGguf(at("off.gguf"))).metadata.has("lorp.compensation")).toBe(false);
  const again = ["--compensate", "magnitude", ...quick, "-o", at("again.gguf"), "--json"];
  const { stdout } = await apply("plan.json", ...again);
  expect(JSON.parse(stdout).compensation.factors).toEqual(plan.compensation!.factors);
});

test("diff shows the factors of a compensated file", async () => {
  const { stdout } = await lorp(["diff", EXAMPLE_MODEL, at("pruned.gguf")]);
  const { attention, feedForward } = plan.compensation!.factors[0]!;
  expect(stdout).toContain(
    `${at("pruned.gguf")} multiplies what its layers add (magnitude):\nlayer  attention  feed-forward\n` +
      `9         ${attention.toFixed(4)}        ${feedForward.toFixed(4)}\n`,
  );
  const { stdout: json } = await lorp(["diff", EXAMPLE_MODEL, at("pruned.gguf"), "--json"]);
  expect(JSON.parse(json).factors).toEqual([
    null,
    { mode: "magnitude", factors: plan.compensation!.factors },
  ]);
});

test("with --method auto the best sets are tried with factors and the best of all is taken", async () => {
  const options = [
    "--remove",
    "4",
    "--method",
    "auto",
    "--objective",
    "perplexity",
    "--evaluations",
    "40",
    "--compensate",
    "fit",
    "--dry-run",
  ];
  const { stdout } = await prune(...options, "--json");
  const chosen: Plan = JSON.parse(stdout).plan;
  const sets = chosen.measurements!.sets;
  const tried = sets.filter(({ compensated }) => compensated);
  expect(tried).toEqual(sets.slice(0, 3));
  const score = ({ loss, compensated }: MeasuredSet) => (compensated?.kept ? compensated.loss : loss);
  const best = tried.reduce((least, set) => (score(set) < score(least) ? set : least));
  expect(chosen.removedLayers).toEqual(best.removedLayers);
  expect(chosen.compensation!.factors.length > 0).toBe(best.compensated!.kept);
  expect(chosen.compensation!.heldBack!.without).toBeCloseTo(best.loss, 5);
  const { stdout: text } = await prune(...options);
  expect(text).toMatch(/best sets +loss +with factors\n(\d+, \d+, \d+, \d+ +\d+\.\d{4} +\d+\.\d{4}.*\n){3}/);
});

test("a text too short to judge by what was not fitted is refused", async () => {
  const { status, stderr } = await lorp([
    ...[
      "prune",
      EXAMPLE_MODEL,
      "--gpu",
      "off",
      "--sequences",
      "5000",
      "--layers",
      "5",
      "--compensate",
      "magnitude",
    ],
    ...["-o", at("unjudged.gguf")],
  ]);
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/10000 × \d+ for analysis, choice and report are needed/),
  ]);
  expect(existsSync(at("unjudged.gguf"))).toBe(false);
});

const [first, second] = [
  { layer: 9, attention: 1.1, feedForward: 1 },
  { layer: 10, attention: 1, feedForward: 1.1 },
];

test.each([
  ["of a removed layer", [{ ...first, layer: 5 }], /factor for layer 5, which is not among those left/],
  [
    "of a layer there is not",
    [{ ...first, layer: 20 }],
    /factor for layer 20, which is not among those left/,
  ],
  ["twice for a layer", [second, first, second], /two factors for layer 10/],
  ["that is negative", [{ ...first, attention: -1 }], /factors\[0\]\.attention should be .* > 0, but is -1/],
  [
    "that is no finite number",
    [{ ...first, attention: "1e999" }],
    /factors\[0\]\.attention should be a number/,
  ],
  [
    "that f16 cannot hold",
    [{ ...first, attention: 1e9 }],
    /blk\.9\.attn_output\.weight.*overflow.*--scale-tensors/,
  ],
  [
    "that leaves f16 no digits",
    [{ ...first, attention: 1e-9 }],
    /blk\.9\.attn_output\.weight.*too small.*--scale-tensors/,
  ],
])("a factor %s is refused", async (_, factors, message) => {
  const text = JSON.stringify({ ...plan, compensation: { mode: "fit", factors } });
  writeFileSync(at("wrong.json"), text.replace('"1e999"', "1e999"));
  const { status, stdout, stderr } = await apply("wrong.json", "-o", at("wrong.gguf"));
  expect([status, stdout, stderr]).toEqual([1, "", expect.stringMatching(message)]);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(existsSync(at("wrong.gguf"))).toBe(false);
});

test("factors for another model are refused", async () => {
  const foreign = { ...plan, model: { ...plan.model, fingerprint: "0".repeat(64) } };
  writeFileSync(at("foreign.json"), JSON.stringify(foreign));
  const { status, stderr } = await apply("foreign.json", "-o", at("foreign.gguf"));
  expect([status, stderr]).toEqual([2, expect.stringMatching(/made for another model/)]);
  expect(existsSync(at("foreign.gguf"))).toBe(false);
});

test("--scale-tensors puts a factor that f16 cannot hold beside the weight", async () => {
  writeFileSync(
    at("large.json"),
    JSON.stringify({ ...plan, compensation: { mode: "fit", factors: [{ ...first, attention: 1e9 }] } }),
  );
  expect((await apply("large.json", "--scale-tensors", "-o", at("large.gguf"))).status).toBe(0);
  const { tensors } = await readGguf(at("large.gguf"));
  const scale = tensors.find(({ name }) => name === "blk.5.attn_output.scale");
  expect([scale?.typeName, scale?.shape]).toEqual(["F32", [1]]);
});
