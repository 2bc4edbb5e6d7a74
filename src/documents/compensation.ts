import Type from "typebox";
import { CalibrationSchema } from "./analysis.ts";
import { count, layer, numberOrNull } from "./fields.ts";

const factor = (description: string) => Type.Number({ exclusiveMinimum: 0, description });

export const BlockFactorsSchema = Type.Object(
  {
    layer: layer("Index of the layer in the original model."),
    attention: factor("What the output of its attention is multiplied by."),
    feedForward: factor("What the output of its feed-forward is multiplied by."),
  },
  { description: "How what one layer adds to the residual stream is scaled." },
);

export const CompensationSchema = Type.Object(
  {
    mode: Type.String({ description: "How the factors were found: magnitude or fit." }),
    factors: Type.Array(BlockFactorsSchema, {
      description:
        "Ascending; layers that are missing stay as they are. Empty where the factors found did not help enough to be kept.",
    }),
    calibration: Type.Optional(CalibrationSchema),
    sequences: Type.Optional(count("Number of token sequences that the factors were found on.")),
    heldBack: Type.Optional(
      Type.Object(
        {
          without: Type.Number({ description: "Nats a token of the pruned model." }),
          with: Type.Number({ description: "The same with the factors that were found." }),
          standardError: numberOrNull("Of the difference of the two, over sequences; null of a single one."),
          sequences: count("Number of token sequences."),
        },
        { description: "What the factors give back on sequences that they were not found on." },
      ),
    ),
  },
  { description: "Factors that make up for removed layers." },
);

export type { BlockFactors, Compensation } from "./types.ts";
