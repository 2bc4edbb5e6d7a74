import Type from "typebox";
import { AnalysisSchema, CalibrationSchema } from "./analysis.ts";
import { klDivergence, topAgreement } from "./divergence.ts";
import { count, lorpVersion, numberOrNull, schemaVersion } from "./fields.ts";
import { PlanSchema } from "./plan.ts";
import { SamplesSchema } from "./samples.ts";
import { TaskSchema } from "./task.ts";
import { GradesSchema, ReachSchema, VerdictSchema } from "./verdict.ts";

const FileSchema = Type.Object({
  path: Type.String(),
  bytes: count("Size of the file, or of all parts of a split one."),
  parameters: Type.Optional(count("Number of weights.")),
});

const PerplexitySchema = Type.Object(
  {
    original: Type.Number(),
    pruned: Type.Number(),
    ratio: Type.Number({ description: "pruned / original." }),
    text: CalibrationSchema,
    sequences: count("Number of token sequences scored."),
    sequenceLength: count("Tokens in a sequence."),
  },
  { description: "Perplexity before and after, on calibration text that was not used for the analysis." },
);

const DivergenceSchema = Type.Object(
  {
    klDivergence,
    standardError: numberOrNull("Of the mean, tokens taken as independent; null of a single one."),
    topAgreement,
  },
  { description: "How far the predictions of the pruned model are from the original's, on the same text." },
);

const EmbeddingsSchema = Type.Object(
  {
    cosine: Type.Number({
      description: "Mean over sequences of the cosine of both models' embeddings, each the mean over tokens.",
    }),
    lowestCosine: Type.Number({ description: "Of the sequence whose embeddings are least alike." }),
    text: CalibrationSchema,
    sequences: count("Number of token sequences embedded."),
    sequenceLength: count("Tokens in a sequence."),
  },
  {
    description:
      "How alike the embeddings before and after are, where a model gives those and predicts no tokens.",
  },
);

const SpeedSchema = Type.Object({
  prompt: Type.Number({ description: "Tokens per second of a prompt, read in micro-batches." }),
  generation: Type.Number({ description: "Tokens per second of text generated token by token." }),
});

const ExpectedSchema = Type.Object(
  {
    bytes: Type.Optional(count("Size of the file; absent where it would be quantised.")),
    parameters: count("Number of weights."),
    speedup: Type.Number({
      description:
        "How many times as fast it generates, estimated by the weights that one token is multiplied with.",
    }),
  },
  { description: "What the file would be, of a dry run." },
);

export const ReportSchema = Type.Object(
  {
    schemaVersion,
    lorpVersion: Type.Optional(lorpVersion),
    command: Type.Optional(Type.String({ description: "The command line, if there was one." })),
    input: FileSchema,
    output: Type.Union([FileSchema, Type.Null()], { description: "null if nothing was written." }),
    expected: Type.Optional(ExpectedSchema),
    analysis: Type.Optional(
      Type.Object({
        ...AnalysisSchema.properties,
        similarity: Type.Optional(AnalysisSchema.properties.similarity),
      }),
    ),
    plan: PlanSchema,
    perplexity: Type.Union([PerplexitySchema, Type.Null()], { description: "null if it was not measured." }),
    embeddings: Type.Optional(EmbeddingsSchema),
    divergence: Type.Optional(DivergenceSchema),
    speed: Type.Optional(
      Type.Object(
        { original: SpeedSchema, pruned: SpeedSchema },
        { description: "How fast both run on the machine that made the report, timed in turn." },
      ),
    ),
    task: Type.Optional(TaskSchema),
    verdict: Type.Optional(VerdictSchema),
    reach: Type.Optional(ReachSchema),
    samples: Type.Optional(SamplesSchema),
    grades: Type.Optional(GradesSchema),
    settings: Type.Record(Type.String(), Type.Unknown(), { description: "The options in force." }),
  },
  { title: "lorp Report", description: "What was done to a model, and what it cost." },
);

export type { Report } from "./types.ts";
