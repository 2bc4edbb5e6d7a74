import { describe, expect, test } from "vitest";
import { describeArchitecture, planRewrite } from "../../src/architecture/architecture.ts";
import { ArchitectureError } from "../../src/architecture/errors.ts";
import { ARCHITECTURES } from "../../src/architecture/table.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufFile, GgufValue } from "../../src/gguf/types.ts";
import { architectureOf, FIXTURE_NAMES, fixtureMetadata } from "../support/architectures.ts";
import { array, bool, buildGguf, f32, str, u32 } from "../support/gguf.ts";
import { memoryFiles } from "../support/memory-files.ts";
import { keptBlocks } from "../support/oracle.ts";

const readBytes = (bytes: Uint8Array) => readGguf("m.gguf", { open: memoryFiles({ "m.gguf": bytes }) });

/** A model that has metadata and one tensor, enough for the rules. */
function model(
  name: string,
  metadata: Record<string, GgufValue>,
  tensor = "token_embd.weight",
): Promise<GgufFile> {
  const own = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`${name}.${key}`, value]));
  return readBytes(
    buildGguf({
      metadata: { "general.architecture": str(name), ...own },
      tensors: [{ name: tensor, shape: [1] }],
    }),
  );
}

const flags = (text: string) =>
  array(
    "bool",
    [...text].map((digit) => digit === "1"),
  );

describe("every fixture", () => {
  test("is of an architecture in the table", () => {
    for (const fixture of FIXTURE_NAMES) expect(ARCHITECTURES.has(architectureOf(fixture))).toBe(true);
  });

  test.for(FIXTURE_NAMES)(
    "%s: a removal that breaks a rule is refused with the rule's name",
    async (fixture) => {
      const file = await readBytes(
        buildGguf({
          metadata: fixtureMetadata(fixture),
          tensors: [{ name: "token_embd.weight", shape: [1] }],
        }),
      );
      const description = describeOrUndefined(file);
      if (!description) return;
      const { fixed, positional } = description.constraints;
      for (const { layer, rule } of fixed) {
        expect(() => planRewrite(file, keptBlocks(description, [layer]))).toThrow(rule);
      }
      for (const { rule, kinds } of positional) {
        const free = kinds
          .map((_, layer) => layer)
          .filter((layer) => !fixed.some((held) => held.layer === layer));
        const breaking = free.find((layer) => {
          const kept = kinds.filter((_, other) => other !== layer);
          return kept.some((kind, position) => kind !== kinds[position]);
        });
        expect(breaking).toBeDefined();
        expect(() => planRewrite(file, keptBlocks(description, [breaking!]))).toThrow(
          positional.length === 1 ? rule : ArchitectureError,
        );
      }
    },
  );
});

function describeOrUndefined(file: GgufFile) {
  try {
    return describeArchitecture(file);
  } catch (error) {
    expect(error).toBeInstanceOf(ArchitectureError);
    return undefined;
  }
}

describe("what is written", () => {
  const set = async (name: string, metadata: Record<string, GgufValue>, kept: readonly number[]) =>
    Object.fromEntries(planRewrite(await model(name, metadata), kept).set);

  test("the block count, in its own type", async () => {
    const count: GgufValue = { type: "uint64", value: 4n };
    expect(await set("llama", { block_count: count }, [0, 3])).toEqual({
      "llama.block_count": { type: "uint64", value: 2n },
    });
  });

  test("arrays with an entry a block are cut in their own type, others that are as long stay", async () => {
    const metadata = {
      block_count: u32(4),
      feed_forward_length: array("int32", [1, 2, 3, 4]),
      "attention.head_count": u32(4),
      "rope.dimension_sections": array("uint32", [1, 2, 3, 4]),
    };
    expect(await set("llama", metadata, [0, 2, 3])).toEqual({
      "llama.block_count": u32(3),
      "llama.feed_forward_length": array("int32", [1, 3, 4]),
    });
  });

  test("xIELU's parameters, which have no architecture in their keys", async () => {
    const file = await readBytes(
      buildGguf({
        metadata: {
          "general.architecture": str("apertus"),
          "apertus.block_count": u32(3),
          "xielu.beta": array("float32", [0.25, 0.5, 0.75]),
          "xielu.eps": f32(0.5),
        },
        tensors: [{ name: "token_embd.weight", shape: [1] }],
      }),
    );
    expect(Object.fromEntries(planRewrite(file, [0, 2]).set)).toEqual({
      "apertus.block_count": u32(2),
      "xielu.beta": array("float32", [0.25, 0.75]),
    });
  });

  test.for([
    ["gemma2", {}, "10101", [0, 1, 3, 4], "1001"],
    ["gemma3", { "attention.sliding_window": u32(512) }, "1111101", [0, 4, 5, 6], "1101"],
    [
      "gemma3",
      { "attention.sliding_window": u32(8), "attention.sliding_window_pattern": u32(3) },
      "110110",
      [0, 2, 3, 5],
      "1010",
    ],
    ["cohere2", {}, "11101110", [0, 3, 4, 5, 7], "10110"],
    ["cohere2moe", {}, "01110111", [0, 1, 4, 7], "0101"],
  ] as const)("%s: the sliding windows as an array (%#)", async ([name, given, all, kept, expected]) => {
    const metadata = { block_count: u32(all.length), ...given };
    const written = await set(name, metadata, [...kept]);
    expect(written[`${name}.attention.sliding_window_pattern`]).toEqual(flags(expected));
    const whole = await set(
      name,
      metadata,
      [...all].map((_, block) => block),
    );
    expect(whole[`${name}.attention.sliding_window_pattern`]).toEqual(flags(all));
  });

  test("no sliding windows where the model has none", async () => {
    expect(await set("gemma3", { block_count: u32(8) }, [0, 1])).toEqual({ "gemma3.block_count": u32(2) });
  });

  test("the kinds of blocks in a hybrid model, prediction blocks being none of them", async () => {
    const metadata = { block_count: u32(9), nextn_predict_layers: u32(1), full_attention_interval: u32(4) };
    const written = await set("qwen35moe", metadata, [0, 3, 4, 6, 7, 8]);
    expect(written["qwen35moe.attention.recurrent_layers"]).toEqual(flags("101100"));
  });

  test("counts of leading blocks", async () => {
    const metadata = { block_count: u32(6), leading_dense_block_count: u32(3) };
    const written = await set("deepseek", metadata, [0, 2, 4, 5]);
    expect(written["deepseek.leading_dense_block_count"]).toEqual(u32(2));
    const odd = { block_count: u32(6), leading_dense_block_count: bool(true) };
    expect(await set("deepseek", odd, [0, 2])).toMatchObject({
      "deepseek.leading_dense_block_count": bool(true),
    });
    expect(await set("deepseek", odd, [2, 4])).toMatchObject({
      "deepseek.leading_dense_block_count": bool(false),
    });
  });

  test("values that llama.cpp would compute from the number of blocks", async () => {
    const scale = (await set("minicpm", { block_count: u32(40) }, [0, 1]))["minicpm.residual_scale"];
    expect(scale?.value).toBeCloseTo(1.4 / Math.sqrt(40), 6);
    const given = await set("minicpm", { block_count: u32(40), residual_scale: f32(0.5) }, [0, 1]);
    expect(given["minicpm.residual_scale"]).toBeUndefined();
    const lite = await set("deepseek2", { block_count: u32(27) }, [0, 1, 2]);
    expect(lite["deepseek2.attention.q_lora_rank"]).toEqual(u32(0));
  });

  test("the index of the block with n-gram embeddings", async () => {
    const metadata = {
      block_count: u32(8),
      "ple.layers": array("uint32", [4]),
      "attention.recurrent_layers": flags("11101110"),
    };
    const written = await set("qwen4exp", metadata, [0, 2, 3, 4, 7]);
    expect(written["qwen4exp.ple.layers"]).toEqual(array("uint32", [3]));
  });

  test("block tensors are renumbered, others are not touched", async () => {
    const { renameTensor } = planRewrite(await model("llama", { block_count: u32(12) }), [0, 2, 11]);
    expect(renameTensor("blk.2.attn_q.weight")).toBe("blk.1.attn_q.weight");
    expect(renameTensor("blk.11.ffn_up.weight")).toBe("blk.2.ffn_up.weight");
    expect(renameTensor("blk.1.attn_q.weight")).toBeNull();
    expect(renameTensor("token_embd.weight")).toBe("token_embd.weight");
    expect(renameTensor("xblk.1.weight")).toBe("xblk.1.weight");
  });
});

describe("what is refused", () => {
  const refusal = (name: string, metadata: Record<string, GgufValue> = {}) =>
    model(name, { block_count: u32(8), ...metadata }).then(describeArchitecture);

  test.for([
    ["an unknown architecture", "gpt-9", {}, /gpt-9.*no rules/],
    ["an encoder", "bert", {}, /bert.*does not show what its layers put out/],
    ["a stack of two", "t5", {}, /two stacks/],
    ["a draft head", "eagle3", {}, /draft head/],
    ["a projector", "clip", {}, /projector/],
    ["what follows from the number of layers", "minimax-01", {}, /number of layers/],
  ] as const)("%s", async ([, name, metadata, message]) => {
    await expect(refusal(name, metadata)).rejects.toThrow(message);
    await expect(refusal(name, metadata)).rejects.toBeInstanceOf(ArchitectureError);
  });

  test("files that hold something else", async () => {
    const adapter = readBytes(
      buildGguf({
        metadata: {
          "general.architecture": str("llama"),
          "general.type": str("adapter"),
          "llama.block_count": u32(8),
        },
        tensors: [{ name: "blk.0.attn_q.weight.lora_a", shape: [1] }],
      }),
    );
    await expect(adapter.then(describeArchitecture)).rejects.toThrow(/"adapter"/);
    const vocabulary = readBytes(
      buildGguf({ metadata: { "general.architecture": str("llama"), "llama.block_count": u32(8) } }),
    );
    await expect(vocabulary.then(describeArchitecture)).rejects.toThrow(/no tensors/);
    const nameless = readBytes(
      buildGguf({ metadata: { a: bool(true) }, tensors: [{ name: "x", shape: [1] }] }),
    );
    await expect(nameless.then(describeArchitecture)).rejects.toThrow(/general.architecture/);
    await expect(model("llama", {}).then(describeArchitecture)).rejects.toThrow(/0 layers/);
  });
});

describe("tensors that hold something of every block", () => {
  const perLayer = (type: string, width: number) =>
    readBytes(
      buildGguf({
        metadata: {
          "general.architecture": str("gemma4"),
          "gemma4.block_count": u32(4),
          "gemma4.attention.sliding_window_pattern": flags("1010"),
        },
        tensors: [
          { name: "per_layer_token_embd.weight", shape: [4 * width, 3], type },
          { name: "per_layer_model_proj.weight", shape: [8, 4 * width] },
        ],
      }),
    );

  test("are cut to the kept blocks' parts", async () => {
    const { slices } = planRewrite(await perLayer("Q8_0", 32), [0, 3]);
    expect(Object.fromEntries(slices ?? [])).toEqual({
      "per_layer_token_embd.weight": { axis: 0, of: 4, kept: [0, 3] },
      "per_layer_model_proj.weight": { axis: 1, of: 4, kept: [0, 3] },
    });
  });

  test("are refused when a part would begin within a quantised block", async () => {
    const file = await perLayer("Q8_0", 8);
    expect(() => describeArchitecture(file)).toThrow(/cannot be divided among 4 layers/);
  });
});

describe("prediction blocks", () => {
  test("are not measured, and end up last", async () => {
    const file = await model("glm4moe", { block_count: u32(6), nextn_predict_layers: u32(1) });
    expect(describeArchitecture(file).analysedBlocks).toBe(5);
    const { set, renameTensor } = planRewrite(file, [0, 4, 5]);
    expect(renameTensor("blk.5.nextn.eh_proj.weight")).toBe("blk.2.nextn.eh_proj.weight");
    expect(set.has("glm4moe.nextn_predict_layers")).toBe(false);
  });

  test("go all together or not at all", async () => {
    const file = await model("glm4moe", { block_count: u32(6), nextn_predict_layers: u32(2) });
    const { set, renameTensor } = planRewrite(file, [0, 3]);
    expect(renameTensor("blk.5.nextn.eh_proj.weight")).toBeNull();
    expect(set.get("glm4moe.nextn_predict_layers")).toEqual(u32(0));
    expect(() => planRewrite(file, [0, 3, 5])).toThrow(/multi-token-prediction/);
    expect(() => planRewrite(file, [0, 3, 4])).toThrow(/multi-token-prediction/);
  });
});

describe("what follows from the number of blocks is made up for", () => {
  /** A model of `blocks` blocks that each have these tensors. */
  const deep = (name: string, metadata: Record<string, GgufValue>, blocks: number, tensors: string[]) =>
    readBytes(
      buildGguf({
        metadata: {
          "general.architecture": str(name),
          [`${name}.block_count`]: u32(blocks),
          ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [`${name}.${key}`, value])),
        },
        tensors: Array.from({ length: blocks }, (_, block) =>
          tensors.map((tensor) => ({ name: `blk.${block}.${tensor}`, shape: [1] })),
        ).flat(),
      }),
    );
  const first = (count: number) => Array.from({ length: count }, (_, index) => index);
  const gemma = (embedding: number, heads: number) => ({
    embedding_length: u32(embedding),
    "attention.head_count": u32(heads),
    "attention.key_length": u32(128),
  });

  test("Gemma 2 27B's attention scale, in its queries", async () => {
    const file = await deep("gemma2", gemma(4608, 32), 46, ["attn_q.weight", "attn_k.weight"]);
    const { scales } = planRewrite(file, first(40));
    expect(scales?.size).toBe(40);
    // 1/√(4608/32) with 46 blocks, 1/√128 with fewer.
    expect(scales?.get("blk.39.attn_q.weight")).toBeCloseTo(Math.sqrt(128 / 144), 12);
    expect(planRewrite(file, first(46)).scales?.size).toBe(0);
  });

  test("Gemma 3 27B's, in the norms of its queries", async () => {
    const file = await deep("gemma3", gemma(5376, 32), 62, ["attn_q.weight", "attn_q_norm.weight"]);
    const { scales } = planRewrite(file, first(50));
    expect(scales?.get("blk.0.attn_q_norm.weight")).toBeCloseTo(Math.sqrt(128 / 168), 12);
    expect(scales?.has("blk.0.attn_q.weight")).toBe(false);
  });

  test("a model that is cut to the length of the largest one", async () => {
    const file = await deep("gemma2", gemma(4608, 32), 50, ["attn_q.weight"]);
    expect(planRewrite(file, first(46)).scales?.get("blk.0.attn_q.weight")).toBeCloseTo(
      Math.sqrt(144 / 128),
      12,
    );
  });

  test("MiniCPM3's residual scale, in what is added", async () => {
    const file = await deep("minicpm3", {}, 9, ["attn_output.weight", "ffn_down.weight", "ffn_up.weight"]);
    const { scales } = planRewrite(file, first(4));
    expect([...scales!.keys()].length).toBe(8);
    expect(scales!.get("blk.3.ffn_down.weight")).toBeCloseTo(2 / 3, 12);
  });

  test("nothing that could carry it is refused by name", async () => {
    const file = await deep("gemma2", gemma(4608, 32), 46, ["attn_qkv.weight"]);
    expect(() => planRewrite(file, first(40))).toThrow(/attention scale/);
  });

  test("Baichuan's position encoding, by the name of an architecture with the same graph", async () => {
    const cut = async (blocks: number, left: number) => {
      const { set, renameKey } = planRewrite(
        await deep("baichuan", {}, blocks, ["attn_q.weight"]),
        first(left),
      );
      return [set.get("general.architecture")?.value, renameKey?.("baichuan.block_count")];
    };
    expect(await cut(32, 30)).toEqual(["llama", "llama.block_count"]);
    expect(await cut(40, 32)).toEqual(["refact", "refact.block_count"]);
    expect(await cut(36, 30)).toEqual([undefined, "baichuan.block_count"]);
    await expect(cut(36, 32)).rejects.toThrow(/position encoding/);
  });
});

describe("kinds of blocks of which one must stay", () => {
  test.for([
    ["kimi-linear", { "attention.head_count_kv": array("uint32", [2, 0, 2, 0]) }, [0, 2], [0, 1]],
    ["gemma2", { "attention.sliding_window_pattern": flags("0101") }, [0, 2], [0, 3]],
    ["deepseek4", { "attention.compress_ratios": array("uint32", [0, 4, 4, 128]) }, [0, 3], [0, 1]],
    ["dots3note", { "attention.sliding_window_pattern": flags("1010") }, [0, 2], [0, 3]],
    ["minimax-m3", { leading_dense_block_count: u32(2) }, [0, 1], [2]],
  ] as const)("%s", async ([name, metadata, breaking, legal]) => {
    const file = await model(name, { block_count: u32(4), ...metadata });
    expect(() => planRewrite(file, breaking)).toThrow(/one of the layers .* must stay/);
    expect(() => planRewrite(file, legal)).not.toThrow();
  });

  test("none where the window is optional: it goes", async () => {
    const metadata = { block_count: u32(6), "attention.sliding_window": u32(512) };
    const set = planRewrite(await model("gemma3", metadata), [5]).set;
    expect(set.has("gemma3.attention.sliding_window")).toBe(true);
    expect(set.get("gemma3.attention.sliding_window")).toBeUndefined();
  });

  test("a first block with attention, where some have none; the size of its heads is written out", async () => {
    const file = await model("deci", {
      block_count: u32(4),
      embedding_length: u32(64),
      "attention.head_count": array("uint32", [4, 8, 0, 4]),
    });
    expect(() => planRewrite(file, [2, 3])).toThrow(/layer 2 would be the first/);
    expect(planRewrite(file, [3]).set.has("deci.attention.key_length")).toBe(false);
    const { set } = planRewrite(file, [1, 2]);
    expect(set.get("deci.attention.key_length")).toEqual(u32(16));
    expect(set.get("deci.attention.value_length")).toEqual(u32(16));
  });

  test("a first block of the same kind where the two kinds' heads differ in size", async () => {
    const sizes = (swa: number) =>
      model("mimo2", {
        block_count: u32(4),
        "attention.sliding_window_pattern": flags("0110"),
        "attention.key_length": u32(64),
        "attention.key_length_swa": u32(swa),
      });
    const different = await sizes(32);
    expect(() => planRewrite(different, [1, 3])).toThrow(/layer 1 would be the first/);
    expect(() => planRewrite(different, [0, 2])).not.toThrow();
    const same = await sizes(64);
    expect(() => planRewrite(same, [1, 3])).not.toThrow();
  });

  test("a block goes with all that depend on it", async () => {
    const types = flags("1001001");
    const file = await model("hy_v4", { block_count: u32(7), "attention.indexer.types": types });
    expect(() => planRewrite(file, [0, 1, 2])).not.toThrow();
    expect(() => planRewrite(file, [3, 4, 5, 6])).not.toThrow();
    expect(() => planRewrite(file, [0, 1, 4])).toThrow(/layer 4 cannot stay without layer 3/);
  });
});
