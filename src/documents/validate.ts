import type { Static, TSchema } from "typebox";
import { Check, Errors } from "typebox/value";
import { DocumentError } from "./errors.ts";
import { type Immutable, SCHEMA_VERSION } from "./fields.ts";

type SchemaError = ReturnType<typeof Errors>[number];

/**
 * Checks that `value` is a document of the schema; fields that the schema does not know are allowed.
 *
 * @param source what messages call the document, usually its path
 * @returns `value` itself
 * @throws DocumentError `DOCUMENT_TOO_NEW`, or `DOCUMENT_INVALID` naming the first bad field
 */
export function validate<Schema extends TSchema>(
  schema: Schema,
  value: unknown,
  source: string,
): Immutable<Static<Schema>> {
  const version = field(value, "schemaVersion");
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    throw new DocumentError(
      "DOCUMENT_TOO_NEW",
      `${source} has schemaVersion ${version}, but this lorp reads up to ${SCHEMA_VERSION}: upgrade lorp.`,
    );
  }
  if (Check(schema, value)) return value as Immutable<Static<Schema>>;
  const error = Errors(schema, value)[0];
  throw new DocumentError("DOCUMENT_INVALID", `${source}: ${error ? explain(error, value) : "not valid"}.`);
}

function explain(error: SchemaError, value: unknown): string {
  const keys = error.instancePath.split("/").slice(1);
  if (error.keyword === "required") {
    const missing = error.params.requiredProperties[0] ?? "";
    return `${pathText([...keys, missing])} is missing`;
  }
  if (error.keyword === "boolean") return `${pathText(keys)} is not known`;
  const found = keys.reduce<unknown>(field, value);
  return `${pathText(keys)} should be ${expectation(error)}, but is ${show(found)}`;
}

function expectation(error: SchemaError): string {
  switch (error.keyword) {
    case "type":
      return [error.params.type].flat().map(typeName).join(" or ");
    case "const":
      return JSON.stringify(error.params.allowedValue);
    case "enum":
      return `one of ${error.params.allowedValues.join(", ")}`;
    case "minimum":
      return `at least ${error.params.limit}`;
    default:
      return `something that ${error.message}`;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  integer: "a whole number",
  number: "a number",
  string: "a text",
  array: "a list",
  object: "an object",
  boolean: "true or false",
};

const typeName = (type: string): string => TYPE_NAMES[type] ?? type;

/** `model.blockCount`, `similarity[3][0]`; the document itself for no keys. */
function pathText(keys: readonly string[]): string {
  const text = keys.map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`)).join("");
  return text === "" ? "the document" : text.replace(/^\./, "");
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
