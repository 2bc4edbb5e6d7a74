import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const files = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join("src", name));

/** The files that a file names in static, dynamic and type imports. */
const importsOf = new Map(
  files.map((file) => [
    file,
    [...readFileSync(file, "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+\.ts)"/g)].map(
      ([, path = ""]) => join(dirname(file), path),
    ),
  ]),
);

/** Rooms as the table names them, from top to bottom. */
const rooms = [...readFileSync("ARCHITECTURE.md", "utf8").matchAll(/^\| `(src\/[^`]+)` \|/gm)].map(
  ([, name = ""]) => name,
);

const roomOf = (file: string) =>
  rooms.findIndex((room) => file === room || (room.endsWith("/") && file.startsWith(room)));

test("every file of src is in a room of ARCHITECTURE.md, and every room has one", () => {
  expect(files.length).toBeGreaterThan(200);
  expect(files.filter((file) => roomOf(file) < 0)).toEqual([]);
  const inhabited = new Set(files.map(roomOf));
  expect(rooms.filter((_, room) => !inhabited.has(room))).toEqual([]);
});

test("no import goes up", () => {
  const arrows = files.flatMap((file) =>
    (importsOf.get(file) ?? []).map((target) => [file, target] as const),
  );
  expect(arrows.length).toBeGreaterThan(1000);
  const upwards = arrows.filter(([file, target]) => roomOf(target) < roomOf(file));
  expect(upwards.map((arrow) => arrow.join(" → "))).toEqual([]);
});

test("no files import each other in a circle", () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    else if (!done.has(file)) {
      for (const target of importsOf.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    }
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});

test.each(["gguf", "architecture", "selection"])("%s runs without the addon", (room) => {
  const reached = new Set(files.filter((file) => file.startsWith(`src/${room}/`)));
  expect(reached.size).toBeGreaterThan(5);
  for (const file of reached) for (const target of importsOf.get(file) ?? []) reached.add(target);
  expect([...reached].filter((file) => /^src\/(native|process|model)\//.test(file))).toEqual([]);
});
