import { type ChildProcess, execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, describe, expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { openModel } from "../../src/model/model.ts";
import { lorp } from "../support/cli.ts";
import { compileSources } from "../support/compiled.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();

/** A model that llama.cpp has mapped into memory and that then loses its end: reading there ends the process. */
const victim = (name: string): string => {
  const path = join(folder, name);
  copyFileSync(EXAMPLE_MODEL, path);
  return path;
};
const truncate = (path: string) => truncateSync(path, 100_000);

/** Ends the process that runs llama.cpp for another one as memory that is not there would. */
function crashChildOf({ pid }: ChildProcess): void {
  const child = execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  process.kill(Number(child), "SIGBUS");
}

describe.skipIf(process.platform === "win32")("when llama.cpp crashes", () => {
  test("this process hears of it in an error, and can open models as before", async () => {
    const path = victim("open.gguf");
    const { states } = describeArchitecture(await readGguf(path));
    const tokens = Int32Array.from({ length: 64 }, (_, i) => i + 1);
    const model = await openModel(path, { gpu: "off", threads: 1 });
    const session = model.openSession({ sequenceLength: 64, states });
    const expected = await session.score(tokens);
    truncate(path);
    await expect(session.score(tokens.map((token) => token + 500))).rejects.toMatchObject({
      code: "RUNTIME_CRASHED",
      message: expect.stringContaining(`llama.cpp crashed while it ran ${path}: SIGBUS`),
    });
    await expect(session.score(tokens)).rejects.toMatchObject({ code: "RUNTIME_CRASHED" });
    session.close();
    model.close();

    const again = await openModel(EXAMPLE_MODEL, { gpu: "off", threads: 1 });
    const other = again.openSession({ sequenceLength: 64, states });
    expect(await other.score(tokens)).toEqual(expected);
    again.close();
  });

  test("the command says so, keeps what it has measured, and goes on from there", async () => {
    const path = victim("resumed.gguf");
    const run = (more: readonly string[], started?: (child: ChildProcess) => void) =>
      lorp(
        ["analyze", path, "--gpu", "off", "--sequences", "16", "--sequence-length", "128", "--json", ...more],
        { env: { XDG_CACHE_HOME: join(folder, "cache") }, ...(started && { started }) },
      );
    const broken = await run([], (child) => {
      const crash = (told: Buffer) => {
        if (!told.includes("Measuring")) return;
        child.stderr?.off("data", crash);
        crashChildOf(child);
      };
      child.stderr?.on("data", crash);
    });
    expect(broken).toMatchObject({ status: 1, stdout: "" });
    expect(broken.stderr).toMatch(
      /^lorp: llama\.cpp crashed while it ran .*resumed\.gguf: SIGBUS; .* The \d+ sequences before it are kept; .*--resume/m,
    );
    const kept = readdirSync(join(folder, "cache/lorp/captures"));
    expect(kept).toEqual([expect.stringMatching(/^\w+\.checkpoint\.json$/)]);
    const resumed = await run(["--resume"]);
    const whole = await run(["--no-cache"]);
    expect(JSON.parse(resumed.stdout).similarity).toEqual(JSON.parse(whole.stdout).similarity);
  });
});

describe("a thread that is ended while the API works in it", () => {
  const { folder: compiled, remove } = compileSources();
  afterAll(remove);

  test.each([
    "prune(model, { remove: 3, output, force: true, gpu: 'off' })",
    "analyze(model, { gpu: 'off' })",
  ])("takes nothing else down: %s", async (work) => {
    const script = `
        import { parentPort } from "node:worker_threads";
        import { analyze, prune } from ${JSON.stringify(pathToFileURL(join(compiled, "dist/index.js")))};
        const [model, output] = ${JSON.stringify([EXAMPLE_MODEL, join(folder, "worker.gguf")])};
        for (;;) {
          const working = ${work};
          parentPort.postMessage("works");
          await working;
        }`;
    for (const delay of [100, 400, 1500]) {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
      const failures: unknown[] = [];
      worker.on("error", (error) => failures.push(error));
      // Only what has begun is ended in its work.
      await new Promise((resolve) => worker.once("message", resolve));
      await sleep(delay);
      expect(await worker.terminate()).toBe(1);
      expect(failures).toEqual([]);
    }
  });
});
