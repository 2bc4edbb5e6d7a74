/** lorp's public API: everything the command line can do, without a terminal. */

export { AnalysisError, CheckpointError } from "./analysis/errors.ts";
export { type AnalyzeOptions, analyze } from "./api/analyze.ts";
export { type Applied, type ApplyOptions, apply, type Written } from "./api/apply.ts";
export { type Candidate, type CompareOptions, compare } from "./api/compare.ts";
export { type DeviceDiagnosis, type Diagnosis, diagnose } from "./api/diagnose.ts";
export { type DiffOptions, diff } from "./api/diff.ts";
export { type EvaluateOptions, type Evaluation, evaluate } from "./api/evaluate.ts";
export {
  type InspectedBlock,
  type Inspection,
  type InspectOptions,
  inspect,
  type OutsidePart,
  type Saving,
} from "./api/inspect.ts";
export { type PlanOptions, plan } from "./api/plan.ts";
export { type PruneOptions, prune } from "./api/prune.ts";
export type { ChooseOptions } from "./api/stages/choose.ts";
export type { MaxLoss } from "./api/stages/most-within.ts";
export type {
  CacheOptions,
  CalibrationOptions,
  ClusterOptions,
  ModelRunOptions,
  SampleOptions,
  WriteOptions,
} from "./api/stages/options.ts";
export type { FileOptions } from "./api/stages/output.ts";
export type { SearchOptions } from "./api/stages/planner.ts";
export type { PurposeOptions } from "./api/stages/purpose.ts";
export type { Resources } from "./api/stages/resources.ts";
export type { EvaluatedTask, EvaluatedText, TaskMeasures } from "./api/stages/score.ts";
export { ArchitectureError, type ArchitectureErrorCode } from "./architecture/errors.ts";
export { CalibrationError, type CalibrationErrorCode } from "./calibration/errors.ts";
export { openConversation } from "./chat/conversation.ts";
export type { Answer, AnswerOptions, Conversation, ConversationOptions } from "./chat/types.ts";
export type { ChangedTensor, ModelDiff } from "./diff/diff.ts";
export { DocumentError, type DocumentErrorCode } from "./documents/errors.ts";
export { type Document, readAnalysis, readPlan, readReport, writeDocument } from "./documents/files.ts";
export type * from "./documents/types.ts";
export { AbortedError, LorpError, UsageError, type UsageErrorCode } from "./errors.ts";
export type { Accuracy, Paired, Rule } from "./evaluation/accuracy.ts";
export type { Divergence } from "./evaluation/divergence.ts";
export { EvaluationError, type EvaluationErrorCode } from "./evaluation/errors.ts";
export type { Speed } from "./evaluation/speed.ts";
export type { SideMeasures, TextMeasures } from "./evaluation/text.ts";
export type { Protocol } from "./evaluation/windows.ts";
export { ExportError, type ExportErrorCode } from "./export/errors.ts";
export { type ModelCardInput, modelCard } from "./export/model-card.ts";
export { type ModelfileInput, modelfile } from "./export/modelfile.ts";
export { OutputError, type OutputErrorCode } from "./files/errors.ts";
export { GgufError, type GgufErrorCode } from "./gguf/errors.ts";
export type { OpenFile, ReadableFile } from "./gguf/files.ts";
export { type ReadOptions, readGguf } from "./gguf/read.ts";
export type {
  GgufArray,
  GgufFile,
  GgufScalar,
  GgufValue,
  MetadataEntry,
  MetadataType,
  ScalarType,
  ScalarValue,
  TensorInfo,
} from "./gguf/types.ts";
export { ImatrixError, type ImatrixErrorCode } from "./imatrix/errors.ts";
export type { Gpu } from "./model/backends.ts";
export { RuntimeError, type RuntimeErrorCode } from "./model/errors.ts";
export type { GpuChoice } from "./model/gpu.ts";
export type { RunOptions } from "./model/model.ts";
export { AddonError, type AddonErrorCode } from "./native/addon-file.ts";
export type { Objective } from "./objectives.ts";
export type { Progress } from "./progress.ts";
export { RepairError, type RepairErrorCode } from "./repair/errors.ts";
export type { RepairChoice } from "./repair/kinds.ts";
export type { LayerList } from "./selection/budget.ts";
export { SelectionError } from "./selection/errors.ts";
export { type DescribedStoredModel, describeStoredModels } from "./sources/describe.ts";
export { SourceError, type SourceErrorCode } from "./sources/errors.ts";
export type { OllamaParameter, OllamaSettings } from "./sources/ollama.ts";
export { type ResolvedModel, type ResolveOptions, resolveModel } from "./sources/resolve.ts";
export type { HubFile, StoredModel } from "./sources/stored-model.ts";
export { VERSION } from "./version.ts";
