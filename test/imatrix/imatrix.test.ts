import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readGguf } from "../../src/gguf/read.ts";
import { checkImatrix, renameImatrix } from "../../src/imatrix/fit.ts";
import { readImatrix } from "../../src/imatrix/read.ts";
import type { ImportanceMatrix } from "../../src/imatrix/types.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";
import { temporaryFolder } from "../support/folder.ts";
import { array, buildGguf, u32 } from "../support/gguf.ts";
import { countedOf, ggufImatrix, legacyImatrix } from "../support/imatrix.ts";

const folder = temporaryFolder();
const model = await readGguf(EXAMPLE_MODEL);
const counted = countedOf(model);

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe("readImatrix", () => {
  test("reads the same means from both formats", async () => {
    const today = await readImatrix(written("today.gguf", ggufImatrix(counted)));
    const old = await readImatrix(written("old.dat", legacyImatrix(counted)));
    expect(today).toMatchObject({ datasets: ["a text"], chunks: 3 });
    expect(old).toMatchObject({ datasets: ["a text"], chunks: 3 });
    expect([...old.values.keys()]).toEqual([...today.values.keys()]);
    for (const [name, { sums, tokens }] of counted) {
      expect(today.values.get(name)).toEqual(sums.map((sum) => sum / tokens));
      for (const [i, value] of old.values.get(name)!.entries()) {
        expect(value).toBeCloseTo(sums[i]! / tokens, 5);
      }
    }
  });

  test("gives every expert its own divisor, and one that no token chose even weights", async () => {
    const f32 = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
    const metadata = {
      "imatrix.datasets": array("string", []),
      "imatrix.chunk_count": u32(1),
      "imatrix.chunk_size": u32(512),
    };
    const tensors = [
      { name: "x.weight.in_sum2", shape: [2, 3], data: f32(8, 4, 5, 6, 9, 3) },
      { name: "x.weight.counts", shape: [1, 3], data: f32(4, 0, 3) },
    ];
    const { values } = await readImatrix(written("experts.gguf", buildGguf({ metadata, tensors })));
    expect([...values.get("x.weight")!]).toEqual([2, 1, 1, 1, 3, 1]);
  });

  test("an old file may end without the text's name", async () => {
    const matrix = await readImatrix(written("older.dat", legacyImatrix(counted, "")));
    expect(matrix).toMatchObject({ datasets: [], chunks: 0 });
  });

  test("refuses what is none, or damaged, wherever it is cut off", async () => {
    const small = new Map([...counted].slice(0, 2));
    const whole = legacyImatrix(small);
    const name = "a text".length;
    const ends = [0, 3, 4, 7, 20, 30, 40, whole.length - name - 9, whole.length - name, whole.length - 1];
    for (const end of ends) {
      const path = written("cut.dat", whole.subarray(0, end));
      await expect(readImatrix(path), `the first ${end} bytes`).rejects.toMatchObject({
        code: "IMATRIX_UNREADABLE",
      });
    }
    const faults = [EXAMPLE_MODEL, join(folder, "not-there.dat"), folder];
    for (const path of faults) {
      await expect(readImatrix(path)).rejects.toMatchObject({ code: "IMATRIX_UNREADABLE" });
    }
    const nan = new Map([["x.weight", { sums: Float32Array.of(1, Number.NaN), tokens: 1 }]]);
    for (const bytes of [ggufImatrix(nan), legacyImatrix(nan)]) {
      await expect(readImatrix(written("nan", bytes))).rejects.toThrow(
        /x\.weight has values that are no numb/,
      );
    }
    // llama.cpp would write zeros.
    for (const value of [1e30, -1]) {
      const odd = new Map([["x.weight", { sums: Float32Array.of(1, value), tokens: 1 }]]);
      await expect(readImatrix(written("odd", legacyImatrix(odd)))).rejects.toThrow(
        /x\.weight says (1\.00e\+30|-1\.00), which is no mean of squares/,
      );
    }
  });
});

describe("an importance matrix and a model", () => {
  const matrix: ImportanceMatrix = {
    path: "own.dat",
    datasets: [],
    chunks: 0,
    values: new Map([...counted].map(([name, { sums }]) => [name, sums])),
  };
  const changed = (change: (values: Map<string, Float32Array>) => void) => {
    const values = new Map(matrix.values);
    change(values);
    return { ...matrix, values };
  };

  test("belong together", () => {
    expect(() => checkImatrix(matrix, model, 20)).not.toThrow();
    // An expert that was never chosen has no values; the embeddings' are not looked at.
    const fewer = changed((values) => values.delete("blk.3.ffn_up.weight"));
    expect(() => checkImatrix(fewer, model, 20)).not.toThrow();
    const embeddings = changed((values) => values.set("token_embd.weight", new Float32Array(3)));
    expect(() => checkImatrix(embeddings, model, 20)).not.toThrow();
  });

  test.each([
    ["a matrix more", changed((values) => values.set("blk.20.attn_q.weight", new Float32Array(256)))],
    ["another size", changed((values) => values.set("blk.0.attn_q.weight", new Float32Array(64)))],
    [
      "a block less",
      changed((values) => {
        for (const name of values.keys()) if (name.startsWith("blk.19.")) values.delete(name);
      }),
    ],
  ])("do not belong together: %s", (_, other) => {
    expect(() => checkImatrix(other, model, 20)).toThrow(/of another model than .*books-20l/);
  });

  test("a cut model's matrices keep their values under their new names", () => {
    const rename = (name: string) =>
      name.startsWith("blk.0.") ? null : name.replace(/^blk\.(\d+)/, (_, n) => `blk.${n - 1}`);
    const { values } = renameImatrix(matrix, rename);
    expect(values.size).toBe(19 * 7);
    expect(values.get("blk.18.ffn_up.weight")).toBe(matrix.values.get("blk.19.ffn_up.weight"));
    expect(values.has("blk.19.ffn_up.weight")).toBe(false);
  });
});
