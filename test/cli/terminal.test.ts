import { afterEach, expect, test } from "vitest";
import { openTerminal } from "../../src/cli/terminal.ts";

const { isTTY, columns } = process.stdout;
afterEach(() => void Object.assign(process.stdout, { isTTY, columns }));

test.each([
  [0, 80],
  [undefined, 80],
  [60, 60],
  [200, 80],
])("a terminal that says it has %s columns is drawn for %i", (said, drawn) => {
  Object.assign(process.stdout, { isTTY: true, columns: said });
  expect(openTerminal({ color: false }).style?.width).toBe(drawn);
});
