import Type from "typebox";

/** How far a pruned model's predictions are from the original's. */

export const klDivergence = Type.Number({
  description: "Mean Kullback-Leibler divergence from the original's token distributions, nats a token.",
});

export const topAgreement = Type.Number({
  minimum: 0,
  maximum: 1,
  description: "Share of the tokens where the original puts most probability on the same.",
});
