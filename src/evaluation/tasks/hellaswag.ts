import { joinedBySpace, linesOf, type TaskItem, type TaskReader } from "./task.ts";

const ENDINGS = 4;
const LINES = 2 + ENDINGS;

/** llama.cpp's HellaSwag text: six lines an item, the context, the index of the right ending, four endings. */
export const readHellaSwag: TaskReader = (content) => {
  const lines = linesOf(content);
  const items: TaskItem[] = [];
  for (let start = 0; start < lines.length; start += LINES) {
    const [context, label, ...endings] = lines.slice(start, start + LINES) as [string, string?, ...string[]];
    const blank = [context, label ?? "", ...endings].findIndex((line) => line.trim() === "");
    if (blank >= 0) return { line: start + blank + 1, reason: "it is blank" };
    if (endings.length < ENDINGS) {
      return { line: lines.length, reason: `its item has fewer than ${LINES} lines` };
    }
    const answer = Number(label);
    if (!(/^\s*\d+\s*$/.test(label!) && answer < ENDINGS)) {
      return { line: start + 2, reason: `it is not the index of an ending, 0 to ${ENDINGS - 1}` };
    }
    items.push({ line: start + 1, choices: endings.map((ending) => joinedBySpace(context, ending)), answer });
  }
  return { kind: "choices", items };
};
