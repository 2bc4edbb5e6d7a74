import Type from "typebox";
import { SCHEMA_VERSION } from "./schema-version.ts";

export const schemaVersion = Type.Literal(SCHEMA_VERSION, {
  description: "Version of this document's form.",
});

export const lorpVersion = Type.String({ description: "Version of lorp that made the document." });

export const seed = Type.Integer({ minimum: 0, description: "Seed of every random draw." });

export const count = (description: string) => Type.Integer({ minimum: 0, description });

/** Far above what llama.cpp runs (512): what is made for each layer of a document stays small. */
const MOST_BLOCKS = 4096;

/** Numbers of layers, and what cannot be more. */
export const blocks = (description: string, minimum = 1) =>
  Type.Integer({ minimum, maximum: MOST_BLOCKS, description });

/** Of 1. */
export const share = (description?: string) =>
  Type.Number({ minimum: 0, maximum: 1, ...(description !== undefined && { description }) });

export const layer = (description: string) => Type.Integer({ minimum: 0, description });

export const numberOrNull = (description: string) =>
  Type.Unsafe<number | null>({ type: ["number", "null"], description });

export const rls = numberOrNull(
  "Representation locality score: -log2 of the mean similarity above the diagonal; null if that mean is not positive.",
);

export const k = blocks("Number of clusters.");
