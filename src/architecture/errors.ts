import { LorpError } from "../errors.ts";

/**
 * The architecture stands in the way: `ARCHITECTURE_UNKNOWN` (no rules for it), `ARCHITECTURE_REFUSED` (its blocks
 * cannot be removed at all), `ARCHITECTURE_RULE` (this removal breaks a rule), `ARCHITECTURE_METADATA` (a value the
 * rules need is missing or of the wrong kind).
 */
export class ArchitectureError extends LorpError {}
