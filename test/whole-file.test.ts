import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeWhole } from "../src/whole-file.ts";
import { temporaryFolder } from "./support/folder.ts";

test("replaces a file and leaves nothing else", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "plan.json");
  await writeWhole(path, "old");
  await writeWhole(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readdirSync(folder)).toEqual(["plan.json"]);
});

test("removes what a killed run to the same file left, and nobody else's", async () => {
  const folder = temporaryFolder();
  const ended = spawnSync(process.execPath, ["-e", "0"]).pid;
  const others = [
    `.plan.json.lorp-${process.ppid}-0123456789ab.tmp`,
    `.other.json.lorp-${ended}-0123456789ab.tmp`,
  ];
  for (const name of [...others, `.plan.json.lorp-${ended}-0123456789ab.tmp`])
    writeFileSync(join(folder, name), "");
  await writeWhole(join(folder, "plan.json"), "{}");
  expect(readdirSync(folder).toSorted()).toEqual([...others, "plan.json"].toSorted());
});

test("a destination that is a folder stays, with nothing beside it", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "plan.json"));
  await expect(writeWhole(join(folder, "plan.json"), "{}")).rejects.toThrow(/EISDIR|EPERM/);
  expect(readdirSync(folder)).toEqual(["plan.json"]);
});
