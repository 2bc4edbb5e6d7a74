import { LorpError } from "../errors.ts";

/** A repair that a model cannot have, or that a Plan does not tell enough of. */
export class RepairError extends LorpError {
  declare readonly code: "REPAIR_IMPOSSIBLE" | "REPAIR_OTHER_TEXT";
}
