import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { checkDestinations, type Destination } from "../../src/files/destinations.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const hasPipes = process.platform !== "win32";
const at = (name: string) => join(folder, name);

beforeAll(() => {
  for (const name of ["input", "taken"]) writeFileSync(at(name), name);
  mkdirSync(at("folder"));
  symlinkSync(folder, at("same-folder"));
  linkSync(at("input"), at("hard"));
  symlinkSync("input", at("soft"));
  symlinkSync("nothing", at("dangling"));
  symlinkSync("circle", at("circle"));
  if (hasPipes) execFileSync("mkfifo", [at("pipe")]);
});

const text = (name: string, replace = true): Destination => ({ path: at(name), holds: "text", replace });
const model = (name: string, replace = true): Destination => ({ path: at(name), holds: "model", replace });

test.each<[string, Destination[], string]>([
  ["an input", [text("input")], "OUTPUT_IS_INPUT"],
  ["an input by a hard link", [text("hard")], "OUTPUT_IS_INPUT"],
  ["an input by a symbolic link", [text("soft")], "OUTPUT_IS_INPUT"],
  ["an input by a link to its folder", [model("same-folder/input")], "OUTPUT_IS_INPUT"],
  ["an input that is not there yet", [text("later")], "OUTPUT_IS_INPUT"],
  ["one new file twice", [model("new"), text("new", false)], "OUTPUT_TWICE"],
  ["one new file by a link to its folder", [text("new"), text("same-folder/new")], "OUTPUT_TWICE"],
  ["one new file by a link to it", [text("nothing"), text("dangling")], "OUTPUT_TWICE"],
  ["one file that is there twice", [text("taken"), text("taken")], "OUTPUT_TWICE"],
  ["a file that may not be replaced", [text("taken", false)], "OUTPUT_EXISTS"],
  ["a link that may not be replaced", [model("dangling", false)], "OUTPUT_EXISTS"],
  ["a folder", [text("folder")], "OUTPUT_IS_FOLDER"],
  ["a folder that is not there", [text("none/new")], "OUTPUT_FOLDER_MISSING"],
  ["a file instead of a folder", [text("taken/new")], "OUTPUT_FOLDER_MISSING"],
  ["links in a circle", [text("circle")], "OUTPUT_NOT_WRITABLE"],
])("refuses %s", async (_, destinations, code) => {
  const inputs = [at("input"), at("later")];
  await expect(checkDestinations(destinations, inputs)).rejects.toMatchObject({ code });
});

test.runIf(hasPipes)("refuses a pipe for a model", () =>
  expect(checkDestinations([model("pipe")], [])).rejects.toMatchObject({ code: "OUTPUT_NO_FILE" }),
);

describe("accepts", () => {
  test("new files, files that may be replaced, and links to either", () =>
    checkDestinations([text("new", false), model("taken"), model("dangling")], [at("input")]));

  test.runIf(hasPipes)("a pipe for texts, also one that is read from", () =>
    checkDestinations([text("pipe", false), text("pipe")], [at("pipe")]),
  );

  test("paths relative to the current folder", async () => {
    const path = relative(process.cwd(), at("input"));
    const destination: Destination = { path, holds: "text", replace: true };
    await checkDestinations([destination], []);
    await expect(checkDestinations([destination], [at("input")])).rejects.toMatchObject({
      code: "OUTPUT_IS_INPUT",
    });
  });
});
