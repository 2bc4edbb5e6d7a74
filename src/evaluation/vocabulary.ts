import type { GgufFile } from "../gguf/types.ts";
import { EvaluationError } from "./errors.ts";

/**
 * Distributions over two vocabularies cannot be compared, whatever their sizes.
 * @throws EvaluationError `EVALUATION_VOCABULARY` naming the first token that differs
 */
export function requireSameVocabulary(model: GgufFile, base: GgufFile): void {
  const key = "tokenizer.ggml.tokens";
  const [mine, other] = [model.metadata.get(key), base.metadata.get(key)];
  if (!mine || !other || Buffer.compare(mine.raw, other.raw) === 0) return;
  const [tokens, baseTokens] = [mine, other].map((entry) => entry.decode().value as readonly unknown[]);
  const index = tokens!.findIndex((token, id) => token !== baseTokens![id]);
  const difference =
    index < 0
      ? `it has ${baseTokens!.length} tokens, not ${tokens!.length}`
      : `its token ${index} is ${JSON.stringify(baseTokens![index] ?? null)}, not ${JSON.stringify(tokens![index])}`;
  throw new EvaluationError(
    "EVALUATION_VOCABULARY",
    `${base.paths[0]} has another vocabulary than ${model.paths[0]} (${difference}); compare with the model it was made from.`,
  );
}
