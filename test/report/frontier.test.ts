import fc from "fast-check";
import { expect, test } from "vitest";
import { verdictOf } from "../../src/evaluation/verdict.ts";
import { bestBy, describeWinners, RESOURCES, type Variant } from "../../src/report/frontier.ts";
import { variant, variants20 } from "./documents.ts";

const [size] = RESOURCES;

test("the best are those that no other beats in loss and size", () => {
  const some = fc.record({
    bytes: fc.integer({ min: 1, max: 50 }).map((tens) => 10 * tens),
    loss: fc.integer({ min: 1, max: 60 }).map((hundredths) => hundredths / 100),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 12 }), (list) => {
      const all = list.map(({ bytes, loss }) => variant({ type: "Q4_0", bytes, loss }));
      const usable = all.filter(({ measures }) => measures[0]!.verdict!.grade !== "ruined");
      const best = bestBy(all, size!);
      const loss = ({ measures }: Variant) => measures[0]!.klDivergence!;
      for (const one of best) {
        expect(usable.some((other) => loss(other) < loss(one) && other.bytes <= one.bytes)).toBe(false);
        expect(usable.some((other) => loss(other) <= loss(one) && other.bytes < one.bytes)).toBe(false);
      }
      for (const one of usable) {
        // A few per cent of a size count for nothing.
        const match = best.some((other) => loss(other) <= loss(one) && other.bytes <= one.bytes / 0.96);
        expect(match).toBe(true);
      }
    }),
  );
});

test("the ruined never win, nor does the original", () => {
  const ruined = variant({ type: "Q2_K", bytes: 10, loss: 3 });
  expect(verdictOf({ klDivergence: 3, topAgreement: 0.9 }).grade).toBe("ruined");
  expect(bestBy([variant({ type: null, bytes: 100, loss: 0 }), ruined], size!)).toEqual([]);
  expect(describeWinners([variant({ type: null, bytes: 100, loss: 0 }), ruined])[0]).toBe(
    "The smallest file for what it loses: no variant that is of use is better than the original.",
  );
});

test("what wins where is said by kind, with the variants in the order of what they lose", () => {
  expect(describeWinners(variants20)).toEqual([
    "The smallest file for what it loses: a smaller type alone (Q8_0; Q4_K_M), both together (Q4_K_M without 6).",
    "The fastest generation: a smaller type alone (Q8_0; Q4_K_M), both together (Q4_K_M without 6).",
    "The fastest prompt: fewer layers alone (without 6; without 4, 6).",
    "The smallest cache: fewer layers alone (without 6; without 4, 6).",
  ]);
});
