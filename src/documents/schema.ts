/** The part of JSON Schema that lorp's documents and recipes are described in. */
export interface Schema {
  readonly type?: string | readonly string[] | undefined;
  readonly const?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly minItems?: number | undefined;
  readonly items?: Schema | undefined;
  readonly required?: readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  /** `false` allows no others. */
  readonly additionalProperties?: false | undefined;
  readonly anyOf?: readonly Schema[] | undefined;
}

/** Where a value is not as its schema says, and what is wrong there: `should be a number, but is null`. */
export interface Fault {
  readonly keys: readonly string[];
  readonly problem: string;
}

/** What a type's values are called, and how they are told. */
const TYPES: Readonly<Record<string, { readonly name: string; has(value: unknown): boolean }>> = {
  integer: { name: "a whole number", has: Number.isInteger },
  number: { name: "a number", has: Number.isFinite },
  string: { name: "a text", has: (value) => typeof value === "string" },
  array: { name: "a list", has: Array.isArray },
  object: { name: "an object", has: isObject },
  boolean: { name: "true or false", has: (value) => typeof value === "boolean" },
  null: { name: "null", has: (value) => value === null },
};

/** The first fault of a value that came out of JSON; undefined if it is as the schema says. */
export function findFault(schema: Schema, value: unknown, keys: readonly string[] = []): Fault | undefined {
  const expected = unmet(schema, value);
  if (expected !== undefined) return { keys, problem: `should be ${expected}, but is ${show(value)}` };
  return findAlternativeFault(schema, value, keys) ?? findInnerFault(schema, value, keys);
}

/** What the schema wants of the value itself, if it is not that. */
function unmet(schema: Schema, value: unknown): string | undefined {
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some((type) => TYPES[type]?.has(value))) {
    return types.map((type) => TYPES[type]?.name ?? type).join(" or ");
  }
  if (schema.const !== undefined && value !== schema.const) return JSON.stringify(schema.const);
  if (schema.enum && !schema.enum.includes(value)) return `one of ${schema.enum.join(", ")}`;
  if (typeof value === "number") {
    if (value < (schema.minimum ?? value)) return `at least ${schema.minimum}`;
    if (value > (schema.maximum ?? value)) return `at most ${schema.maximum}`;
    if (value <= (schema.exclusiveMinimum ?? Number.NEGATIVE_INFINITY)) {
      return `a number > ${schema.exclusiveMinimum}`;
    }
  }
  if (Array.isArray(value) && value.length < (schema.minItems ?? 0)) {
    return `a list of at least ${schema.minItems}`;
  }
  return undefined;
}

/** Of several alternatives that do not fit, the fault of the one that fits furthest. */
function findAlternativeFault({ anyOf }: Schema, value: unknown, keys: readonly string[]): Fault | undefined {
  const faults = (anyOf ?? []).map((schema) => findFault(schema, value, keys));
  return faults.reduce((best, fault) => {
    if (best === undefined || fault === undefined) return undefined;
    return fault.keys.length > best.keys.length ? fault : best;
  }, faults[0]);
}

/** Of the value's parts. */
function findInnerFault(schema: Schema, value: unknown, keys: readonly string[]): Fault | undefined {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items && first(value.entries(), ([index, item]) => findFault(items, item, [...keys, `${index}`]));
  }
  if (!isObject(value)) return undefined;
  const { properties = {}, required = [], additionalProperties } = schema;
  const missing = required.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return { keys: [...keys, missing], problem: "is missing" };
  const members = Object.entries(value);
  const unknown = members.find(([key]) => additionalProperties === false && !Object.hasOwn(properties, key));
  if (unknown) return { keys: [...keys, unknown[0]], problem: "is not known" };
  return first(members, ([key, member]) =>
    Object.hasOwn(properties, key) ? findFault(properties[key]!, member, [...keys, key]) : undefined,
  );
}

function first<Item>(items: Iterable<Item>, find: (item: Item) => Fault | undefined): Fault | undefined {
  for (const item of items) {
    const fault = find(item);
    if (fault) return fault;
  }
  return undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
