import Type from "typebox";
import { CalibrationSchema } from "./analysis.ts";
import { count, layer, numberOrNull } from "./fields.ts";

const kind = Type.Union([Type.Literal("refit"), Type.Literal("bridge")]);

const kl = (of: string) =>
  Type.Number({ description: `KL divergence of ${of} from the model as it is, nats a token.` });

export const MendedGapSchema = Type.Object(
  {
    after: layer(
      "Index in the original model of the kept layer whose output the map changes, before the gap.",
    ),
    behind: Type.Optional(
      Type.Literal(true, {
        description:
          "The layer is the first one behind the last gap instead, and its last matrix is replaced, whatever the kind.",
      }),
    ),
    ridge: Type.Number({
      exclusiveMinimum: 0,
      description: "What keeps the map small, relative to the mean of the features' summed squares.",
    }),
    type: Type.String({ description: "Tensor type that the map is stored in, such as Q8_0." }),
    features: count("Numbers that the map reads of each token."),
    bytes: Type.Integer({ description: "What the map adds to the file; below 0 what it saves." }),
    divergence: kl("the pruned model with this gap's map and those before it"),
  },
  { description: "A linear map that does what removed layers that stand together did." },
);

export const TriedRepairSchema = Type.Object(
  {
    kind,
    gaps: Type.Array(MendedGapSchema, {
      description: "Ascending; gaps whose map did not help by more than its standard error are missing.",
    }),
    divergence: kl("the repaired model"),
    standardError: numberOrNull("Of what it gives back, over sequences; null of a single one."),
  },
  { description: "One kind of repair, as it was measured." },
);

export const RepairSchema = Type.Object(
  {
    kind: Type.Union([kind, Type.Null()], {
      description:
        "refit: the last matrix before each gap is replaced. bridge: a layer that adds a linear map of its input is inserted at each gap. null: nothing helped enough, or nothing is possible.",
    }),
    calibration: CalibrationSchema,
    tokens: count("Tokens that the maps were fitted on."),
    sampled: Type.Optional(count("Those of them that the model wrote itself, going on with lorp's prompts.")),
    heldBack: Type.Object(
      {
        divergence: kl("the pruned model as it is"),
        sequences: count("Number of token sequences."),
      },
      { description: "What the choices were made on: sequences that were not fitted." },
    ),
    tried: Type.Array(TriedRepairSchema),
    refused: Type.Array(Type.Object({ kind, reason: Type.String() }), {
      description: "Kinds that this model cannot have, and why.",
    }),
  },
  { description: "What linear maps give back of what the removal took." },
);

export type { MendedGap, Repair, TriedRepair } from "./types.ts";
