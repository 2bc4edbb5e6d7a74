import { readFile } from "node:fs/promises";
import Type, { type Static, type TSchema } from "typebox";
import { writeWhole } from "../whole-file.ts";
import { type Analysis, type PartialAnalysis, PartialAnalysisSchema } from "./analysis.ts";
import { type Comparison, ComparisonSchema } from "./comparison.ts";
import { DocumentError } from "./errors.ts";
import { type Immutable, schemaVersion } from "./fields.ts";
import { type Plan, PlanSchema } from "./plan.ts";
import { type Report, ReportSchema } from "./report.ts";
import { stringifyDocument } from "./stringify.ts";
import { validate } from "./validate.ts";

export type Document = Analysis | Plan | Report | Comparison;

/** Reads an Analysis, complete or written by hand. @throws DocumentError */
export const readAnalysis = (path: string): Promise<PartialAnalysis> => readJson(PartialAnalysisSchema, path);

/** Reads a Plan. @throws DocumentError, also if its layers contradict each other */
export async function readPlan(path: string): Promise<Plan> {
  const plan = await readJson(PlanSchema, path);
  const parts = [...plan.removedLayers, ...plan.keptLayers].sort((a, b) => a - b);
  const complete = parts.length === plan.model.blockCount && parts.every((layer, index) => layer === index);
  if (!complete || !ascending(plan.removedLayers) || !ascending(plan.keptLayers)) {
    throw new DocumentError(
      "DOCUMENT_INVALID",
      `${path}: removedLayers and keptLayers must be ascending and together name each of the ${plan.model.blockCount} layers once.`,
    );
  }
  return plan;
}

/** Reads a Report. @throws DocumentError */
export const readReport = (path: string): Promise<Report> => readJson(ReportSchema, path);

/** Reads a document of any kind, told by the field that only its kind has. @throws DocumentError */
export async function readDocument(path: string): Promise<PartialAnalysis | Plan | Report | Comparison> {
  const fields = await readJson(Type.Object({ schemaVersion }), path);
  if ("candidates" in fields) return readJson(ComparisonSchema, path);
  if ("plan" in fields) return readReport(path);
  return "removals" in fields ? readPlan(path) : readAnalysis(path);
}

/**
 * Writes a document whole or not at all, replacing an older one.
 * @throws DocumentError `DOCUMENT_UNWRITABLE`
 */
export function writeDocument(path: string, document: Document): Promise<void> {
  return writeText(path, stringifyDocument(document));
}

/** Writes a text whole or not at all, replacing an older one. @throws DocumentError `DOCUMENT_UNWRITABLE` */
export async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeWhole(path, text);
  } catch (cause) {
    throw new DocumentError("DOCUMENT_UNWRITABLE", `${path} cannot be written: ${reason(cause)}.`, { cause });
  }
}

/** Reads a JSON file of the schema. @throws DocumentError */
export async function readJson<Schema extends TSchema>(
  schema: Schema,
  path: string,
): Promise<Immutable<Static<Schema>>> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new DocumentError("DOCUMENT_UNREADABLE", `${path} cannot be read: ${reason(cause)}.`, { cause });
  });
  return validate(schema, parse(text, path), path);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DocumentError("DOCUMENT_NOT_JSON", `${path} is not JSON: ${reason(cause)}.`, { cause });
  }
}

function ascending(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || value > (values[index - 1] ?? value));
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
