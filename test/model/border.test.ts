import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadLlama } from "../../src/model/llama.ts";
import { addon, type NativeModel, type NativeSession } from "../../src/native/addon.ts";
import { EXAMPLE_MODEL } from "../support/example.ts";

const BLOCKS = 20;
const OPTIONS = {
  contextLength: 8,
  microBatch: 8,
  threads: 1,
  blocks: BLOCKS,
  states: {
    blockOutput: "l_out",
    blockInput: "",
    input: "",
    lastOutput: "",
    streams: 1,
    loops: 1,
    streamsInside: false,
    embeds: false,
    emptyBlocks: new Int32Array(),
  },
  sequences: 1,
  parallelBlocks: false,
  exactAttention: false,
  keptBytes: 0,
};
const TOKENS = Int32Array.from([1, 2, 3, 4]);
const skip = new Int32Array();
const control = () => new addon.Control();

/** What JavaScript may pass whatever the types say. */
const anything = <Type>(value: unknown) => value as Type;

beforeAll(() => loadLlama("off"));

describe("objects of the addon's classes", () => {
  let model: NativeModel;
  let session: NativeSession;
  beforeAll(async () => {
    model = new addon.Model();
    await model.load(EXAMPLE_MODEL, { gpuLayers: 0, repack: false }, control());
    session = new addon.Session(model, OPTIONS);
    await session.open(control());
  });
  afterAll(() => {
    session.close();
    model.close();
  });

  test("are told from each other and from any object where a Model belongs", () => {
    for (const other of [session, {}, Object.create(model), addon]) {
      expect(() => new addon.Session(anything(other), OPTIONS)).toThrow(
        new TypeError("model must be a Model"),
      );
    }
  });

  test("are told from each other and from any object where a Session belongs", () => {
    for (const other of [model, {}, Object.create(session), addon]) {
      expect(() =>
        session.score(
          TOKENS,
          { first: 1, skip, base: anything(other), baseChanges: { skip }, keepTop: 0 },
          control(),
        ),
      ).toThrow(new TypeError("base must be a Session"));
    }
  });
});

test("values are not quantised to a type that llama.cpp does not make", () => {
  const values = new Float32Array(256);
  for (const [type, name] of [
    [9, "q8_1"],
    [15, "q8_K"],
    [24, "i8"],
    [26, "i32"],
    [27, "i64"],
    [28, "f64"],
  ] as const) {
    expect(() => addon.quantize(type, values, 256)).toThrow(`llama.cpp does not quantise to ${name}`);
  }
  expect(addon.quantize(0, values.fill(0.5), 256)).toEqual(new Uint8Array(values.buffer));
});
