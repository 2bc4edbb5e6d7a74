import { cpSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { loadAddon } from "../../src/native/addon-file.ts";
import { temporaryFolder, writeInto } from "../support/gguf.ts";

const BUILT = resolve("build/Release/lorp.node");
const code = (expected: string) => expect.objectContaining({ code: expected });

test("takes the first addon that there is", () => {
  const folder = temporaryFolder();
  const copy = join(folder, "copy.node");
  cpSync(BUILT, copy);
  expect(loadAddon([join(folder, "none.node"), copy])).toHaveProperty("release");
});

test("says how to compile the addon when there is none", () => {
  const load = () => loadAddon(["/nowhere/lorp.node", "lorp-nowhere/lorp.node"]);
  expect(load).toThrow(code("ADDON_MISSING"));
  expect(load).toThrow(/No compiled addon for \w+-\w+ .*"npx lorp-build"/);
});

test("says what the system has against an addon, and does not pass over it", () => {
  const broken = writeInto(temporaryFolder(), "lorp.node", Buffer.from("not a library"));
  expect(() => loadAddon([broken, BUILT])).toThrow(code("ADDON_UNUSABLE"));
  expect(() => loadAddon([broken, BUILT])).toThrow(/lorp\.node does not run on this system \(.*\)/);
});
