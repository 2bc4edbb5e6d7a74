import { readFile } from "node:fs/promises";
import { decodeText, NoText } from "../decode-text.ts";
import { systemReason } from "../errors.ts";
import { writeWhole } from "../files/whole.ts";
import type { Analysis, PartialAnalysis } from "./analysis.ts";
import type { Comparison } from "./comparison.ts";
import { DocumentError } from "./errors.ts";
import type { Plan } from "./plan.ts";
import type { Report } from "./report.ts";
import type { Schema } from "./schema.ts";
import { stringifyDocument } from "./stringify.ts";
import { validate } from "./validate.ts";

export type Document = Analysis | Plan | Report | Comparison;

/** What is read, by the names of the files in schemas/. */
interface Readable {
  readonly analysis: PartialAnalysis;
  readonly plan: Plan;
  readonly report: Report;
  readonly comparison: Comparison;
}

/** Reads an Analysis, complete or written by hand. @throws DocumentError */
export const readAnalysis = (path: string): Promise<PartialAnalysis> => readAs("analysis", path);

/** Reads a Plan. @throws DocumentError, also if its layers contradict each other */
export const readPlan = (path: string): Promise<Plan> => readAs("plan", path);

/** Reads a Report. @throws DocumentError */
export const readReport = (path: string): Promise<Report> => readAs("report", path);

/** Reads a document of any kind, told by the field that only its kind has. @throws DocumentError */
export async function readDocument(path: string): Promise<Readable[keyof Readable]> {
  const value = await readJson(path);
  return checkDocument(kindOf(Object(value) as object), value, path);
}

function kindOf(fields: object): keyof Readable {
  if ("candidates" in fields) return "comparison";
  if ("plan" in fields) return "report";
  return "removals" in fields ? "plan" : "analysis";
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

async function readAs<Kind extends keyof Readable>(kind: Kind, path: string): Promise<Readable[Kind]> {
  return checkDocument(kind, await readJson(path), path);
}

/** @param source what messages call the document @returns `value` itself @throws DocumentError */
export async function checkDocument<Kind extends keyof Readable>(
  kind: Kind,
  value: unknown,
  source: string,
): Promise<Readable[Kind]> {
  const document = validate<Readable[Kind]>(await publishedSchema(kind), value, source);
  if (kind === "plan") checkLayers(document as Plan, source);
  if (kind === "report") checkLayers((document as Report).plan, `${source}, its plan`);
  if (kind === "comparison") checkMeasures(document as Comparison, source);
  return document;
}

/** @throws DocumentError unless each candidate was measured on each text */
function checkMeasures({ candidates, texts }: Comparison, source: string): void {
  const odd = candidates.findIndex(({ measures }) => measures.length !== texts.length);
  if (odd < 0) return;
  const { length } = candidates[odd]!.measures;
  throw new DocumentError(
    "DOCUMENT_INVALID",
    `${source}: candidates[${odd}].measures should be a list of ${texts.length}, one for each text, but is one of ${length}.`,
  );
}

/** @throws DocumentError unless a Plan's layers are all of the model's, each once */
export function checkLayers({ removedLayers, keptLayers, model }: Plan, source: string): void {
  const parts = [...removedLayers, ...keptLayers].sort((a, b) => a - b);
  const complete = parts.length === model.blockCount && parts.every((layer, index) => layer === index);
  if (complete && ascending(removedLayers) && ascending(keptLayers)) return;
  throw new DocumentError(
    "DOCUMENT_INVALID",
    `${source}: removedLayers and keptLayers must be ascending and together name each of the ${model.blockCount} layers once.`,
  );
}

/**
 * The schema as the package publishes it, made from the types of src/documents: to make it anew in each run would take
 * longer than all else that reading a document does.
 */
async function publishedSchema(kind: keyof Readable): Promise<Schema> {
  const file = new URL(`../../schemas/${kind}.schema.json`, import.meta.url);
  return JSON.parse(await readFile(file, "utf8")) as Schema;
}

/** Reads a JSON file. @throws DocumentError */
export async function readJson(path: string): Promise<unknown> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new DocumentError(
      "DOCUMENT_UNREADABLE",
      `${path} cannot be read: ${systemReason(cause) ?? reason(cause)}.`,
      { cause },
    );
  });
  const value = parse(bytes, path);
  if (isDeeperThan(value, MOST_NESTING)) {
    throw new DocumentError("DOCUMENT_INVALID", `${path} is nested more than ${MOST_NESTING} deep.`);
  }
  return value;
}

/** No document of lorp's comes near. */
const MOST_NESTING = 100;

/** Goes down level by level, where a function that calls itself would run out of stack. */
function isDeeperThan(value: unknown, most: number): boolean {
  let level = [value];
  for (let depth = 0; depth <= most && level.length > 0; depth++) {
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
  return level.length > 0;
}

function parse(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(decodeText(bytes));
  } catch (cause) {
    if (cause instanceof NoText) {
      throw new DocumentError("DOCUMENT_NOT_JSON", `${path} ${cause.message}; convert it to UTF-8 first.`);
    }
    throw new DocumentError("DOCUMENT_NOT_JSON", `${path} is not JSON: ${reason(cause)}.`, { cause });
  }
}

function ascending(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || value > (values[index - 1] ?? value));
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
