import { expect, test } from "vitest";
import { commandLine } from "../../src/cli/command-line.ts";
import { printable, printableDrawing } from "../../src/cli/printable.ts";
import { withoutSecrets } from "../../src/secrets.ts";

const ESCAPE = String.fromCharCode(27);

test("what a terminal would obey is shown, and JSON stays JSON", () => {
  expect(printable(`a${ESCAPE}]0;title\u0007\u009b2J\u202eb\tc\n`)).toBe(
    "a\\u001b]0;title\\u0007\\u009b2J\\u202eb\tc\n",
  );
  const value = { name: "\u007f\u009b\u202e" };
  expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
});

test("of a drawing the colours stay, and nothing else", () => {
  const red = `${ESCAPE}[38;5;1mred${ESCAPE}[0m`;
  expect(printableDrawing(`${red}${ESCAPE}[2J`)).toBe(`${red}\\u001b[2J`);
});

test("addresses lose what may be a key", () => {
  const address = "https://me:pw@host/m.gguf";
  expect(withoutSecrets(`Cannot "${address}?X-Amz-Signature=abc&b=1" so`)).toBe(
    'Cannot "https://host/m.gguf" so',
  );
  expect(commandLine(["prune", `${address}?key=1`, "--against=https://h/x?y"])).toBe(
    "lorp prune https://host/m.gguf --against=https://h/x",
  );
});
