import { asChoices, type Malformed, readLines, type TaskItem, type TaskReader } from "./task.ts";

/**
 * llama.cpp's Winogrande CSV: index, sentence with a `_`, two fillings, the right one (1 or 2). What is weighed is the
 * rest of the sentence after each filling ("partial evaluation", arXiv 1907.10641).
 */
export const readWinogrande: TaskReader = (content) => asChoices(readLines(content, readItem));

function readItem(text: string, line: number): TaskItem | Malformed {
  const fields = splitFields(text);
  if (fields.length !== 5) {
    return { line, reason: "it does not have the five fields index, sentence, filling 1, filling 2, answer" };
  }
  const [, sentence, first, second, answer] = fields as [string, string, string, string, string];
  const blank = sentence.indexOf("_");
  if (blank < 0) return { line, reason: "its sentence has no _" };
  const before = sentence.slice(0, blank);
  const continuation = sentence.slice(blank + 1);
  if (continuation.trim() === "") return { line, reason: "its sentence ends with the _" };
  if (!/^\s*[12]\s*$/.test(answer)) return { line, reason: "its answer is neither 1 nor 2" };
  return {
    line,
    choices: [first, second].map((filling) => ({ context: before + filling, continuation })),
    answer: Number(answer) - 1,
  };
}

/** Fields of a line of CSV; a field in double quotes may hold commas, and a doubled quote in it stands for one. */
function splitFields(text: string): string[] {
  return [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
}
