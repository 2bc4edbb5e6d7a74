import { AnalysisError } from "../analysis/errors.ts";

/** Does work on a document that was read: what contradicts itself there is told with the file's name. */
export function ofDocument<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof AnalysisError) error.message = `${path}: ${error.message}`;
    throw error;
  }
}
