import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { describeArchitecture, forced } from "../../src/architecture/architecture.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { openModel } from "../../src/model/model.ts";
import { openRuntime } from "../../src/model/runtime.ts";
import { buildFixture } from "../support/architectures.ts";
import { temporaryFolder } from "../support/folder.ts";
import { judge, TOKENS } from "../support/oracle.ts";

/**
 * What lorp refuses cannot be done: written all the same, llama.cpp does not run it, or it computes something else than
 * the original without those blocks.
 */
describe("what is refused", () => {
  const folder = temporaryFolder();
  beforeAll(async () => {
    await openRuntime("off");
  });

  test.for([
    ["afmoe", "every fourth layer has no rotary embedding"],
    ["arwkv7", "the first layer, whose values every later layer mixes in"],
    ["cohere2", "sliding-window pattern"],
    ["deci", "sizes that llama.cpp takes from the first layer"],
    ["deci", "a last layer with a feed-forward network, where some have none"],
    ["deepseek4", "one layer of compression ratio 4"],
    ["dots3note", "sliding-window pattern"],
    ["ernie4_5-moe", "mixture-of-experts step (interleave_moe_layer_step)"],
    ["gemma3n", "the first 10 layers are sparse, the first 20 have keys and values of their own"],
    ["gemma4", "layers whose keys and values later layers reuse (shared_kv_layers)"],
    ["glm-dsa", "layers whose indexer later layers reuse"],
    ["kimi-k3-attn-res", "layers whose outputs later layers read besides their input (attn_res.block_size)"],
    ["lfm2", "one recurrent and one attention layer"],
    ["minimax-m3", "one layer behind the leading dense ones"],
    ["rwkv6", "the state is halved every so many layers (rescale_every_n_layers)"],
  ] as const)("%s: %s", async ([fixture, rule]) => {
    const { cuts = [] } = await judge(fixture, folder, 2, { illegal: [rule] });
    expect(cuts.length).toBeGreaterThan(0);
    for (const { error } of cuts) expect(error).toBeGreaterThan(1e-6);
  });

  test.for(["command-r-64", "exaone4-64", "minimax-01"])("%s", async (fixture) => {
    const bytes = await written(fixture);
    expect(() => describeArchitecture(bytes)).toThrow(/cannot be pruned because/);
    const { cuts = [] } = await judge(fixture, folder, 2, { force: true });
    expect(cuts.length).toBeGreaterThan(0);
    for (const { error } of cuts) expect(error).toBeGreaterThan(1e-6);
  });

  test("a model that llama.cpp does not show the blocks of", async () => {
    const { states } = forced.describeArchitecture(await written("eurobert"));
    const model = await openModel(path("eurobert"), { gpu: "off", threads: 1 });
    const session = model.openSession({ sequenceLength: TOKENS, states });
    await expect(session.sumCosines(new Int32Array(8).fill(1))).rejects.toThrow(/block output/);
    session.close();
    model.close();
    await rm(path("eurobert"));
  });

  const path = (fixture: string) => join(folder, `${fixture}.gguf`);
  async function written(fixture: string) {
    await writeFile(path(fixture), buildFixture(fixture));
    return readGguf(path(fixture));
  }
});
