import Type from "typebox";
import { OBJECTIVES } from "../objectives.ts";
import { CalibrationSchema } from "./analysis.ts";
import { count, layer, numberOrNull } from "./fields.ts";

const loss = Type.Number({
  description:
    "Mean, nats: KL divergence from the model as it is, or negative log-likelihood, of a token; of a task's item by how much the likeliest wrong choice is likelier than the right one; as the objective says.",
});

const perplexity = Type.Optional(Type.Number({ description: "exp(loss), of a negative log-likelihood." }));

export const MeasuredSetSchema = Type.Object(
  {
    removedLayers: Type.Array(layer("Index of a layer."), { description: "Ascending." }),
    proposedBy: Type.Array(Type.String(), { description: "Methods or steps that proposed this set." }),
    complete: Type.Boolean({
      description: "Whether all sequences were measured; if not, the set was clearly worse than another.",
    }),
    sequences: count("Number of sequences measured."),
    loss,
    perplexity,
    difference: Type.Object(
      {
        mean: Type.Number(),
        standardError: numberOrNull("Over sequences; null of a single one."),
      },
      {
        description:
          "Loss of this set - loss of the set that the search chose, on the same sequences, nats a token.",
      },
    ),
    repaired: Type.Optional(
      Type.Object(
        {
          kind: Type.Union([Type.Literal("refit"), Type.Literal("bridge"), Type.Null()], {
            description: "What makes up for the removed layers; null where nothing helped.",
          }),
          divergence: Type.Number({
            description: "KL divergence from the model as it is, nats a token, on the same pieces of text.",
          }),
        },
        { description: "The same set with its repair, if that was tried." },
      ),
    ),
  },
  { description: "A set of layers whose removal was measured." },
);

export const MeasurementsSchema = Type.Object(
  {
    text: CalibrationSchema,
    sequences: count("Number of sequences that a complete measurement covers."),
    sequenceLength: count("Tokens in a sequence; of a task in the first group of its items."),
    objective: Type.Optional(
      Type.Enum([...OBJECTIVES], { description: "What the choice made small; perplexity if absent." }),
    ),
    original: Type.Union([Type.Object({ loss, perplexity }), Type.Null()], {
      description: "The model as it is; null if it was not measured.",
    }),
    sets: Type.Array(MeasuredSetSchema, {
      description: "Complete measurements first, the lowest loss first.",
    }),
  },
  { description: "What was measured to make the choice, on text that was not used for the analysis." },
);

export type { MeasuredSet, Measurements } from "./types.ts";
