import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { describeModel } from "../../src/api/stages/open.ts";
import { LorpError } from "../../src/errors.ts";
import { openModel } from "../../src/model/model.ts";
import { openRuntime } from "../../src/model/runtime.ts";
import { temporaryFolder } from "../support/folder.ts";
import { oddModels } from "./odd-models.ts";

const SEED = Number(process.env.LORP_SWEEP_SEED ?? 16);
const COUNT = Number(process.env.LORP_SWEEP ?? 2000);
/** Longer than any of these models takes. */
const HANG = 60_000;

const folder = temporaryFolder();
const path = join(folder, "odd.gguf");
const tokens = Int32Array.from({ length: 24 }, (_, i) => (i * 37) % 90);

/** Runs a model as the commands do: analysis and scores. */
async function run(): Promise<void> {
  const { architecture } = await describeModel(path);
  const model = await openModel(path, { gpu: "off", threads: 1 });
  try {
    const session = model.openSession({ sequenceLength: tokens.length, states: architecture.states });
    await session.sumCosines(tokens);
    await session.score(tokens, { skip: [1] });
    session.close();
  } finally {
    model.close();
  }
}

async function outcome(): Promise<string> {
  const stop = new AbortController();
  const hung = sleep(HANG, "HANG", { signal: stop.signal }).catch(() => "");
  const done = run().then(
    () => "fine",
    (error: unknown) =>
      error instanceof LorpError ? `${error.code} ${error.message}` : `FAULT ${String(error)}`,
  );
  const first = await Promise.race([done, hung]);
  stop.abort();
  if (first === "HANG") await (await openRuntime("off")).end();
  return first;
}

test(`${COUNT} odd models (seed ${SEED}) each give a result or a sentence of ours`, {
  timeout: 3_600_000,
}, async () => {
  const faults: string[] = [];
  const counts = new Map<string, number>();
  for (const { name, bytes } of oddModels(COUNT, SEED)) {
    writeFileSync(path, bytes);
    const what = await outcome();
    const code = what.split(" ")[0]!;
    counts.set(code, (counts.get(code) ?? 0) + 1);
    if (/^(HANG|FAULT)/.test(what)) faults.push(`${name}: ${what}`);
    if (process.env.LORP_SWEEP && code === "RUNTIME_CRASHED")
      console.log(`${name}: ${what.replace(/.*gguf: (.*); the file.*/s, "$1")}`);
  }
  console.log(Object.fromEntries(counts));
  expect(faults).toEqual([]);
  expect(counts.get("fine")).toBeGreaterThan(COUNT / 10);
});
