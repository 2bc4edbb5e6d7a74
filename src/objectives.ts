/** What a choice by measurement makes as small as it can. */
export const OBJECTIVES = ["kl", "perplexity"] as const;
export type Objective = (typeof OBJECTIVES)[number];
