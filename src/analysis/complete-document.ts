import type { Analysis, PartialAnalysis } from "../documents/analysis.ts";
import type { Comparison } from "../documents/comparison.ts";
import type { Plan } from "../documents/plan.ts";
import type { Report } from "../documents/report.ts";
import { completeAnalysis } from "./complete.ts";

/**
 * A document that was read, with what its Analysis lacks; that of a Report or a Comparison too, where it has its matrix.
 * @throws AnalysisError if the matrix, or the clusters given, cannot be right
 */
export function completeDocument(
  document: PartialAnalysis | Plan | Report | Comparison,
): Analysis | Plan | Report | Comparison {
  if ("removals" in document) return document;
  if (!("plan" in document || "candidates" in document)) return completeAnalysis(document);
  const { analysis } = document;
  if (analysis?.similarity === undefined) return document;
  return { ...document, analysis: completeAnalysis({ ...analysis, similarity: analysis.similarity }) };
}
