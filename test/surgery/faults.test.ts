import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { applyPlan } from "../../src/surgery/apply.ts";
import { compileSources } from "../support/compiled.ts";
import { buildGguf, randomNumbers, temporaryFolder, writeInto } from "../support/gguf.ts";

const KILLS = 100;
const child = resolve("test/surgery/apply-child.js");
const model = buildGguf({
  tensors: Array.from({ length: 16 }, (_, i) => ({ name: `blk.${i}.w`, shape: [2 ** 18 + 8], type: "I8" })),
});

let compiled: ReturnType<typeof compileSources>;
beforeAll(() => {
  compiled = compileSources();
});
afterAll(() => compiled.remove());

const hash = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** A process that is about to write. */
interface Run {
  readonly process: ChildProcess;
  readonly ready: Promise<void>;
  /** What it said last. */
  readonly ended: Promise<string>;
}

function start(command: readonly string[]): Run {
  const process = spawn(command[0]!, command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  const ready = new Promise<void>((done) => {
    process.stdout!.on("data", (chunk) => {
      output += chunk;
      if (output.includes("ready\n")) done();
    });
  });
  const ended = new Promise<string>((done) =>
    process.on("close", () => done(output.trim().split("\n").at(-1)!)),
  );
  return { process, ready, ended };
}

const nodeArguments = (input: string, output: string, force = false) => [
  process.execPath,
  child,
  join(compiled.folder, "dist"),
  input,
  output,
  String(force),
];
const go = (run: Run) => run.process.stdin!.write("go\n");

const writeHere = async (input: string, output: string) =>
  applyPlan({
    model: await readGguf(input),
    rewrite: { set: new Map(), renameTensor: (name) => name },
    provenance: new Map(),
    output,
  });

test(`killed at ${KILLS} random moments, the output is absent or whole and the next run cleans up`, async () => {
  const folder = temporaryFolder();
  const input = writeInto(folder, "in.gguf", model);
  const output = join(folder, "out.gguf");
  await writeHere(input, output);
  const [inputHash, outputHash] = [hash(input), hash(output)];
  rmSync(output);

  const whole = start(nodeArguments(input, output));
  await whole.ready;
  const writing = performance.now();
  go(whole);
  expect(await whole.ended).toBe("done");
  const duration = performance.now() - writing;
  rmSync(output);

  const random = randomNumbers(7);
  const seen = { absent: 0, whole: 0, leftovers: 0 };
  // The next process starts while this one is killed and its remains are looked at.
  let next = start(nodeArguments(input, output));
  for (let kill = 0; kill < KILLS; kill++) {
    const run = next;
    await run.ready;
    if (kill + 1 < KILLS) next = start(nodeArguments(input, output));
    go(run);
    await sleep(random() * duration);
    run.process.kill("SIGKILL");
    await run.ended;
    const left = readdirSync(folder).filter((name) => name.endsWith(".tmp"));
    if (left.length > 0) seen.leftovers++;
    if (existsSync(output)) {
      expect(hash(output)).toBe(outputHash);
      seen.whole++;
      rmSync(output);
    } else {
      seen.absent++;
    }
    await writeHere(input, output);
    expect(readdirSync(folder).toSorted()).toEqual(["in.gguf", "out.gguf"]);
    expect(hash(output)).toBe(outputHash);
    rmSync(output);
  }
  expect(hash(input)).toBe(inputHash);
  // The moments were really during the writing.
  expect(seen.leftovers).toBeGreaterThan(KILLS / 10);
}, 600_000);

describe("two runs to one output at once", () => {
  test.each([false, true])("forced: %s", async (force) => {
    const folder = temporaryFolder();
    const input = writeInto(folder, "in.gguf", model);
    const output = join(folder, "out.gguf");
    await writeHere(input, output);
    const expected = hash(output);
    for (let round = 0; round < 5; round++) {
      rmSync(output);
      const runs = [0, 1].map(() => start(nodeArguments(input, output, force)));
      await Promise.all(runs.map(({ ready }) => ready));
      runs.forEach(go);
      const ends = (await Promise.all(runs.map(({ ended }) => ended)))
        .map((end) => end.split(":")[0])
        .toSorted();
      expect(ends).toEqual(force ? ["done", "done"] : ["OUTPUT_EXISTS", "done"]);
      expect(readdirSync(folder).toSorted()).toEqual(["in.gguf", "out.gguf"]);
      expect(hash(output)).toBe(expected);
    }
  });
});

/** Runs the child under a shell that first does `setup`, and then lists the output's folder. */
async function inShell(wrapper: readonly string[], setup: string, input: string, folder: string) {
  const quoted = nodeArguments(input, join(folder, "out.gguf")).map((word) => `'${word}'`);
  const run = start([
    ...wrapper,
    "sh",
    "-c",
    `${setup} && ${quoted.join(" ")}; ls -A '${folder}'; echo; echo listed`,
  ]);
  let output = "";
  run.process.stdout!.on("data", (chunk) => {
    output += chunk;
  });
  await run.ready;
  go(run);
  expect(await run.ended).toBe("listed");
  const [ready, end, ...listing] = output.trim().split("\n");
  expect(ready).toBe("ready");
  return { end, listing: listing.slice(0, -1).filter((name) => name !== "") };
}

const mount = (folder: string) => `mount -t tmpfs -o size=2m tmpfs '${folder}'`;
const canMount = spawnSync("unshare", ["-rm", "sh", "-c", mount("/mnt")]).status === 0;

describe("no room for the output", () => {
  test.skipIf(!canMount)("a full disk (needs a mount namespace of its own)", async () => {
    const input = writeInto(temporaryFolder(), "in.gguf", model);
    const folder = temporaryFolder();
    const { end, listing } = await inShell(["unshare", "-rm"], mount(folder), input, folder);
    expect(end).toMatch(/^DISK_FULL: There is not enough space for .*out\.gguf; [^\n]*\.$/);
    expect(listing).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("a limit on the size of files", async () => {
    const input = writeInto(temporaryFolder(), "in.gguf", model);
    const folder = temporaryFolder();
    const { end, listing } = await inShell([], "ulimit -f 2000", input, folder);
    expect(end).toMatch(/^OUTPUT_TOO_LARGE: .*out\.gguf would be larger than a file may be there; [^\n]*\.$/);
    expect(listing).toEqual([]);
  });
});
