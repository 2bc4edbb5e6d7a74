import { formatTable } from "../format.ts";
import { changeRows, type Showable, viewOf } from "../view.ts";

/** What a document says has changed, as one aligned table; only its head of one that changes nothing. */
export function renderChanges(document: Showable): string {
  return formatTable([["", "original", "pruned", "change"], ...changeRows(viewOf(document))]);
}
