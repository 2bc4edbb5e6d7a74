import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { divergenceOf } from "../../src/evaluation/divergence.ts";
import { perplexityOf } from "../../src/evaluation/perplexity.ts";
import { scoreWindows } from "../../src/evaluation/scores.ts";
import { cutWindows } from "../../src/evaluation/windows.ts";
import { oneLane, openOnCpu } from "../support/example-session.ts";
import { sharedPath } from "../support/shared.ts";

/** What llama-perplexity of the same release says of two chunks of 512 tokens. */
test.runIf(sharedPath("models"))("agrees with llama-perplexity, KL divergence included", async () => {
  const [model, against] = ["q4_k_m", "q8_0"].map((type) => sharedPath("models", `books-20l-${type}.gguf`)!);
  const opened = await Promise.all([openOnCpu(model!), openOnCpu(against!)]);
  try {
    const book = readFileSync(sharedPath("data", "persuasion.txt")!, "utf8").slice(0, 8000);
    const windows = cutWindows(await opened[0].model.tokenize(book), {
      sequenceLength: 512,
      sequences: 2,
      protocol: "llama.cpp",
      bos: opened[0].model.info.bos,
    });
    const [mine, theirs] = opened.map((one) => oneLane(one.openSession(512, 512)));
    const scores = await scoreWindows(mine!, windows, { base: theirs });
    const { klDivergence, topAgreement } = divergenceOf(scores);
    // Recorded on a CPU with other kernels for quantised weights, whose rounding moves the divergence most.
    const within = (mine: number, theirs: number, share: number) =>
      expect(Math.abs(mine / theirs - 1)).toBeLessThan(share);
    within(perplexityOf(scores.logProb).perplexity, 48.159276, 1e-3);
    within(perplexityOf(scores.logProb).standardError!, 5.861187, 2e-3);
    within(perplexityOf(scores.baseLogProb).perplexity, 47.866652, 1e-3);
    within(klDivergence.mean, 0.005149, 0.03);
    within(klDivergence.median, 0.003393, 0.05);
    within(klDivergence.q99, 0.029025, 0.05);
    within(topAgreement, 0.94314, 0.02);
  } finally {
    for (const one of opened) one.close();
  }
});
