import Type from "typebox";
import { TEXT_PARTS } from "../calibration/sequences.ts";
import { count, k, layer, lorpVersion, numberOrNull, rls, schemaVersion, seed, share } from "./fields.ts";
import { ModelSchema } from "./model.ts";

export const CalibrationSchema = Type.Object(
  {
    name: Type.String({ description: "File name, or the name of the text that comes with lorp." }),
    sha256: Type.String({ description: "SHA-256 of the text, hexadecimal." }),
    part: Type.Optional(
      Type.Enum([...TEXT_PARTS], {
        description:
          "The part of the text, whose windows are dealt in turn: to the analysis, the choice, the analysis, the report.",
      }),
    ),
  },
  { description: "The text the model was run on." },
);

export const AnalysisSettingsSchema = Type.Object({
  calibration: Type.Optional(CalibrationSchema),
  sequences: Type.Optional(count("Number of token sequences.")),
  sequenceLength: Type.Optional(count("Tokens in a sequence.")),
  tokens: Type.Optional(count("Tokens measured in all.")),
  device: Type.Optional(
    Type.String({ description: "What computed: cpu, cuda, vulkan, metal, or other machines by rpc." }),
  ),
  bos: Type.Optional(
    Type.Boolean({
      description: "Whether each sequence begins with the model's BOS token, which is not measured itself.",
    }),
  ),
  seed: Type.Optional(seed),
  clusters: Type.Optional(
    Type.Integer({ minimum: 1, description: "The number of clusters asked for, if any was." }),
  ),
});

const similarity = Type.Array(Type.Array(Type.Number()), {
  description:
    "N x N cosine similarities of the layers' inputs, averaged over tokens; row and column i are layer i, the diagonal is 1.",
});

const clusters = Type.Array(Type.Integer({ minimum: 0 }), {
  description: "The cluster of each layer, 0...k-1, numbered by first layer.",
});

export const LayerSchema = Type.Object({
  layer: layer("Index of the layer."),
  cluster: Type.Integer({ minimum: 0 }),
  redundancy: numberOrNull(
    "Mean similarity to all other layers of its cluster; null for a cluster of one. LoRP removes the highest first.",
  ),
  blockInfluence: numberOrNull(
    "1 - similarity of the layer's input and output; null for the last layer, whose output is not measured.",
  ),
});

export const ConfidenceSchema = Type.Object(
  {
    method: Type.String({ description: "The selection method whose answer was judged." }),
    budget: count("The number of layers it was asked for."),
    settled: Type.Boolean({
      description:
        "Whether another text is unlikely to change the removed layers: the same ones in 95 % of resamples, and the locality score two standard errors away from where the number of clusters changes.",
    }),
    agreement: Type.Object(
      { k: share(), clusters: share(), layers: share() },
      {
        description:
          "The shares of resamples with the same number of clusters, the same clusters and the same removed layers.",
      },
    ),
    rlsStandardError: Type.Number(),
    entryStandardError: Type.Number({ description: "The largest of the entries of similarity." }),
    alternatives: Type.Array(
      Type.Object({ removedLayers: Type.Array(Type.Integer({ minimum: 0 })), share: share() }),
      { description: "Other layers that resamples led to, the most frequent first." },
    ),
  },
  {
    description:
      "How sure the answer is, judged by how much the sequences differ (bootstrap over sequences).",
  },
);

/** What is needed at least: what someone writes by hand. `completeAnalysis` works out the rest. */
export const PartialAnalysisSchema = Type.Object(
  {
    schemaVersion,
    lorpVersion: Type.Optional(lorpVersion),
    model: ModelSchema,
    settings: Type.Optional(AnalysisSettingsSchema),
    similarity,
    rls: Type.Optional(rls),
    k: Type.Optional(k),
    clusters: Type.Optional(clusters),
    layers: Type.Optional(Type.Array(LayerSchema)),
    confidence: Type.Optional(ConfidenceSchema),
  },
  {
    title: "lorp Analysis",
    description:
      "What was measured of a model. Only schemaVersion, model.blockCount and similarity are required; lorp works out the rest.",
  },
);

export const AnalysisSchema = Type.Object({
  ...PartialAnalysisSchema.properties,
  settings: AnalysisSettingsSchema,
  rls,
  k,
  clusters,
  layers: Type.Array(LayerSchema),
});

export type SimilarityMatrix = readonly (readonly number[])[];

export type {
  Analysis,
  AnalysisSettings,
  CalibrationText,
  Confidence,
  LayerMeasures,
  PartialAnalysis,
} from "./types.ts";
