import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { OWNER } from "../../src/files/owner.ts";
import { writeWhole } from "../../src/files/whole.ts";
import { temporaryFolder } from "../support/folder.ts";

const [PLACE] = OWNER.split("-");

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
    `.plan.json.lorp-${PLACE}-${process.ppid}-0123456789ab.tmp`,
    `.other.json.lorp-${PLACE}-${ended}-0123456789ab.tmp`,
  ];
  for (const name of [...others, `.plan.json.lorp-${PLACE}-${ended}-0123456789ab.tmp`])
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

test.each(["there.json", "new.json"])(
  "a symbolic link stays, and %s that it names is written",
  async (name) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "kept"));
    writeFileSync(join(folder, "kept", "there.json"), "old");
    symlinkSync(join("kept", name), join(folder, "plan.json"));
    await writeWhole(join(folder, "plan.json"), "{}");
    expect(readlinkSync(join(folder, "plan.json"))).toBe(join("kept", name));
    expect(readFileSync(join(folder, "kept", name), "utf8")).toBe("{}");
    expect(readdirSync(folder)).toEqual(["kept", "plan.json"]);
    expect(readdirSync(join(folder, "kept"))).toEqual([...new Set([name, "there.json"])].sort());
  },
);

test.skipIf(process.platform === "win32")("a pipe stays, and what is written is read from it", async () => {
  const folder = temporaryFolder();
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const [content] = await Promise.all([readFile(pipe, "utf8"), writeWhole(pipe, "{}")]);
  expect(content).toBe("{}");
  expect(lstatSync(pipe).isFIFO()).toBe(true);
  expect(readdirSync(folder)).toEqual(["pipe"]);
});

test.skipIf(process.platform === "win32")("who may read a file stays as it was", async () => {
  const path = join(temporaryFolder(), "plan.json");
  writeFileSync(path, "old");
  chmodSync(path, 0o640);
  await writeWhole(path, "new");
  expect(statSync(path).mode & 0o777).toBe(0o640);
});
