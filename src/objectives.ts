/**
 * What a choice by measurement makes as small as it can: the KL divergence from the model as it is, the perplexity, or
 * how little likelier the right choices of a task are than the wrong ones.
 */
export const OBJECTIVES = ["kl", "perplexity", "task"] as const;
export type Objective = (typeof OBJECTIVES)[number];
