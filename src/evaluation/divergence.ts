import type { TokenScores } from "../native/addon.ts";
import { estimate, quantile } from "../statistics.ts";
import type { Distance } from "./verdict.ts";

/** How far a model's token distributions are from its base's. */
export interface Divergence {
  /** KL(base ‖ model) at the scored tokens, in nats. */
  readonly klDivergence: {
    readonly mean: number;
    readonly standardError: number | null;
    readonly median: number;
    readonly q90: number;
    readonly q99: number;
    readonly q999: number;
    readonly maximum: number;
  };
  /** Share of the tokens where both put the most probability on the same token. */
  readonly topAgreement: number;
}

/** @param scores made with a base */
export function divergenceOf({ kl, sameTop }: TokenScores): Divergence {
  const ascending = kl.toSorted();
  return {
    klDivergence: {
      ...estimate(kl),
      median: quantile(ascending, 0.5),
      q90: quantile(ascending, 0.9),
      q99: quantile(ascending, 0.99),
      q999: quantile(ascending, 0.999),
      maximum: quantile(ascending, 1),
    },
    topAgreement: estimate(sameTop).mean,
  };
}

/** What a verdict is made of. */
export function distanceOf({ klDivergence: { mean }, topAgreement }: Divergence): Distance {
  return { klDivergence: mean, topAgreement };
}
