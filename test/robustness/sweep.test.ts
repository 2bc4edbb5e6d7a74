import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { describeModel } from "../../src/api/stages/describe.ts";
import { openConversation } from "../../src/chat/conversation.ts";
import { LorpError } from "../../src/errors.ts";
import { openModel } from "../../src/model/model.ts";
import { quantizeGguf } from "../../src/surgery/quantize.ts";
import { temporaryFolder } from "../support/folder.ts";
import { oddModels } from "./odd-models.ts";

const SEED = Number(process.env.LORP_SWEEP_SEED ?? 16);
const ON_DEMAND = Number(process.env.LORP_SWEEP ?? 0);
/** Longer than any of these models takes. */
const HANG = 60_000;

const folder = temporaryFolder();
const path = join(folder, "odd.gguf");
const output = join(folder, "output.gguf");
const tokens = Int32Array.from({ length: 24 }, (_, i) => (i * 37) % 90);
const run = { gpu: "off", threads: 1 } as const;

type Work = (signal: AbortSignal) => Promise<void>;

/** Runs a model as the commands do: analysis and scores. */
async function measure(signal: AbortSignal): Promise<void> {
  const { architecture } = await describeModel(path);
  const model = await openModel(path, { ...run, signal });
  try {
    const session = model.openSession({ sequenceLength: tokens.length, states: architecture.states });
    await session.sumCosines(tokens);
    await session.score(tokens, { skip: [1] });
    session.close();
  } finally {
    model.close();
  }
}

async function quantize(signal: AbortSignal): Promise<void> {
  rmSync(output, { force: true });
  try {
    await quantizeGguf(path, output, "Q4_K_M", { ...run, allowRequantize: true, signal });
  } catch (error) {
    if (readdirSync(folder).length > 1) throw new Error("it fails and leaves a file", { cause: error });
    throw error;
  }
}

async function talk(signal: AbortSignal): Promise<void> {
  const conversation = await openConversation(path, { ...run, signal });
  try {
    await conversation.answer("hello", { maxTokens: 4, signal });
  } finally {
    await conversation.close();
  }
}

async function outcome(work: Work): Promise<string> {
  const stop = new AbortController();
  const hung = sleep(HANG, "HANG", { signal: stop.signal }).catch(() => "");
  const done = work(stop.signal).then(
    () => "fine",
    (error: unknown) =>
      error instanceof LorpError ? `${error.code} ${error.message}` : `FAULT ${String(error)}`,
  );
  const first = await Promise.race([done, hung]);
  stop.abort();
  // What hangs is ended then.
  await done;
  return first;
}

// Where it is quantised or talked to, each has a process of its own, which takes ten times as long.
const WORKS: readonly (readonly [name: string, count: number, work: Work])[] = [
  ["measured", ON_DEMAND || 2000, measure],
  ["quantised", Math.ceil(ON_DEMAND / 20), quantize],
  ["talked to", Math.ceil(ON_DEMAND / 20), talk],
];

test.each(WORKS.filter(([, count]) => count > 0))(
  `odd models (seed ${SEED}) each give a result or a sentence of ours: %s, %d`,
  {
    timeout: 3_600_000,
  },
  async (_, count, work) => {
    const faults: string[] = [];
    const counts = new Map<string, number>();
    for (const { name, bytes } of oddModels(count, SEED)) {
      writeFileSync(path, bytes);
      const what = await outcome(work);
      const code = what.split(" ")[0]!;
      counts.set(code, (counts.get(code) ?? 0) + 1);
      if (/^(HANG|FAULT)/.test(what)) faults.push(`${name}: ${what}`);
      if (ON_DEMAND && code === "RUNTIME_CRASHED")
        console.log(`${name}: ${what.replace(/.*gguf: (.*); the file.*/s, "$1")}`);
    }
    console.log(Object.fromEntries(counts));
    expect(faults).toEqual([]);
    expect(counts.get("fine") ?? 0).toBeGreaterThanOrEqual(count / 10);
  },
);
