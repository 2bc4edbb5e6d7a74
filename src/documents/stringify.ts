/**
 * JSON that people can read and diff: two spaces of indentation, but a list of plain values on one line, so that a
 * matrix has one line a row. Numbers are exact (the shortest text that reads back as the same double).
 */
export function stringifyDocument(document: object): string {
  return `${stringify(document, "")}\n`;
}

function stringify(value: unknown, indent: string): string {
  if (typeof value === "number" && !Number.isFinite(value)) {
    // JSON would say null, which no reader of the document takes.
    throw new Error(`a document cannot hold ${value}`);
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => stringify(item, inner));
    return value.some((item) => typeof item === "object" && item !== null)
      ? enclose("[]", items, indent)
      : `[${items.join(", ")}]`;
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key)}: ${stringify(member, inner)}`);
  return enclose("{}", members, indent);
}

function enclose(brackets: string, items: readonly string[], indent: string): string {
  if (items.length === 0) return brackets;
  return `${brackets[0]}\n${items.map((item) => `${indent}  ${item}`).join(",\n")}\n${indent}${brackets[1]}`;
}
