import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Check } from "typebox/value";
import { describe, expect, test } from "vitest";
import { findFault, type Schema } from "../../src/documents/schema.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const published = (kind: string): Schema =>
  JSON.parse(readFileSync(`schemas/${kind}.schema.json`, "utf8")) as Schema;

/** Values that a schema allows, or nearly: any member may be left out, replaced or added. */
function nearly(schema: Schema): fc.Arbitrary<Json> {
  const anything = fc.oneof(
    fc.constantFrom<Json>(null, true, -1, 0, 1, 2.5, "", "auto", [], {}),
    fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>,
  );
  return fc.oneof({ weight: 300, arbitrary: allowed(schema) }, { weight: 1, arbitrary: anything });
}

function allowed(schema: Schema): fc.Arbitrary<Json> {
  const { enum: values, anyOf, items = {}, properties = {}, required = [] } = schema;
  const { minimum = 0.1, maximum = 9, minItems = 0 } = schema;
  if (schema.const !== undefined) return fc.constant(schema.const as Json);
  if (values) return fc.constantFrom(...(values as Json[]));
  if (anyOf) return fc.oneof(...anyOf.map(nearly));
  const ofType: Record<string, fc.Arbitrary<Json>> = {
    integer: fc.integer({ min: 1, max: 9 }),
    number: fc.double({ min: minimum, max: maximum, noNaN: true }),
    string: fc.string({ maxLength: 3 }),
    boolean: fc.boolean(),
    null: fc.constant(null),
    array: fc
      .array(fc.constant(0), { minLength: minItems, maxLength: Math.max(2, minItems) })
      .chain((list) => fc.tuple(...list.map(() => nearly(items)))),
    object: fc
      .record(Object.fromEntries(Object.entries(properties).map(([key, inner]) => [key, nearly(inner)])), {
        requiredKeys: [...required],
      })
      .chain((object) =>
        fc.oneof(
          { weight: 300, arbitrary: fc.constant(object as Json) },
          { weight: 1, arbitrary: fc.constant({ ...object, more: 1 } as Json) },
          ...required.map((key) => ({ weight: 1, arbitrary: fc.constant(without(object, key)) })),
        ),
      ),
  };
  const types = [schema.type ?? []].flat();
  return types.length === 0 ? fc.constant("anything") : fc.oneof(...types.map((type) => ofType[type]!));
}

function without(object: object, key: string): Json {
  return Object.fromEntries(Object.entries(object).filter(([other]) => other !== key)) as Json;
}

describe("finds a fault exactly where typebox, which knows all of JSON Schema, says that there is one", () => {
  test.each(["analysis", "plan", "report", "comparison", "config"])("%s", (kind) => {
    const schema = published(kind);
    const seen = { good: 0, bad: 0 };
    fc.assert(
      fc.property(nearly(schema), (value) => {
        const fault = findFault(schema, value);
        expect(fault === undefined).toBe(Check(schema, value));
        seen[fault ? "bad" : "good"]++;
      }),
      { numRuns: 300, seed: 6 },
    );
    expect(Math.min(seen.good, seen.bad)).toBeGreaterThan(3);
  });
});

test("of alternatives the fault of the one that fits furthest is told", () => {
  const schema = { anyOf: [{ type: "null" }, { type: "object", required: ["path"] }] };
  expect(findFault(schema, {})).toEqual({ keys: ["path"], problem: "is missing" });
  expect(findFault(schema, null)).toBeUndefined();
});

test("an object's own fields count, not those of every object", () => {
  expect(findFault({ type: "object", required: ["toString"] }, {})).toMatchObject({ keys: ["toString"] });
  expect(findFault({ type: "object", properties: {} }, JSON.parse('{"constructor":1}'))).toBeUndefined();
});
