import { getLlama, LlamaLogLevel } from "node-llama-cpp";
import { beforeAll, describe, expect, test } from "vitest";
import { describeArchitecture } from "../../src/architecture/architecture.ts";
import { embed, likenessOf } from "../../src/evaluation/embeddings.ts";
import { readGguf } from "../../src/gguf/read.ts";
import { apply, compare, evaluate, prune } from "../../src/index.ts";
import { openModel } from "../../src/model/model.ts";
import { temporaryFolder } from "../support/folder.ts";
import { writeExampleAs } from "../support/renamed.ts";

/** The example as a model of embeddings, whose tokens attend to later ones. */
describe("a model that gives embeddings", () => {
  const folder = temporaryFolder();
  const run = { gpu: "off", threads: 1, sequences: 4, sequenceLength: 48 } as const;
  let path = "";
  beforeAll(async () => {
    path = await writeExampleAs(folder, "llama-embed", {
      "attention.causal": { type: "bool", value: false },
      // The mean over tokens.
      pooling_type: { type: "uint32", value: 1 },
    });
  });

  test("is embedded as node-llama-cpp embeds it", async () => {
    const text = "Once there was a model that read whole sentences at a time.";
    const llama = await getLlama({ gpu: false, logLevel: LlamaLogLevel.disabled });
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createEmbeddingContext({ contextSize: 64 });
    const { bos, eos } = model.tokens;
    // What node-llama-cpp would put there itself.
    const tokens = [bos!, ...model.tokenize(text), eos!];
    const { vector } = await context.getEmbeddingFor(tokens);
    await llama.dispose();

    const { states } = describeArchitecture(await readGguf(path));
    const opened = await openModel(path, run);
    const lanes = opened.openLanes({ sequenceLength: 64, states });
    const ours = await embed(lanes, [Int32Array.from(tokens)]);
    lanes.close();
    opened.close();
    const { cosine } = likenessOf([Float64Array.from(vector)], ours);
    expect(cosine).toBeCloseTo(1, 5);
  });

  test("is cut by what its blocks do, and compared by embeddings", async () => {
    const output = `${folder}/cut.gguf`;
    const { plan, perplexity, embeddings } = await prune(path, { ...run, remove: 3, output });
    expect(plan).toMatchObject({ method: "lorp", budget: 3 });
    expect(perplexity).toBeNull();
    expect(embeddings!.cosine).toBeLessThan(0.9999);
    expect(embeddings!.cosine).toBeGreaterThanOrEqual(embeddings!.lowestCosine);
    await expect(apply(path, plan, { ...run, repair: "bridge", force: true, output })).rejects.toThrow(
      "`repair` needs predictions of the next token, and llama-embed models give embeddings",
    );
  });

  test("is refused where predictions would be measured", async () => {
    const needed = { code: "ARCHITECTURE_REFUSED" };
    await expect(prune(path, { ...run, remove: 3, method: "sleb" })).rejects.toMatchObject(needed);
    await expect(prune(path, { ...run, maxLoss: 0.1 })).rejects.toMatchObject(needed);
    await expect(prune(path, { ...run, remove: 3, repair: "refit" })).rejects.toMatchObject(needed);
    await expect(evaluate(path, { ...run, skipLayers: "3" })).rejects.toMatchObject(needed);
    await expect(compare(path, { ...run, remove: [3] })).rejects.toMatchObject(needed);
  });
});
