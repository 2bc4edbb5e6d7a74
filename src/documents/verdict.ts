import Type from "typebox";
import { klDivergence } from "./divergence.ts";
import { layer, numberOrNull } from "./fields.ts";
import type { Grades } from "./types.ts";

/** What measured numbers mean to a person. */

const grade = Type.Enum(["as good", "slightly worse", "clearly worse", "damaged", "ruined"], {
  description: "How the pruned model stands to its original.",
});

export const VerdictSchema = Type.Object(
  {
    grade,
    nearestType: Type.String({
      description: "The type of quantisation whose published cost (KL divergence) is nearest.",
    }),
    sentence: Type.String({ description: "The whole of it, to be read." }),
  },
  { description: "What the removal comes to, by the limits in grades." },
);

export const GradesSchema = Type.Array(
  Type.Object({
    grade,
    klDivergence: numberOrNull("At most, nats a token; null without a limit."),
    topAgreement: Type.Number({ description: "At least, a share of the tokens." }),
    meaning: Type.String(),
    reason: Type.String({ description: "Why the limits lie where they do." }),
  }),
  { description: "The grades of a verdict, the best first; the first one whose limits both hold is given." },
);

export const ReachSchema = Type.Object(
  {
    removedLayers: Type.Array(layer("Index of a layer."), { description: "Ascending." }),
    method: Type.String({ description: "The method that chose them." }),
    klDivergence,
  },
  { description: "Of a ruined model the most layers that can go, as far as measured, before it is that." },
);

export type { Grades, Verdict } from "./types.ts";
export type GradeName = Grades[number]["grade"];
