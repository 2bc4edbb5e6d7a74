import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AbortedError } from "../../src/errors.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { quantizeFile } from "../../src/model/quantize.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
const options = { gpu: "off", threads: 1, allowRequantize: true } as const;

describe("quantizations at once", () => {
  test("each write their file, and keep their failures apart", async () => {
    const types = [
      ["Q8_0", 7],
      ["Q4_0", 2],
    ] as const;
    const paths = types.map(([type]) => join(folder, `${type}.gguf`));
    const failing = quantizeFile(EXAMPLE_MODEL, join(folder, "a.gguf"), "Q4_0", {
      ...options,
      allowRequantize: false,
    });
    await expect(failing).rejects.toMatchObject({ code: "QUANTIZE_AGAIN" });
    await Promise.all(types.map(([type], i) => quantizeFile(EXAMPLE_MODEL, paths[i]!, type, options)));
    for (const [i, [, number]] of types.entries()) {
      const { metadata } = await readGguf(paths[i]!);
      expect(metadata.get("general.file_type")?.decode().value).toBe(number);
    }
  });

  test("one is stopped in the middle of its work", async () => {
    const abort = new AbortController();
    const output = join(folder, "stopped.gguf");
    const stopped = quantizeFile(EXAMPLE_MODEL, output, "IQ4_NL", {
      ...options,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(stopped).rejects.toBeInstanceOf(AbortedError);
    await expect(readGguf(output)).rejects.toThrow();
  });
});
