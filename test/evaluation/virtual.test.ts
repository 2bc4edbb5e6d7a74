import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadCalibration } from "../../src/calibration/load.ts";
import { SCHEMA_VERSION } from "../../src/documents/schema-version.ts";
import type { Windows } from "../../src/evaluation/windows.ts";
import { apply, plan } from "../../src/index.ts";
import type { Session } from "../../src/model/session.ts";
import { createRandom, shuffled } from "../../src/selection/rng.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { type OpenedExample, openOnCpu, perplexity } from "../support/example-session.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const LENGTH = 48;

let example: OpenedExample;
let session: Session;
let windows: Windows;

beforeAll(async () => {
  example = await openOnCpu(EXAMPLE_MODEL);
  session = example.openSession(LENGTH);
  const tokens = await example.model.tokenize((await loadCalibration()).text);
  windows = { sequences: [tokens.slice(0, LENGTH), tokens.slice(LENGTH, 2 * LENGTH)], first: 1 };
});
afterAll(() => example.close());

const random = createRandom(20);
const sets = Array.from({ length: 30 }, () => {
  const size = 1 + Math.floor(random() * 12);
  const layers = Array.from({ length: 20 }, (_, layer) => layer);
  return shuffled(layers, random)
    .slice(0, size)
    .sort((a, b) => a - b);
});

test.each(sets.map((layers) => [layers.join()]))("without %s: virtually as written out", async (layers) => {
  const model = { blockCount: 20 };
  const decided = plan({ schemaVersion: SCHEMA_VERSION, model, similarity: [] }, { layers });
  const { path } = await apply(EXAMPLE_MODEL, decided, { output: join(folder, "written.gguf"), force: true });
  const virtual = await perplexity(session, windows, { skip: decided.removedLayers });
  const pruned = await openOnCpu(path);
  try {
    const written = await perplexity(pruned.openSession(LENGTH), windows);
    expect(written.perplexity.toPrecision(6)).toBe(virtual.perplexity.toPrecision(6));
  } finally {
    pruned.close();
    await rm(path);
  }
});
