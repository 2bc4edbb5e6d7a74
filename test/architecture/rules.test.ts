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
    ["an encoder", "bert", {}, /bert.*encoder for embeddings/],
    ["a stack of two", "t5", {}, /two stacks/],
    ["a draft head", "eagle3", {}, /draft head/],
    ["a looped model", "hrm_text", {}, /same blocks several times/],
    ["a model that loops when it says so", "nanbeige", { num_loops: u32(2) }, /same blocks several times/],
    ["a projector", "clip", {}, /projector/],
    ["what follows from the number of blocks", "minicpm3", {}, /number of blocks/],
    [
      "Gemma 2 27B's attention scale",
      "gemma2",
      {
        block_count: u32(46),
        embedding_length: u32(4608),
        "attention.head_count": u32(32),
        "attention.key_length": u32(128),
      },
      /attention scale/,
    ],
  ] as const)("%s", async ([, name, metadata, message]) => {
    await expect(refusal(name, metadata)).rejects.toThrow(message);
    await expect(refusal(name, metadata)).rejects.toBeInstanceOf(ArchitectureError);
  });

  test("the other Gemma 2 models are not", async () => {
    await expect(refusal("gemma2", { block_count: u32(42) })).resolves.toMatchObject({ analysedBlocks: 42 });
    await expect(refusal("nanbeige", { num_loops: u32(1) })).resolves.toMatchObject({ analysedBlocks: 8 });
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
    await expect(model("llama", {}).then(describeArchitecture)).rejects.toThrow(/0 blocks/);
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
    const { slices } = planRewrite(await perLayer("Q8_0", 32), [0, 2]);
    expect(Object.fromEntries(slices ?? [])).toEqual({
      "per_layer_token_embd.weight": { axis: 0, of: 4, kept: [0, 2] },
      "per_layer_model_proj.weight": { axis: 1, of: 4, kept: [0, 2] },
    });
  });

  test("are refused when a part would begin within a quantised block", async () => {
    const file = await perLayer("Q8_0", 8);
    expect(() => describeArchitecture(file)).toThrow(/cannot be divided among 4 blocks/);
  });
});

describe("prediction blocks", () => {
  test("are held in place, not measured, and end up last", async () => {
    const file = await model("glm4moe", { block_count: u32(6), nextn_predict_layers: u32(1) });
    const { analysedBlocks, constraints } = describeArchitecture(file);
    expect(analysedBlocks).toBe(5);
    expect(constraints.fixed.map(({ layer }) => layer)).toEqual([5]);
    expect(planRewrite(file, [0, 4, 5]).renameTensor("blk.5.nextn.eh_proj.weight")).toBe(
      "blk.2.nextn.eh_proj.weight",
    );
  });
});
