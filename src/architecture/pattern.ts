import type { Constraints, ModelSummary } from "../documents/model.ts";

/**
 * Periods of sliding-window patterns that Ollama's own engine takes from a layer's number, whatever the file's array says:
 * every so many layers the last one has no window. Source: ollama v0.24.0, model/models/gemma3/model_text.go
 * (gemmaGlobalCacheCount), gemma2/model.go and gptoss/model.go (SetLayerType). Since v0.30.0 Ollama runs GGUF files by
 * llama.cpp, which reads the array.
 */
const PERIODS: ReadonlyMap<string, number> = new Map([
  ["gemma2", 2],
  ["gemma3", 6],
  ["gpt-oss", 2],
]);

const RULE = "sliding-window pattern by a layer's number, as engines without the file's array have it";

/** The model with one more constraint: every layer keeps its place in the pattern, so that whole periods go. */
export function keepPattern<Model extends ModelSummary>(
  model: Model,
): Model & { readonly constraints: Constraints } {
  const { constraints = { fixed: [], positional: [] } } = model;
  const kinds = kindsOf(model);
  const positional = [...constraints.positional, ...(kinds ? [{ rule: RULE, kinds }] : [])];
  return { ...model, constraints: { ...constraints, positional } };
}

/**
 * Whether an engine that takes the pattern from a layer's number would compute something else than llama.cpp does, once
 * only these layers are left.
 * @param kept ascending
 */
export function shiftsPattern(model: ModelSummary, kept: readonly number[]): boolean {
  const kinds = kindsOf(model);
  return (
    kinds !== undefined && kept.some((layer, place) => layer < kinds.length && kinds[layer] !== kinds[place])
  );
}

/** 1 for layers without a window, 0 for the others; undefined where no engine is known to count. */
function kindsOf({
  architecture = "",
  blockCount,
  analysedBlocks = blockCount,
}: ModelSummary): number[] | undefined {
  const period = PERIODS.get(architecture);
  if (period === undefined) return undefined;
  return Array.from({ length: analysedBlocks }, (_, layer) => ((layer + 1) % period === 0 ? 1 : 0));
}
