import Type from "typebox";
import { AnalysisSchema, CalibrationSchema } from "./analysis.ts";
import { klDivergence, topAgreement } from "./divergence.ts";
import { count, layer, lorpVersion, numberOrNull, schemaVersion } from "./fields.ts";
import { ModelSchema } from "./model.ts";
import { GradesSchema, VerdictSchema } from "./verdict.ts";

const MeasureSchema = Type.Object(
  {
    perplexity: Type.Number(),
    standardError: Type.Optional(numberOrNull("Of the perplexity, tokens taken as independent.")),
    klDivergence: Type.Optional(klDivergence),
    klStandardError: Type.Optional(
      numberOrNull("Of the KL divergence, tokens taken as independent; null of a single one."),
    ),
    topAgreement: Type.Optional(topAgreement),
    verdict: Type.Optional(VerdictSchema),
  },
  { description: "What was measured on one text." },
);

const FactorsSchema = Type.Object(
  { prompt: Type.Number(), generation: Type.Number() },
  { description: "How many times as fast as the original it reads a prompt and generates." },
);

const VariantSchema = Type.Object(
  {
    type: Type.Union([Type.String(), Type.Null()], {
      description: "The type of quantisation of the whole model; null as it is.",
    }),
    method: Type.Optional(Type.String({ description: "What chose the layers." })),
    removedLayers: Type.Array(layer("Index of a removed layer."), { description: "Ascending." }),
    bytes: count("Bytes of the file."),
    cacheBytes: Type.Number({
      description:
        "Bytes of the cache (F16) for one token of context: its keys and values in all layers, at most.",
    }),
    speedup: FactorsSchema,
    timed: Type.Boolean({
      description:
        "Whether both models were timed in turn; if not, the share of removed layers in the work is estimated by their weights.",
    }),
    measures: Type.Array(MeasureSchema, { description: "One for each of the texts, in their order." }),
  },
  { description: "The model quantised, without some layers, or both." },
);

export const ComparisonSchema = Type.Object(
  {
    schemaVersion,
    lorpVersion: Type.Optional(lorpVersion),
    command: Type.Optional(Type.String({ description: "The command line, if there was one." })),
    model: Type.Omit(ModelSchema, ["constraints"]),
    analysis: Type.Optional(
      Type.Object({
        ...AnalysisSchema.properties,
        similarity: Type.Optional(AnalysisSchema.properties.similarity),
      }),
    ),
    texts: Type.Array(
      Type.Object({
        ...CalibrationSchema.properties,
        sequences: count("Number of token sequences scored."),
        sequenceLength: count("Tokens in a sequence."),
        original: MeasureSchema,
      }),
      {
        minItems: 1,
        description: "The texts that everything was measured on, and how the original does there.",
      },
    ),
    candidates: Type.Array(
      Type.Object({
        method: Type.String(),
        budget: count("Number of layers removed."),
        removedLayers: Type.Array(layer("Index of a removed layer."), { description: "Ascending." }),
        bytes: Type.Optional(count("Bytes of the file without these layers.")),
        speedup: Type.Optional(
          Type.Number({
            description:
              "How many times as fast it generates, estimated by the weights that one token is multiplied with.",
          }),
        ),
        measures: Type.Array(MeasureSchema, { description: "One for each of the texts, in their order." }),
      }),
    ),
    variants: Type.Optional(
      Type.Array(VariantSchema, {
        description: "The original first, then removals and types of quantisation, alone and together.",
      }),
    ),
    typesLeftOut: Type.Optional(
      Type.String({ description: "Why types that were asked for were not compared, for people." }),
    ),
    grades: Type.Optional(GradesSchema),
  },
  { title: "lorp Comparison", description: "What each method's choice costs at each budget." },
);

export type { Comparison } from "./types.ts";
