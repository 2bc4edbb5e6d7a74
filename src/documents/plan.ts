import Type from "typebox";
import { blocks, k, layer, lorpVersion, numberOrNull, rls, schemaVersion, seed } from "./fields.ts";
import { MeasurementsSchema } from "./measurements.ts";
import { ModelSchema } from "./model.ts";
import { RepairSchema } from "./repair.ts";

export const RemovalSchema = Type.Object(
  {
    layer: layer("Index of the removed layer in the original model."),
    reason: Type.String({
      description: "Short and for machines, such as stage-1, block-influence, run or named.",
    }),
    score: numberOrNull("The number the decision rested on, as the text explains; null if there was none."),
    cluster: Type.Optional(Type.Integer({ minimum: 0 })),
    text: Type.String({ description: "Why this layer went, for people." }),
  },
  { description: "One removed layer." },
);

export const PassedOverSchema = Type.Object({
  layer: layer("Index of a layer that the method would have taken."),
  rule: Type.String({ description: "The rule that kept it." }),
});

export const PlanSchema = Type.Object(
  {
    schemaVersion,
    lorpVersion: Type.Optional(lorpVersion),
    model: Type.Omit(ModelSchema, ["constraints"]),
    method: Type.String({ description: "Selection method, or named if the user named the layers." }),
    budget: blocks("Number of layers to remove.", 0),
    removedLayers: Type.Array(Type.Integer({ minimum: 0 }), { description: "Ascending." }),
    keptLayers: Type.Array(Type.Integer({ minimum: 0 }), { description: "Ascending." }),
    removals: Type.Array(RemovalSchema, { description: "In the order of removal." }),
    passedOver: Type.Array(PassedOverSchema, {
      description: "Layers that the method would have taken had a rule of the architecture not kept them.",
    }),
    rls: Type.Optional(rls),
    k: Type.Optional(k),
    seed: Type.Optional(seed),
    measurements: Type.Optional(MeasurementsSchema),
    repair: Type.Optional(RepairSchema),
  },
  { title: "lorp Plan", description: "Which layers go, and why." },
);

export type { PassedOver, Plan, Removal } from "./types.ts";
