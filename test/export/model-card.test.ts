import { expect, test } from "vitest";
import { checkDocument } from "../../src/documents/files.ts";
import { modelCard } from "../../src/export/model-card.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufValue } from "../../src/gguf/types.ts";
import { array, buildGguf, str, temporaryFolder, writeInto } from "../support/gguf.ts";

const REPORT = await checkDocument(
  "report",
  {
    schemaVersion: 1,
    command: "lorp prune books.gguf --remove 2",
    input: { path: "/models/books.gguf", bytes: 13_800_000, parameters: 12_900_000 },
    output: { path: "/models/out.gguf", bytes: 12_500_000, parameters: 11_600_000 },
    plan: {
      schemaVersion: 1,
      model: { blockCount: 4, name: "Books" },
      method: "lorp",
      budget: 2,
      removedLayers: [1, 2],
      keptLayers: [0, 3],
      removals: [
        { layer: 2, reason: "stage-1", score: 0.99, cluster: 0, text: "most like the rest of cluster 0" },
        { layer: 1, reason: "stage-2", score: 0.95, cluster: 0, text: "next in cluster 0" },
      ],
      passedOver: [],
    },
    perplexity: {
      original: 20,
      pruned: 25,
      ratio: 1.25,
      text: { name: "default", sha256: "abc" },
      sequences: 8,
      sequenceLength: 512,
    },
    settings: {},
  },
  "the test's report",
);

async function card(metadata: Record<string, GgufValue> = {}, repository?: string, report = REPORT) {
  const file = await readGguf(writeInto(temporaryFolder(), "m.gguf", buildGguf({ metadata })));
  return modelCard({ report, metadata: file.metadata, repository });
}

/** The metadata in front; every value is JSON, or a word. */
function frontMatter(text: string): Record<string, unknown> {
  const [, yaml = ""] = /^---\n([\s\S]*?)\n---\n/.exec(text) ?? [];
  return Object.fromEntries(
    yaml.split("\n").map((line) => {
      const [, key = "", value = ""] = /^(\w+): (.+)$/.exec(line) ?? [];
      return [key, /^["[]/.test(value) ? JSON.parse(value) : value];
    }),
  );
}

test("says in front what the Hub asks for", async () => {
  const metadata = { "general.license": str("cc0-1.0"), "general.languages": array("string", ["en"]) };
  expect(frontMatter(await card(metadata, "user/repo"))).toEqual({
    base_model: "user/repo",
    license: "cc0-1.0",
    language: ["en"],
    library_name: "gguf",
    pipeline_tag: "text-generation",
    tags: ["gguf", "pruned", "layer-pruning", "lorp"],
  });
});

test("finds the base model in the file, and names none that it does not know", async () => {
  const url = { "general.repo_url": str("https://huggingface.co/user/other") };
  expect(frontMatter(await card(url))).toMatchObject({ base_model: "user/other" });
  // The Hub takes its own repositories alone; where none is known, there is a place for it.
  expect(frontMatter(await card())).not.toHaveProperty("base_model");
  expect(await card()).toMatch(/^---\n# base_model: user\/repository/);
});

test("tells what was removed, why, at what cost, and how to repeat it", async () => {
  const text = await card();
  expect(text).toContain("# Books, pruned to 2 of 4 layers");
  expect(text).toContain("| file size | 13.8 MB | 12.5 MB | −9.4 % |");
  expect(text).toContain("| perplexity | 20.00 | 25.00 | +25.0 % |");
  expect(text).toContain("1. layer 2: most like the rest of cluster 0\n1. layer 1: next in cluster 0");
  expect(text).toContain("```sh\nlorp prune books.gguf --remove 2\n```");
  expect(text).not.toContain("/models");
});

test("claims nothing that was not measured", async () => {
  expect(await card({}, undefined, { ...REPORT, perplexity: null })).not.toMatch(/perplexity/i);
});

test("says of what was quantised that it was, and of nothing else that it is the original's", async () => {
  const whole = "Every tensor that is left is the original's, byte for byte.";
  expect(await card()).toContain(whole);
  const quantized = await card({}, undefined, { ...REPORT, settings: { quantize: "q4_k_m" } });
  expect(quantized).toContain("What is left was quantised to Q4_K_M by llama.cpp.");
  expect(quantized).not.toContain(whole);
});

test("a name is shown and means nothing, and languages that are numbers are left out", async () => {
  const model = { ...REPORT.plan.model, name: "a](http://x)<img src=x>\n# b" };
  const named = { ...REPORT, plan: { ...REPORT.plan, model }, command: "lorp prune '```\n# c'" };
  const text = await card({ "general.languages": array("uint64", [1n]) }, undefined, named);
  expect(text).toContain("# a\\](http\\://x)\\<img src=x\\> \\# b, pruned");
  expect(text).toContain("````sh\nlorp prune '```\n# c'\n````");
  expect(frontMatter(text)).not.toHaveProperty("language");
});
