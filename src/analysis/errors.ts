import { LorpError } from "../errors.ts";

/** An Analysis that contradicts itself, such as a matrix that is not one of cosine similarities. */
export class AnalysisError extends LorpError<"ANALYSIS_INVALID"> {
  constructor(message: string) {
    super("ANALYSIS_INVALID", message);
  }
}

/** A saved state of a capture that cannot be gone on from. */
export class CheckpointError extends LorpError<"CHECKPOINT_INVALID"> {
  constructor(message: string, options?: ErrorOptions) {
    super("CHECKPOINT_INVALID", message, options);
  }
}
