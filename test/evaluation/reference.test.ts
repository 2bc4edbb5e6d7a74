import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cutSequences } from "../../src/calibration/sequences.ts";
import type { Session } from "../../src/model/session.ts";
import { type OpenedExample, openOnCpu, perplexity } from "../support/example-session.ts";
import { sharedPath } from "../support/shared.ts";

const reference = sharedPath("reference", "perplexity.json");
const model = sharedPath("models", "books-20l-f16.gguf");

interface Reference {
  readonly windowTokens: number;
  readonly windows: number;
  readonly sets: Readonly<Record<string, { removed: number[]; perplexity: Record<string, number> }>>;
}

/** Perplexities by PyTorch in single precision; all sets with LORP_ALL_SETS=1 (half an hour), else a few. */
describe.runIf(reference && model)("perplexity against PyTorch", () => {
  // The body runs even where its tests are skipped.
  const { windowTokens, windows, sets }: Reference = reference
    ? JSON.parse(readFileSync(reference, "utf8"))
    : { windowTokens: 0, windows: 0, sets: {} };
  const few = ["shortgpt-5"];
  const chosen = Object.entries(sets).filter(([name]) => process.env.LORP_ALL_SETS || few.includes(name));
  const texts = process.env.LORP_ALL_SETS ? ["persuasion.txt", "books-valid.txt"] : ["persuasion.txt"];
  let opened: OpenedExample;
  let session: Session;
  beforeAll(async () => {
    opened = await openOnCpu(model!);
    session = opened.openSession(windowTokens, windowTokens);
  });
  afterAll(() => opened.close());

  for (const text of texts) {
    test.each(chosen.map(([name]) => name))(`%s on ${text}`, { timeout: 600_000 }, async (name) => {
      const { removed, perplexity: expected } = sets[name]!;
      const tokens = await opened.model.tokenize(readFileSync(sharedPath("data", text)!, "utf8"));
      const sequences = cutSequences(tokens, { sequenceLength: windowTokens, sequences: windows });
      const measured = await perplexity(session, { sequences, first: 1 }, { skip: removed });
      expect(measured.perplexity / expected[text]! - 1).toBeCloseTo(0, 3);
    });
  }
});
