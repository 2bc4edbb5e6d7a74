import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { ARCHITECTURES } from "../../src/architecture/table.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { type Model, openModel } from "../../src/model/model.ts";
import type { KeptRepair } from "../../src/model/session.ts";
import { KINDS } from "../../src/repair/places.ts";
import { planRepaired } from "../../src/repair/rewrite.ts";
import { readWeights, storeMap } from "../../src/repair/tensor.ts";
import { applyPlan } from "../../src/surgery/apply.ts";
import { architectureOf, buildFixture, FIXTURE_NAMES } from "../support/architectures.ts";
import { temporaryFolder } from "../support/folder.ts";
import { randomNumbers } from "../support/gguf.ts";

const TOKENS = 48;

/**
 * Keys and values are rounded to f16, so that any change of the last bits shows; a map in the wrong place shows as 1e-3
 * and more. Some tokens hit a discrete choice (experts, sparse attention) that rounding decides: medians do not.
 */
const TOLERANCE = 1e-5;

/** These are refused as a whole. */
const REFUSED = ["command-r-64"];

const fixtures = FIXTURE_NAMES.filter(
  (name) => ARCHITECTURES.get(architectureOf(name))?.addsFeedForward && !REFUSED.includes(name),
);

const tried = new Set<string>();

test.each(fixtures)(
  "%s: a refitted ffn_down does what its map does while the original runs",
  async (name) => {
    const folder = temporaryFolder();
    const path = join(folder, "original.gguf");
    await writeFile(path, buildFixture(name));
    const file = await readGguf(path);
    const architecture = describeArchitecture(file);
    const blocks = Array.from({ length: architecture.blockCount }, (_, block) => block);
    const gap = blocks
      .slice(0, architecture.analysedBlocks)
      .map((before) => ({ before, last: before + 1 }))
      .find((gap) => KINDS.refit.refusal({ file, architecture }, gap) === undefined);
    // Of experts alone, as the architecture's other models are not.
    if (!gap) return;
    tried.add(architecture.name);
    const place = KINDS.refit.place({ file, architecture }, gap);

    const model = await openModel(path, { gpu: "off", threads: 1 });
    const random = randomNumbers(5);
    const length = place.features * place.targets;
    const values = Float32Array.from({ length }, () => 0.2 * (random() - 0.5));
    const old = await readWeights(model, file, place.replaces!);
    const importance = new Float32Array(place.features).fill(1);
    const { stored, map } = await storeMap(model, place, values, place.types[0]!, importance, old);
    const repair = await model.keepRepair({ block: gap.before, weight: place.weight, epsilon: 0, map });
    const { states } = architecture;
    const whole = await logits(model, states);
    const virtual = await logits(model, states, [repair]);
    model.close();

    const output = join(folder, "refitted.gguf");
    const { rewrite, added } = planRepaired(file, blocks, {
      refits: new Map([[gap.before, stored]]),
      bridges: new Map(),
    });
    await applyPlan({ model: file, rewrite, provenance: new Map(), output, changes: { added } });
    const refitted = await openModel(output, { gpu: "off", threads: 1 });
    const written = await logits(refitted, states);
    refitted.close();
    expect(medianError(virtual, written)).toBeLessThan(TOLERANCE);
    expect(medianError(whole, written)).toBeGreaterThan(1e-4);
  },
);

test("every architecture that says so was tried", () => {
  const all = [...ARCHITECTURES].filter(([, { addsFeedForward }]) => addsFeedForward).map(([name]) => name);
  expect(all.filter((name) => !tried.has(name))).toEqual([]);
});

async function logits(
  model: Model,
  states: ReturnType<typeof describeArchitecture>["states"],
  repairs: readonly KeptRepair[] = [],
): Promise<Float32Array[]> {
  const session = model.openSession({ sequenceLength: TOKENS, states });
  const random = randomNumbers(3);
  const { vocabularySize } = model.info;
  const tokens = Int32Array.from({ length: TOKENS }, () => Math.floor(random() * vocabularySize));
  const all = await session.logits(tokens, [], repairs);
  session.close();
  return Array.from({ length: TOKENS }, (_, token) =>
    // Logits that stand for "impossible" (chameleon's image tokens) are left out.
    all.subarray(token * vocabularySize, (token + 1) * vocabularySize).filter((x) => Math.abs(x) < 1e30),
  );
}

const squares = (a: Float32Array) => a.reduce((sum, x) => sum + x * x, 0);

/** Of the tokens' normalised squared errors. */
function medianError(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  const errors = a.map((row, token) => squares(row.map((x, i) => x - b[token]![i]!)) / squares(row));
  return errors.toSorted((x, y) => x - y)[TOKENS >> 1]!;
}
