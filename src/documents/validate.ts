import { DocumentError } from "./errors.ts";
import { findFault, type Schema } from "./schema.ts";
import { SCHEMA_VERSION } from "./schema-version.ts";

/**
 * Checks that `value` is a document of the schema; fields that the schema does not know are allowed.
 *
 * @param source what messages call the document, usually its path
 * @returns `value` itself
 * @throws DocumentError `DOCUMENT_TOO_NEW`, or `DOCUMENT_INVALID` naming the first bad field
 */
export function validate<Document>(schema: Schema, value: unknown, source: string): Document {
  const version = Object(value).schemaVersion as unknown;
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    throw new DocumentError(
      "DOCUMENT_TOO_NEW",
      `${source} has schemaVersion ${version}, but this lorp reads up to ${SCHEMA_VERSION}: upgrade lorp.`,
    );
  }
  const fault = findFault(schema, value);
  if (fault === undefined) return value as Document;
  throw new DocumentError("DOCUMENT_INVALID", `${source}: ${pathText(fault.keys)} ${fault.problem}.`);
}

/** `model.blockCount`, `similarity[3][0]`; the document itself for no keys. */
function pathText(keys: readonly string[]): string {
  const text = keys.map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`)).join("");
  return text === "" ? "the document" : text.replace(/^\./, "");
}
