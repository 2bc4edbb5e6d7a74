import { readdirSync } from "node:fs";
import { basename } from "node:path";

/** As much of JSON Schema as the documents' schemas use. */
interface Schema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Schema>>;
}

/** Where a type is not called as its schema. */
const NAMES: Readonly<Record<string, string>> = {
  Calibration: "CalibrationText",
  Layer: "LayerMeasures",
  Model: "ModelSummary",
};

/** The schemas that src/documents exports, by their types' names. */
async function namedSchemas(): Promise<Map<string, Schema>> {
  const named = new Map<string, Schema>();
  for (const file of readdirSync("src/documents").map((name) => basename(name, ".ts"))) {
    const exported: Record<string, Schema> = await import(`../../src/documents/${file}.ts`);
    for (const [name, schema] of Object.entries(exported)) {
      const [, stem] = /^(\w+)Schema$/.exec(name) ?? [];
      if (stem !== undefined) named.set(NAMES[stem] ?? stem, schema);
    }
  }
  return named;
}

const HEAD = `/**
 * The documents as types, with what their fields mean. Made from the schemas beside this file: after a change there,
 * \`npx vitest run test/documents --update=all\`.
 */
`;

/** The source of src/documents/types.ts: an interface for each schema, which editors can show with its comments. */
export async function documentTypes(): Promise<string> {
  const schemas = await namedSchemas();
  const names = new Map([...schemas].map(([name, schema]) => [JSON.stringify(schema), name]));
  const typeOf = (schema: Schema, indent: string): string =>
    names.get(JSON.stringify(schema)) ?? written(schema, indent);

  function written(
    { type, anyOf, items, properties, required = [], ...rest }: Schema,
    indent: string,
  ): string {
    if ("const" in rest) return JSON.stringify(rest.const);
    if (rest.enum) return rest.enum.map((value) => JSON.stringify(value)).join(" | ");
    if (anyOf) return anyOf.map((option) => typeOf(option, indent)).join(" | ");
    if (rest.patternProperties) {
      const [value = {}] = Object.values(rest.patternProperties);
      return `Readonly<Record<string, ${typeOf(value, indent)}>>`;
    }
    if (items) {
      const item = typeOf(items, indent);
      return / \| |^readonly /.test(item) && !item.startsWith("{")
        ? `readonly (${item})[]`
        : `readonly ${item}[]`;
    }
    if (properties) {
      const inner = `${indent}  `;
      const fields = Object.entries(properties).map(
        ([key, field]) =>
          `${comment(field.description, inner)}${inner}readonly ${key}${required.includes(key) ? "" : "?"}: ${typeOf(field, inner)};\n`,
      );
      return `{\n${fields.join("")}${indent}}`;
    }
    if (typeof type === "object") return type.map((name) => scalar(name)).join(" | ");
    return scalar(type);
  }

  const declared = [...schemas].map(([name, schema]) => {
    const body = written(schema, "");
    const declaration = schema.properties ? `interface ${name} ${body}` : `type ${name} = ${body};`;
    return `\n${comment(schema.description, "")}export ${declaration}\n`;
  });
  return HEAD + declared.join("");
}

const scalar = (type: string | undefined): string => (type === "integer" ? "number" : (type ?? "unknown"));

const comment = (text: string | undefined, indent: string): string =>
  text === undefined ? "" : `${indent}/** ${text} */\n`;

/** What a schema's own type is, with nothing in it that could be changed. */
export type Immutable<T> = T extends readonly (infer Element)[]
  ? readonly Immutable<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;
