import { describe, expect, test } from "vitest";
import { checkBlockCount, checkPreconditions } from "../../src/architecture/preconditions.ts";
import { ARCHITECTURES } from "../../src/architecture/table.ts";
import { WHOLE_ROTATIONS } from "../../src/architecture/whole-rotations.ts";
import { readGguf } from "../../src/gguf/read.ts";
import type { GgufValue } from "../../src/gguf/types.ts";
import { fixtureMetadata, fixtureTensors } from "../support/architectures.ts";
import {
  array,
  buildGguf,
  type FixtureTensor,
  f32,
  str,
  temporaryFolder,
  u32,
  writeInto,
} from "../support/gguf.ts";

const whole = { metadata: fixtureMetadata("llama"), tensors: fixtureTensors("llama") };

const read = (metadata: Record<string, GgufValue>, tensors: readonly FixtureTensor[] = whole.tensors) =>
  readGguf(
    writeInto(
      temporaryFolder(),
      "m.gguf",
      buildGguf({ metadata: { ...whole.metadata, ...metadata }, tensors }),
    ),
  );

describe("a file in which llama.cpp would not find what it takes for granted is refused with the key", () => {
  test.each<[key: string, metadata: Record<string, GgufValue>, needs: RegExp]>([
    [
      "rope.scaling.type",
      { "llama.rope.scaling.type": str("newer") },
      /is newer, and must be one of none, linear/,
    ],
    [
      "expert_count",
      { "llama.expert_count": u32(5000), "llama.expert_used_count": u32(2) },
      /5000.*at most 1024/,
    ],
    ["expert_count", { "llama.expert_count": u32(4) }, /expert_used_count/],
    [
      "expert_used_count",
      { "llama.expert_count": u32(2), "llama.expert_used_count": u32(4) },
      /is 4.*at most the expert_count/,
    ],
    ["expert_group_count", { "llama.expert_group_count": u32(2) }, /is 2/],
    [
      "attention.layer_norm_rms_epsilon",
      { "llama.attention.layer_norm_rms_epsilon": f32(Number.NaN) },
      /NaN.*at least 0/,
    ],
    ["attention.layer_norm_rms_epsilon", { "llama.attention.layer_norm_rms_epsilon": f32(-1) }, /at least 0/],
    [
      "attention.head_count_kv",
      { "llama.attention.head_count_kv": array("bool", new Array(12).fill(true)) },
      /whole numbers/,
    ],
    ["attention.head_count", { "llama.attention.head_count": u32(0) }, /at least 1/],
    ["context_length", { "llama.context_length": u32(0) }, /is 0, and must be at least 2/],
    ["context_length", { "llama.context_length": u32(1) }, /is 1, and must be at least 2/],
    ["rope.dimension_count", { "llama.rope.dimension_count": u32(2 ** 32 - 1) }, /even/],
    ["rope.dimension_count", { "llama.rope.dimension_count": u32(0) }, /is 0, and must be .* at least 2/],
    [
      "rope.dimension_count_swa",
      { "llama.rope.dimension_count_swa": u32(0) },
      /is 0, and must be .* at least 2/,
    ],
    [
      "rope.dimension_count",
      { "llama.rope.dimension_count": u32(8) },
      /is 8, and must be the length of a head's keys/,
    ],
    [
      "attention.value_length",
      { "llama.attention.value_length": u32(8) },
      /is 8, and must be the length of a head's keys/,
    ],
  ])("%s", async (key, metadata, needs) => {
    const file = await read(metadata);
    expect(() => checkPreconditions(file)).toThrow(
      expect.objectContaining({ code: "ARCHITECTURE_METADATA", message: expect.stringMatching(needs) }),
    );
    expect(() => checkPreconditions(file)).toThrow(`llama.${key}`);
  });

  test("or with the tensor, or the token", async () => {
    const with_ = (name: string, type: string) =>
      whole.tensors.map((tensor) => (tensor.name === name ? { name, shape: tensor.shape, type } : tensor));
    const norm = await read({}, with_("blk.3.attn_norm.weight", "F16"));
    expect(() => checkPreconditions(norm)).toThrow(
      "its tensor blk.3.attn_norm.weight must be F32, and is F16",
    );
    const convolution = { name: "blk.3.ssm_conv1d.weight", shape: [4, 96], type: "F16" };
    const state = await read({}, [...whole.tensors, convolution]);
    expect(() => checkPreconditions(state)).toThrow("blk.3.ssm_conv1d.weight must be F32, and is F16");
    const loop = { name: "hrm.z_l_init", shape: [64], type: "F16" };
    const looped = await read({}, [...whole.tensors, loop]);
    expect(() => checkPreconditions(looped)).toThrow("hrm.z_l_init must be F32, and is F16");
    const matrix = await read({}, with_("blk.3.attn_q.weight", "I16"));
    expect(() => checkPreconditions(matrix)).toThrow(
      /blk\.3\.attn_q\.weight must be of floating-point .* is I16/,
    );
    const odd = { name: "odd.bias", shape: [1], type: "F32" };
    const unaligned = await read({ "general.alignment": u32(4) }, [odd, ...whole.tensors]);
    expect(() => checkPreconditions(unaligned)).toThrow(
      "its tensor odd.bias must begin at a multiple of 32 bytes",
    );
    const none = await read({ "tokenizer.ggml.tokens": array("string", []) });
    expect(() => checkPreconditions(none)).toThrow("its vocabulary is empty");
    const twice = await read({ "tokenizer.ggml.tokens": array("string", ["a", "b", "a"]) });
    expect(() => checkPreconditions(twice)).toThrow('its vocabulary has the token "a" twice');
  });

  test("but not a file that it runs", async () => {
    checkPreconditions(await read({ "llama.rope.scaling.type": str("yarn") }));
    const partly = { metadata: fixtureMetadata("stablelm"), tensors: fixtureTensors("stablelm") };
    const metadata = { ...partly.metadata, "stablelm.rope.dimension_count": u32(4) };
    checkPreconditions(
      await readGguf(writeInto(temporaryFolder(), "m.gguf", buildGguf({ ...partly, metadata }))),
    );
  });

  test("of architectures that there are", () => {
    expect([...WHOLE_ROTATIONS].filter((name) => !ARCHITECTURES.has(name))).toEqual([]);
  });
});

describe("a count of blocks that the tensors contradict is refused", () => {
  test.each<
    [
      what: string,
      count: number,
      tensors: (all: readonly FixtureTensor[]) => readonly FixtureTensor[],
      message: string,
    ]
  >([
    ["too small", 10, (all) => all, "says that it has 10 layers, but has tensors of layers 10, 11;"],
    ["too large", 13, (all) => all, "says that it has 13 layers, but has no tensors of layer 12;"],
    [
      "with a hole",
      12,
      (all) => all.filter(({ name }) => !name.startsWith("blk.7.")),
      "has no tensors of layer 7;",
    ],
    [
      "of other names",
      12,
      (all) => all.map((tensor) => ({ ...tensor, name: tensor.name.replace("blk.", "model.layers.") })),
      "says that it has 12 layers, but has no tensors of any layer;",
    ],
    ["of a million", 1e6, (all) => all, "says that it has 1000000 layers, and llama.cpp runs 512 at most;"],
    [
      "beyond any list",
      2 ** 32 - 1,
      (all) => all,
      "says that it has 4294967295 layers, and llama.cpp runs 512 at most;",
    ],
  ])("%s", async (_, count, tensors, message) => {
    const file = await read({ "llama.block_count": u32(count) }, tensors(whole.tensors));
    expect(() => checkBlockCount(file)).toThrow(
      expect.objectContaining({ code: "ARCHITECTURE_METADATA", message: expect.stringContaining(message) }),
    );
  });
});
