import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { decodeText, NoText } from "../../decode-text.ts";
import { EvaluationError } from "../errors.ts";
import { readHellaSwag } from "./hellaswag.ts";
import { readJsonLines } from "./jsonl.ts";
import type { TaskItems, TaskReader } from "./task.ts";
import { readWinogrande } from "./winogrande.ts";

/** A task: questions of multiple choice, or prompts whose continuation is judged by a pattern. */
export type Task = TaskItems & {
  /** File name without the folder. */
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
};

/** The formats, by the end of the file's name. */
const READERS: Readonly<Record<string, TaskReader>> = {
  ".jsonl": readJsonLines,
  ".txt": readHellaSwag,
  ".csv": readWinogrande,
};

/**
 * Reads a task: JSON lines (`.jsonl`), llama.cpp's HellaSwag text (`.txt`) or its Winogrande table (`.csv`).
 * @throws EvaluationError, for a malformed line with its number
 */
export async function loadTask(path: string): Promise<Task> {
  const read = READERS[extname(path).toLowerCase()];
  if (!read) {
    throw new EvaluationError(
      "EVALUATION_TASK_FORMAT",
      `The task ${path} has none of the known endings: use .jsonl, .txt (HellaSwag) or .csv (Winogrande).`,
    );
  }
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new EvaluationError(
      "EVALUATION_TASK_UNREADABLE",
      `Cannot read the task ${path} (${cause.code}); check the path and its permissions.`,
      { cause },
    );
  });
  const found = read(decode(bytes, path));
  if ("reason" in found) {
    throw new EvaluationError(
      "EVALUATION_TASK_LINE",
      `Line ${found.line} of the task ${path} cannot be used (${found.reason}); correct or remove it.`,
    );
  }
  if (found.items.length === 0) {
    throw new EvaluationError("EVALUATION_TASK_LINE", `The task ${path} has no items; give at least one.`);
  }
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { name: basename(path), path, sha256, ...found };
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return decodeText(bytes);
  } catch (cause) {
    if (!(cause instanceof NoText)) throw cause;
    throw new EvaluationError(
      "EVALUATION_TASK_ENCODING",
      `The task ${path} ${cause.message}; convert it to UTF-8 first.`,
      { cause },
    );
  }
}
