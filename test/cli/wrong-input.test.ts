import { copyFileSync, linkSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lorp } from "../support/cli.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { buildGguf, str, u16, u32 } from "../support/gguf.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const model = at("model.gguf");
copyFileSync(EXAMPLE_MODEL, model);

/** Runs lorp, expects it to fail with that status and one sentence that matches, and to leave no new file. */
async function expectRefusal(args: string[], status: number, message: RegExp): Promise<void> {
  const before = readdirSync(folder).sort();
  const result = await lorp(args, { cwd: folder });
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toMatch(/\n\s+at /);
  expect(
    result.stderr
      .trim()
      .split("\n")
      .filter((line) => !/^(Books 20L: |Vulkan |About|Measuring|Evaluating|Writing|\()/.test(line)),
  ).toHaveLength(1);
  expect(result.stdout).toBe("");
  expect(result.status).toBe(status);
  expect(readdirSync(folder).sort()).toEqual(before);
}

test("a file that is not a GGUF", async () => {
  writeFileSync(at("text.gguf"), "Once upon a time there was no model here.");
  await expectRefusal(
    ["prune", "text.gguf", "--remove", "5"],
    1,
    /text\.gguf: it does not begin with "GGUF"/,
  );
});

test("no such file", () =>
  expectRefusal(["prune", "nowhere.gguf", "--remove", "5"], 1, /no file nowhere\.gguf/));

test("a truncated file", async () => {
  copyFileSync(EXAMPLE_MODEL, at("short.gguf"));
  truncateSync(at("short.gguf"), 5_000_000);
  await expectRefusal(["prune", "short.gguf", "--remove", "5"], 1, /short\.gguf/);
});

test("a missing part of a split model", async () => {
  const part = (no: number): Uint8Array =>
    buildGguf({
      metadata: { "general.architecture": str("llama"), "split.no": u16(no), "split.count": u16(2) },
      tensors: [{ name: `blk.${no}.attn_norm.weight`, shape: [8] }],
    });
  writeFileSync(at("split-00001-of-00002.gguf"), part(0));
  await expectRefusal(["inspect", "split-00001-of-00002.gguf"], 1, /split-00002-of-00002\.gguf is missing/);
});

test("a model of two blocks", async () => {
  const tensors = [0, 1].map((block) => ({ name: `blk.${block}.attn_norm.weight`, shape: [8] }));
  const metadata = { "general.architecture": str("llama"), "llama.block_count": u32(2) };
  writeFileSync(at("two.gguf"), buildGguf({ metadata, tensors }));
  await expectRefusal(["prune", "two.gguf", "--remove", "1"], 2, /A model of 2 layers cannot be pruned/);
});

test.each([
  [["--remove", "0"], /Cannot remove 0 of 20 layers: ask for 1 to 18/],
  [["--remove", "19"], /Cannot remove 19 of 20 layers: ask for 1 to 18/],
  [["--layers", "5,20"], /There is no layer 20/],
  [["--layers", "5,x"], /"x" in "5,x" names no layers/],
  [["--remove", "2", "--ratio", "0.5"], /one way only/],
  [["-o", "out.gguf"], /Say how much to remove/],
  [["--remove", "2", "--method", "magic"], /no method "magic"/],
  [["--remove", "2", "--clusters", "21"], /cannot be divided into 21 clusters/],
])("budget %j", (options, message) =>
  expectRefusal(
    ["prune", "model.gguf", "--threads", "1", "--sequences", "1", "--sequence-length", "8", ...options],
    2,
    message,
  ),
);

test.each([
  [["--remove", "five"], /--remove <n>.*whole number/],
  [["--ratio", "2"], /--ratio <r>.*between 0 and 1/],
  [["--gpu", "abacus"], /--gpu <choice>.*auto, off, cuda, vulkan, metal\.\n/],
  [["--gpu", "vulcan"], /--gpu <choice>.*Did you mean vulkan\?/],
  [["--frobnicate"], /unknown option '--frobnicate'/],
])("options that commander refuses: %j", (options, message) =>
  expectRefusal(["prune", "model.gguf", ...options], 2, message),
);

test("an unreadable, an empty and a too short calibration file", async () => {
  writeFileSync(at("empty.txt"), " \n");
  writeFileSync(at("short.txt"), "Too short to measure anything.");
  const prune = ["prune", "model.gguf", "--remove", "2", "--calibration"];
  await expectRefusal([...prune, "missing.txt"], 1, /missing\.txt/);
  await expectRefusal([...prune, "empty.txt"], 1, /has no text/);
  await expectRefusal([...prune, "short.txt"], 1, /tokens, but .* are needed/);
});

test("an output that is the input, by its name or a hard link", async () => {
  linkSync(model, at("linked.gguf"));
  const prune = ["prune", "model.gguf", "--layers", "3", "--force", "-o"];
  await expectRefusal([...prune, "model.gguf"], 1, /the input itself/);
  await expectRefusal([...prune, "linked.gguf"], 1, /the input itself/);
  expect(readFileSync(model).equals(readFileSync(EXAMPLE_MODEL))).toBe(true);
});

test("an existing output without --force", async () => {
  writeFileSync(at("taken.gguf"), "mine");
  await expectRefusal(
    ["prune", "model.gguf", "--layers", "3", "-o", "taken.gguf"],
    1,
    /taken\.gguf.*--force/,
  );
  expect(readFileSync(at("taken.gguf"), "utf8")).toBe("mine");
});

test("documents that are none, and of a later version", async () => {
  writeFileSync(at("broken.json"), "{");
  writeFileSync(at("later.json"), JSON.stringify({ schemaVersion: 2 }));
  writeFileSync(at("odd.json"), JSON.stringify({ schemaVersion: 1, model: { blockCount: 3 } }));
  await expectRefusal(["plan", "broken.json", "--remove", "1"], 1, /not JSON/);
  await expectRefusal(["plan", "later.json", "--remove", "1"], 1, /schemaVersion 2.*upgrade lorp/);
  await expectRefusal(["plan", "odd.json", "--remove", "1"], 1, /similarity is missing/);
  const model = { blockCount: 2 };
  const ragged = { schemaVersion: 1, model, similarity: [[1, 0], [0]] };
  writeFileSync(at("ragged.json"), JSON.stringify(ragged));
  await expectRefusal(
    ["plan", "ragged.json", "--remove", "1"],
    1,
    /ragged\.json: similarity\[1\] has 1 entries/,
  );
  await expectRefusal(["report", "ragged.json"], 1, /ragged\.json: similarity\[1\] has 1 entries/);
});
