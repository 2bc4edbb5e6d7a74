import { runsByAlikeness, takeRun } from "./runs.ts";
import type { SelectionMethod } from "./types.ts";

/**
 * Gromov et al. (arXiv 2403.17887): the run of n layers with the smallest angular distance arccos(S[i][i+n]) / π
 * between its input and its output. The paper takes the angle at the last token of each sequence; here it is that of
 * the mean cosine over all tokens. Since arccos falls as the cosine rises, it is then the run that `streamline` chooses.
 */
export const angular: SelectionMethod = {
  name: "angular",
  summary: "the contiguous run of layers with the smallest angle between input and output",
  source: "Gromov et al., arXiv 2403.17887",
  select: (input, budget) =>
    takeRun(
      input,
      budget,
      (length) => runsByAlikeness(input.similarity, length),
      angularDistance,
      "angular distance",
    ),
};

/** arccos(cosine) / π, 0…1; rounding beyond ±1 is cut off. */
export function angularDistance(cosine: number): number {
  return Math.acos(Math.min(1, Math.max(-1, cosine))) / Math.PI;
}
