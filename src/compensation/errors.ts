import { LorpError } from "../errors.ts";

/** Factors that cannot be found for a model, or cannot be stored in its file. */
export class CompensationError extends LorpError {
  declare readonly code:
    | "COMPENSATION_ARCHITECTURE"
    | "COMPENSATION_FACTORS"
    | "COMPENSATION_TYPE"
    | "COMPENSATION_PRECISION";
}
