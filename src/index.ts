/** lorp's public API: everything the command line can do, without a terminal. */

export { type AnalyzeOptions, analyze } from "./api/analyze.ts";
export { type Applied, apply, type Written } from "./api/apply.ts";
export { type CompareOptions, compare } from "./api/compare.ts";
export { type DeviceDiagnosis, type Diagnosis, diagnose } from "./api/diagnose.ts";
export { diff } from "./api/diff.ts";
export {
  type EvaluatedTask,
  type EvaluatedText,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
} from "./api/evaluate.ts";
export { type InspectedBlock, type Inspection, inspect, type Saving } from "./api/inspect.ts";
export { type PlanOptions, plan } from "./api/plan.ts";
export { type PruneOptions, prune } from "./api/prune.ts";
export type {
  CalibrationOptions,
  ClusterOptions,
  ModelRunOptions,
  Progress,
  WriteOptions,
} from "./api/stages/options.ts";
export { openConversation } from "./chat/conversation.ts";
export type { AnswerOptions, Conversation, ConversationOptions } from "./chat/types.ts";
export type { ChangedTensor, DiffOptions, ModelDiff } from "./diff/diff.ts";
export type { Analysis, PartialAnalysis } from "./documents/analysis.ts";
export type { Comparison } from "./documents/comparison.ts";
export type { BlockFactors, Compensation } from "./documents/compensation.ts";
export { readAnalysis, readPlan, readReport, writeDocument } from "./documents/files.ts";
export type { Plan, Removal } from "./documents/plan.ts";
export type { Report } from "./documents/report.ts";
export { AbortedError, LorpError, UsageError } from "./errors.ts";
export { type ModelCardInput, modelCard } from "./export/model-card.ts";
export { type ModelfileInput, modelfile } from "./export/modelfile.ts";
export { readGguf } from "./gguf/read.ts";
export type { GgufFile } from "./gguf/types.ts";
export { type DescribedStoredModel, describeStoredModels } from "./sources/describe.ts";
export { type ResolvedModel, type ResolveOptions, resolveModel } from "./sources/resolve.ts";
export { VERSION } from "./version.ts";
