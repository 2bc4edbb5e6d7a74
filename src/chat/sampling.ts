import type { GgufFile } from "../gguf/types.ts";

/** How the next token is drawn. */
export interface Sampling {
  /** 0 always takes the most likely token. */
  readonly temperature: number;
  /** 0 for all tokens. */
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  /** 1 for none. */
  readonly repeatPenalty: number;
  /** Tokens that are looked back on; −1 for all. */
  readonly repeatLastTokens: number;
}

/** The file's metadata for each (LLM_KV_GENERAL_SAMPLING_…), and llama.cpp's default (common_params_sampling). */
const SAMPLING: { readonly [Name in keyof Sampling]: readonly [key: string, otherwise: number] } = {
  temperature: ["temp", 0.8],
  topK: ["top_k", 40],
  topP: ["top_p", 0.95],
  minP: ["min_p", 0.05],
  repeatPenalty: ["penalty_repeat", 1],
  repeatLastTokens: ["penalty_last_n", 64],
};

/** The sampling that a model's file recommends, where it recommends none llama.cpp's. */
export function samplingOf(metadata: GgufFile["metadata"]): Sampling {
  const value = ([key, otherwise]: readonly [string, number]) => {
    const own = metadata.get(`general.sampling.${key}`)?.decode().value;
    return typeof own === "number" && Number.isFinite(own) ? own : otherwise;
  };
  return {
    temperature: Math.max(0, value(SAMPLING.temperature)),
    topK: Math.max(0, value(SAMPLING.topK)),
    topP: value(SAMPLING.topP),
    minP: value(SAMPLING.minP),
    repeatPenalty: value(SAMPLING.repeatPenalty),
    repeatLastTokens: value(SAMPLING.repeatLastTokens),
  };
}
