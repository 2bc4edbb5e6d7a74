import { createHash } from "node:crypto";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { copyFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { planRewrite } from "../../src/architecture/architecture.ts";
import type { Rewrite } from "../../src/architecture/types.ts";
import { AbortedError } from "../../src/errors.ts";
import type { OutputErrorCode } from "../../src/files/errors.ts";
import { OWNER } from "../../src/files/owner.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufFile, GgufValue } from "../../src/gguf/types.ts";
import { fingerprint } from "../../src/provenance/fingerprint.ts";
import { applyPlan, type CutOptions } from "../../src/surgery/apply.ts";
import {
  array,
  buildGguf,
  buildSplitGguf,
  type Fixture,
  str,
  temporaryFolder,
  u32,
  writeInto,
  writeParts,
} from "../support/gguf.ts";
import { sharedPath } from "../support/shared.ts";

const [PLACE] = OWNER.split("-");

const identity: Rewrite = { set: new Map(), renameTensor: (name) => name };
const nothing = new Map<string, GgufValue>();

const fixture: Fixture = {
  metadata: { "general.name": str("m"), list: array("int8", [1, -1]), "x.block_count": u32(3) },
  tensors: [
    { name: "token_embd.weight", shape: [32, 8] },
    ...[0, 1, 2].flatMap((i) => [
      { name: `blk.${i}.norm`, shape: [5] },
      { name: `blk.${i}.w`, shape: [32, 4], type: "Q8_0" },
    ]),
    { name: "output.weight", shape: [3, 7], type: "F16" },
  ],
};

/** Removes block 1 of the fixture. */
const withoutBlock1: Rewrite = {
  set: new Map<string, GgufValue>([["x.block_count", { type: "uint32", value: 2 }]]),
  renameTensor: (name) => (name.startsWith("blk.1.") ? null : name.replace("blk.2.", "blk.1.")),
};

const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Hash of each tensor's bytes, by name, read without this project's copying. */
function tensorHashes(file: GgufFile): Map<string, string> {
  const parts = file.paths.map((path) => readFileSync(path));
  return new Map(
    file.tensors.map(({ name, file: part, fileOffset, byteLength }) => [
      name,
      sha(parts[part]!.subarray(fileOffset, fileOffset + byteLength)),
    ]),
  );
}

const rawMetadata = (file: GgufFile) =>
  [...file.metadata.values()]
    .filter(({ key }) => !key.startsWith("lorp.") && !key.startsWith("split."))
    .map(({ key, type, raw }) => [key, type, Buffer.from(raw).toString("hex")]);

async function write(path: string, output: string, more: Partial<CutOptions> = {}) {
  const model = await readGguf(path);
  return applyPlan({ model, rewrite: identity, provenance: nothing, output, ...more });
}

const fixtureIn = (folder: string) => writeInto(folder, "in.gguf", buildGguf(fixture));

async function expectFailure(writing: Promise<unknown>, code: OutputErrorCode): Promise<void> {
  const error = await writing.then(
    () => undefined,
    (e: unknown) => e as Error & { code: string },
  );
  expect(error?.code).toBe(code);
  expect(error?.message).toMatch(/^[^\n]+; [^\n]+\.$/);
}

describe("what is written", () => {
  const models = [
    "examples/books-20l-q8_0.gguf",
    ...["f16", "q4_k_m"].map((type) => sharedPath("models", `books-20l-${type}.gguf`)),
  ];

  test.each(models.filter((path) => path !== undefined))("nothing removed from %s", async (path) => {
    const output = join(temporaryFolder(), "out.gguf");
    const provenance = new Map<string, GgufValue>([["lorp.version", { type: "string", value: "1" }]]);
    const written = await write(path, output, { provenance });
    const [before, after] = [await readGguf(path), await readGguf(output)];
    expect(written).toEqual({ path: output, paths: [output], bytes: after.sizes[0] });
    expect(rawMetadata(after)).toEqual(rawMetadata(before));
    expect(tensorHashes(after)).toEqual(tensorHashes(before));
    expect(after.tensors.map(({ name, shape, type }) => [name, shape, type])).toEqual(
      before.tensors.map(({ name, shape, type }) => [name, shape, type]),
    );
    expect(after.metadata.get("lorp.version")?.decode().value).toBe("1");
  });

  test.each(models.filter((path) => path !== undefined))("blocks removed from %s", async (path) => {
    const before = await readGguf(path);
    const removed = [0, 7, 8, 13];
    const kept = Array.from({ length: 20 }, (_, i) => i).filter((i) => !removed.includes(i));
    const output = join(temporaryFolder(), "out.gguf");
    await write(path, output, { rewrite: planRewrite(before, kept) });
    const after = await readGguf(output);
    expect(after.metadata.get("llama.block_count")?.decode()).toEqual({ type: "uint32", value: 16 });
    const others = (file: GgufFile) => rawMetadata(file).filter(([key]) => key !== "llama.block_count");
    expect(others(after)).toEqual(others(before));
    const hashes = tensorHashes(before);
    const expected = new Map(
      [...hashes]
        .map(
          ([name, hash]) =>
            [name.replace(/^blk\.(\d+)\./, (_, i) => `blk.${kept.indexOf(Number(i))}.`), hash] as const,
        )
        .filter(([name]) => !name.startsWith("blk.-1.")),
    );
    expect(tensorHashes(after)).toEqual(expected);
    expect(after.tensors).toHaveLength(182 - 4 * 9);
  });

  test("values are set in their place, new ones come last, an earlier pruning's notes go", async () => {
    const folder = temporaryFolder();
    const metadata = { "lorp.rls": str("old"), ...fixture.metadata };
    const path = writeInto(folder, "in.gguf", buildGguf({ ...fixture, metadata }));
    const set = new Map([...withoutBlock1.set, ["x.new", u32(1)] as const]);
    const output = join(folder, "out.gguf");
    await write(path, output, {
      rewrite: { ...withoutBlock1, set },
      provenance: new Map([["lorp.method", str("named")]]),
    });
    const { metadata: after } = await readGguf(output);
    const keys = [...after.keys()].filter((key) => key !== "lorp.padding");
    expect(keys).toEqual(["general.name", "list", "x.block_count", "x.new", "lorp.method"]);
    expect(after.get("x.block_count")?.decode()).toEqual({ type: "uint32", value: 2 });
  });

  test.each([2, 3] as const)(
    "version %i, an alignment of its own, and a type that ggml does not know",
    async (version) => {
      const folder = temporaryFolder();
      const bytes = buildGguf({
        ...fixture,
        version,
        metadata: { ...fixture.metadata, "general.alignment": u32(256) },
      });
      const name = Buffer.from("blk.2.w");
      bytes[Buffer.from(bytes).indexOf(name) + name.length + 4 + 16] = 77;
      const path = writeInto(folder, "in.gguf", bytes);
      const output = join(folder, "out.gguf");
      await write(path, output, { rewrite: withoutBlock1 });
      const [before, after] = [await readGguf(path), await readGguf(output)];
      expect([after.version, after.alignment]).toEqual([version, 256]);
      expect(after.tensors.find(({ name }) => name === "blk.1.w")?.typeName).toBe("type-77");
      expect(tensorHashes(after).get("blk.1.w")).toBe(tensorHashes(before).get("blk.2.w"));
    },
  );

  test("progress ends at the total", async () => {
    const folder = temporaryFolder();
    const seen: [number, number][] = [];
    await write(fixtureIn(folder), join(folder, "out.gguf"), {
      onProgress: (...progress) => seen.push(progress),
    });
    expect(seen.at(-1)?.[0]).toBe(seen.at(-1)?.[1]);
    expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).toSorted((a, b) => a - b));
  });
});

describe("split models", () => {
  const splitIn = (folder: string, perPart: number[]) =>
    writeParts(folder, "in", buildSplitGguf(fixture, perPart));
  const whole = async (path: string, folder: string) => {
    const output = join(folder, `${basename(path)}.whole.gguf`);
    await write(path, output);
    return readGguf(output);
  };

  test("are written as one file", async () => {
    const folder = temporaryFolder();
    const paths = splitIn(folder, [1, 4, 3]);
    const file = await whole(paths[1]!, folder);
    expect(file.paths).toHaveLength(1);
    expect([...file.metadata.keys()].filter((key) => key.startsWith("split."))).toEqual([]);
    expect(tensorHashes(file)).toEqual(tensorHashes(await readGguf(paths[0]!)));
    expect(rawMetadata(file)).toEqual(rawMetadata(await readGguf(paths[0]!)));
  });

  test("keep their parts, less those that become empty", async () => {
    const folder = temporaryFolder();
    const [path] = splitIn(folder, [3, 2, 3]) as [string];
    const written = await write(path, join(folder, "out.gguf"), {
      rewrite: withoutBlock1,
      split: { keepSplit: true },
    });
    expect(written.paths.map((p) => basename(p))).toEqual([
      "out-00001-of-00002.gguf",
      "out-00002-of-00002.gguf",
    ]);
    const file = await readGguf(written.paths[1]!);
    expect(file.tensors.map(({ name, file }) => [name, file])).toEqual([
      ["token_embd.weight", 0],
      ["blk.0.norm", 0],
      ["blk.0.w", 0],
      ["blk.1.norm", 1],
      ["blk.1.w", 1],
      ["output.weight", 1],
    ]);
    expect(
      ["split.no", "split.count", "split.tensors.count"].map((key) => file.metadata.get(key)?.decode()),
    ).toEqual([
      { type: "uint16", value: 0 },
      { type: "uint16", value: 2 },
      { type: "int32", value: 6 },
    ]);
  });

  test("are divided anew by size, and come together again as they were", async () => {
    const folder = temporaryFolder();
    const metadata = { ...fixture.metadata, "general.alignment": u32(64) };
    const path = writeInto(folder, "in.gguf", buildGguf({ ...fixture, metadata }));
    const written = await write(path, join(folder, "out-00001-of-00009.gguf"), { split: { maxSize: 1300 } });
    const file = await readGguf(written.path);
    expect(file.paths.map((p) => basename(p))).toEqual([1, 2].map((no) => `out-0000${no}-of-00002.gguf`));
    for (const part of [0, 1]) {
      const sizes = file.tensors.filter((t) => t.file === part).map((t) => Math.ceil(t.byteLength / 64) * 64);
      expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(1300);
    }
    expect(await fingerprint(file)).toBe(await fingerprint(await readGguf(path)));
    const again = await whole(written.path, folder);
    expect(tensorHashes(again)).toEqual(tensorHashes(await readGguf(path)));
  });

  test("a model that fits into one part is not split", async () => {
    const folder = temporaryFolder();
    const output = join(folder, "out.gguf");
    expect((await write(fixtureIn(folder), output, { split: { maxSize: 1e9 } })).paths).toEqual([output]);
    expect((await readGguf(output)).metadata.has("split.count")).toBe(false);
  });
});

describe("the output", () => {
  test("is not overwritten unless forced", async () => {
    const folder = temporaryFolder();
    const input = fixtureIn(folder);
    const output = writeInto(folder, "out.gguf", Buffer.from("precious"));
    await expectFailure(write(input, output), "OUTPUT_EXISTS");
    expect(readFileSync(output, "utf8")).toBe("precious");
    await write(input, output, { force: true });
    expect((await readGguf(output)).tensors).toHaveLength(8);
  });

  test("is never the input, by whatever name", async () => {
    const folder = temporaryFolder();
    const input = fixtureIn(folder);
    const hash = sha(readFileSync(input));
    linkSync(input, join(folder, "hard.gguf"));
    symlinkSync(input, join(folder, "soft.gguf"));
    for (const name of ["in.gguf", "hard.gguf", "soft.gguf"]) {
      await expectFailure(write(input, join(folder, name), { force: true }), "OUTPUT_IS_INPUT");
    }
    const parts = writeParts(folder, "p", buildSplitGguf(fixture, [4, 4]));
    await expectFailure(write(parts[0]!, parts[1]!, { force: true }), "OUTPUT_IS_INPUT");
    await expectFailure(
      write(parts[0]!, join(folder, "p.gguf"), { force: true, split: { keepSplit: true } }),
      "OUTPUT_IS_INPUT",
    );
    expect(sha(readFileSync(input))).toBe(hash);
  });

  test("is a file in a folder that exists", async () => {
    const folder = temporaryFolder();
    const input = fixtureIn(folder);
    mkdirSync(join(folder, "sub"));
    await expectFailure(write(input, join(folder, "sub"), { force: true }), "OUTPUT_IS_FOLDER");
    await expectFailure(write(input, join(folder, "none", "out.gguf")), "OUTPUT_FOLDER_MISSING");
    await expectFailure(write(input, join(input, "out.gguf")), "OUTPUT_FOLDER_MISSING");
    symlinkSync(join(folder, "nowhere"), join(folder, "dangling.gguf"));
    await expectFailure(write(input, join(folder, "dangling.gguf")), "OUTPUT_EXISTS");
    expect(readdirSync(folder).toSorted()).toEqual(["dangling.gguf", "in.gguf", "sub"]);
  });

  test("is the file that a symbolic link names, and the link stays", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "kept"));
    symlinkSync(join("kept", "old.gguf"), join(folder, "out.gguf"));
    const old = writeInto(join(folder, "kept"), "old.gguf", Buffer.from("old"));
    await write(fixtureIn(folder), join(folder, "out.gguf"), { force: true });
    expect(readlinkSync(join(folder, "out.gguf"))).toBe(join("kept", "old.gguf"));
    expect((await readGguf(old)).tensors).toHaveLength(8);
    expect(readdirSync(join(folder, "kept"))).toEqual(["old.gguf"]);
    expect(readdirSync(folder).toSorted()).toEqual(["in.gguf", "kept", "out.gguf"]);
  });

  test("of an aborted run is not there, nor is anything else", async () => {
    const folder = temporaryFolder();
    const input = join(folder, "in.gguf");
    await copyFile("examples/books-20l-q8_0.gguf", input);
    const controller = new AbortController();
    const writing = write(input, join(folder, "out.gguf"), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(writing).rejects.toBeInstanceOf(AbortedError);
    expect(readdirSync(folder)).toEqual(["in.gguf"]);
  });

  test("of a model that changed since its header was read is not there", async () => {
    const folder = temporaryFolder();
    const input = fixtureIn(folder);
    const model = await readGguf(input);
    const apply = (onProgress?: () => void) =>
      applyPlan({
        model,
        rewrite: withoutBlock1,
        provenance: nothing,
        output: join(folder, "out.gguf"),
        onProgress,
      });
    // Shortened after the first range has been copied …
    await expectFailure(
      apply(() => truncateSync(input, 500)),
      "INPUT_CHANGED",
    );
    // … and before the start.
    await expectFailure(apply(), "INPUT_CHANGED");
    expect(readdirSync(folder)).toEqual(["in.gguf"]);
  });

  test("of an input that was overwritten, or replaced, at the same size", async () => {
    const folder = temporaryFolder();
    const input = fixtureIn(folder);
    // The system's clock for files goes in steps of some milliseconds.
    utimesSync(input, 1, 1);
    const model = await readGguf(input);
    const apply = (onProgress?: () => void) =>
      applyPlan({
        model,
        rewrite: withoutBlock1,
        provenance: nothing,
        output: join(folder, "out.gguf"),
        onProgress,
      });
    const overwrite = () => writeFileSync(input, new Uint8Array(model.sizes[0]!));
    await expectFailure(apply(overwrite), "INPUT_CHANGED");
    await expectFailure(apply(), "INPUT_CHANGED");
    rmSync(input);
    utimesSync(fixtureIn(folder), 1, 1);
    const other = await readGguf(input);
    writeFileSync(join(folder, "other"), readFileSync(input));
    utimesSync(join(folder, "other"), 1, 1);
    renameSync(join(folder, "other"), input);
    await expectFailure(
      applyPlan({
        model: other,
        rewrite: withoutBlock1,
        provenance: nothing,
        output: join(folder, "out.gguf"),
      }),
      "INPUT_CHANGED",
    );
    expect(readdirSync(folder)).toEqual(["in.gguf"]);
  });

  test("takes away what dead runs to the same place left, and nothing else", async () => {
    const folder = temporaryFolder();
    const input = fixtureIn(folder);
    // No process has this number: Linux and macOS count far less high.
    const dead = `.out.gguf.lorp-${PLACE}-99999999-0123456789ab.tmp`;
    const others = [
      `.out.gguf.lorp-${PLACE}-${process.ppid}-0123456789ab.tmp`,
      `.other.gguf.lorp-${PLACE}-99999999-0123456789ab.tmp`,
      `.out.gguf.lorp-${PLACE}-99999999-0123456789ab.tmp.txt`,
    ];
    for (const name of [dead, ...others]) writeFileSync(join(folder, name), "");
    await write(input, join(folder, "out.gguf"));
    expect(existsSync(join(folder, dead))).toBe(false);
    expect(readdirSync(folder).toSorted()).toEqual([...others, "in.gguf", "out.gguf"].toSorted());
  });

  test("of a failed forced replacement of parts is no mixture", async () => {
    const folder = temporaryFolder();
    const input = fixtureIn(folder);
    const output = join(folder, "out.gguf");
    const split = { maxSize: 1300 };
    const { paths } = await write(input, output, { split });
    await expectFailure(write(input, output, { split }), "OUTPUT_EXISTS");
    await write(input, output, {
      split,
      force: true,
      rewrite: { ...identity, set: new Map([["general.name", str("new")]]) },
    });
    expect((await readGguf(paths[1]!)).metadata.get("general.name")?.decode().value).toBe("new");
  });
});
