import { LorpError } from "../errors.ts";

/** The rules of the architecture leave no such selection. */
export class SelectionError extends LorpError<"SELECTION_IMPOSSIBLE"> {
  constructor(message: string) {
    super("SELECTION_IMPOSSIBLE", message);
  }
}
