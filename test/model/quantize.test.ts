import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AbortedError } from "../../src/errors.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { openModel } from "../../src/model/model.ts";
import { quantizeFile } from "../../src/model/quantize.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const options = { gpu: "off", threads: 1, allowRequantize: true } as const;

describe("quantizations at once in one process", () => {
  test("each write their file and leave llama.cpp's log as it was", async () => {
    // The fastest first: it would be done before those that began to listen later.
    const types = [
      ["Q8_0", 7],
      ["Q4_0", 2],
      ["IQ4_NL", 25],
    ] as const;
    const paths = types.map(([type]) => join(folder, `${type}.gguf`));
    await Promise.all(types.map(([type], i) => quantizeFile(EXAMPLE_MODEL, paths[i]!, type, options).result));
    for (const [i, [, number]] of types.entries()) {
      const { metadata } = await readGguf(paths[i]!);
      expect(metadata.get("general.file_type")?.decode().value).toBe(number);
    }
    // Makes llama.cpp log much, from other threads too: a listener that is gone would be called.
    await Promise.all(
      paths.map(async (path) => {
        const model = await openModel(path, { gpu: "off", threads: 1 });
        expect(model.info.layers).toBe(20);
        model.close();
      }),
    );
  });

  test("keep their failures apart", async () => {
    const failing = quantizeFile(EXAMPLE_MODEL, join(folder, "a.gguf"), "Q4_0", {
      ...options,
      allowRequantize: false,
    });
    const { result } = quantizeFile(EXAMPLE_MODEL, join(folder, "b.gguf"), "Q8_0", options);
    await expect(failing.result).rejects.toMatchObject({ code: "QUANTIZE_AGAIN" });
    await result;
  });

  test("one that waits does nothing once it is aborted", async () => {
    const order: string[] = [];
    const first = quantizeFile(EXAMPLE_MODEL, join(folder, "first.gguf"), "IQ4_NL", options);
    void first.settled.then(() => order.push("first"));
    const abort = new AbortController();
    const waiting = join(folder, "waiting.gguf");
    const second = quantizeFile(EXAMPLE_MODEL, waiting, "Q8_0", { ...options, signal: abort.signal });
    void second.settled.then(() => order.push("second"));
    setTimeout(() => abort.abort(), 50);
    await expect(second.result).rejects.toBeInstanceOf(AbortedError);
    await second.settled;
    await first.result;
    expect(order).toEqual(["second", "first"]);
    await expect(readGguf(waiting)).rejects.toThrow();
  });
});
