import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadCalibration } from "../../src/calibration/load.ts";
import { decodeText } from "../../src/decode-text.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lorp-calibration-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("plain text", () => {
  test("is taken as it is, named and hashed", async () => {
    const content = "Ein Satz.\r\n\n 二つ目の文。 \n";
    const { name, text, sha256 } = await loadCalibration(await written("two.txt", content));
    expect(name).toBe("two.txt");
    expect(text).toBe(content);
    expect(sha256).toBe(createHash("sha256").update(content).digest("hex"));
  });

  test("loses a byte order mark, which is not text", async () => {
    expect((await loadCalibration(await written("bom.txt", "\ufeffHello"))).text).toBe("Hello");
  });

  test("without a path is the package's own", async () => {
    const { name, text } = await loadCalibration();
    expect(name).toBe("default");
    expect(text).toBe(await readFile("calibration/default.txt", "utf8"));
    expect(text.length).toBeGreaterThan(35_000);
  });
});

describe("JSON lines", () => {
  test("are joined by blank lines, other fields and empty lines ignored", async () => {
    const lines = '{"text":"one","id":1}\r\n\n{"id":2,"text":"two\\nlines"}\n';
    expect((await loadCalibration(await written("docs.JSONL", lines))).text).toBe("one\n\ntwo\nlines");
  });

  test.each([
    ["not JSON", '{"text":"one"}\n{"text":', 2],
    ["no text field", '{"text":"one"}\n\n{"content":"two"}', 3],
    ["text that is no string", '{"text":["one"]}', 1],
    ["null", "null", 1],
  ])("%s is refused by line number", async (_, content, line) => {
    await expect(loadCalibration(await written("bad.jsonl", content))).rejects.toMatchObject({
      code: "CALIBRATION_LINE",
      message: expect.stringContaining(`Line ${line} of `),
    });
  });
});

describe("a file that cannot be used", () => {
  test.each([
    ["missing", () => join(folder, "nowhere.txt"), "CALIBRATION_UNREADABLE", "ENOENT"],
    ["a folder", () => folder, "CALIBRATION_UNREADABLE", "EISDIR"],
    ["empty", () => written("empty.txt", ""), "CALIBRATION_EMPTY", "has no text"],
    ["blank", () => written("blank.txt", " \n\t\n"), "CALIBRATION_EMPTY", "has no text"],
    ["no documents", () => written("none.jsonl", "\n"), "CALIBRATION_EMPTY", "has no text"],
    [
      "Latin-1",
      () => written("latin1.txt", Buffer.from("ok\nok\ncaf\xe9\n", "latin1")),
      "CALIBRATION_ENCODING",
      "line 3",
    ],
    [
      "cut off",
      () => written("cut.txt", Buffer.from([0x61, 0x0a, 0xe2, 0x82])),
      "CALIBRATION_ENCODING",
      "line 2",
    ],
  ])("%s", async (_, path, code, part) => {
    await expect(loadCalibration(await path())).rejects.toMatchObject({
      code,
      message: expect.stringContaining(part),
    });
  });
});

test("says what is no UTF-8", () => {
  expect(() => decodeText(Buffer.from("ok\ncaf\xe9", "latin1"))).toThrow(
    "is not valid UTF-8 (line 2), perhaps Latin-1",
  );
  expect(() => decodeText(Buffer.from("\ufeffé", "utf16le"))).toThrow("is UTF-16 text");
  expect(decodeText(Buffer.from("\ufeffé"))).toBe("é");
});
