import { estimate } from "../statistics.ts";

/** exp of the mean negative log-likelihood of the scored tokens. */
export interface Perplexity {
  readonly perplexity: number;
  /**
   * Of the perplexity, tokens taken as independent: perplexity × standard error of the mean negative log-likelihood
   * (the delta method, as llama-perplexity has it); null of fewer than two tokens.
   */
  readonly standardError: number | null;
  /** Number of tokens scored. */
  readonly tokens: number;
}

/** @param logProb natural log-probabilities of the tokens */
export function perplexityOf(logProb: Float64Array): Perplexity {
  const { mean, standardError } = estimate(logProb);
  const value = Math.exp(-mean);
  return {
    perplexity: value,
    standardError: standardError === null ? null : value * standardError,
    tokens: logProb.length,
  };
}

/** Bits that the model needs for a byte of the text. @param bytes what the tokens stand for */
export function bitsPerByte(logProb: Float64Array, bytes: number): number {
  return -logProb.reduce((sum, value) => sum + value, 0) / Math.LN2 / bytes;
}
