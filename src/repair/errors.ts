import { LorpError } from "../errors.ts";

export type RepairErrorCode = "REPAIR_IMPOSSIBLE" | "REPAIR_OTHER_TEXT";

/** A repair that a model cannot have, or that a Plan does not tell enough of. */
export class RepairError extends LorpError<RepairErrorCode> {}
