import { LorpError } from "../errors.ts";

export type EvaluationErrorCode =
  | "EVALUATION_VOCABULARY"
  | "EVALUATION_CACHE"
  | "EVALUATION_TASK_UNREADABLE"
  | "EVALUATION_TASK_ENCODING"
  | "EVALUATION_TASK_FORMAT"
  | "EVALUATION_TASK_LINE"
  | "EVALUATION_TASK_TOO_LONG"
  | "EVALUATION_NAN";

/** A text, a task or a pair of models that cannot be evaluated. */
export class EvaluationError extends LorpError<EvaluationErrorCode> {}
