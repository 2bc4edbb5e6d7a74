import { LorpError } from "../errors.ts";

export type ArchitectureErrorCode =
  /** There are no rules for it. */
  | "ARCHITECTURE_UNKNOWN"
  /** Its blocks cannot be removed at all. */
  | "ARCHITECTURE_REFUSED"
  /** This removal breaks a rule. */
  | "ARCHITECTURE_RULE"
  /** A value the rules need is missing or of the wrong kind. */
  | "ARCHITECTURE_METADATA";

/** The architecture stands in the way. */
export class ArchitectureError extends LorpError<ArchitectureErrorCode> {}
