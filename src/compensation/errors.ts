import { LorpError } from "../errors.ts";

export type CompensationErrorCode =
  | "COMPENSATION_ARCHITECTURE"
  | "COMPENSATION_FACTORS"
  | "COMPENSATION_TYPE"
  | "COMPENSATION_PRECISION";

/** Factors that cannot be found for a model, or cannot be stored in its file. */
export class CompensationError extends LorpError<CompensationErrorCode> {}
