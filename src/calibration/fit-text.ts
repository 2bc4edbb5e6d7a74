import { createHash } from "node:crypto";
import { type Calibration, loadPrompts, loadProse, type Prompts } from "./load.ts";
import { cutSequences, type DealtText, type SequenceSettings } from "./sequences.ts";

/** What linear maps are fitted on. */
export interface FitText extends Pick<Calibration, "name" | "sha256"> {
  readonly sequences: readonly Int32Array[];
  /** What the model goes on with, to be fitted on besides. */
  readonly prompts?: Prompts;
}

/**
 * The analysis part of a text. Maps gain by more text than an analysis needs, and by such as the model is for: beside
 * lorp's own stand prose and what the model itself writes, unless a number of sequences is asked for.
 * @param tokenize of the model
 * @throws CalibrationError
 */
export async function fitTextOf(
  { isOwn, name, sha256 }: Calibration,
  { analysis }: DealtText,
  { sequences, ...settings }: SequenceSettings,
  tokenize: (text: string) => Promise<Int32Array>,
): Promise<FitText> {
  if (!isOwn || sequences !== undefined) return { name, sha256, sequences: analysis };
  const prose = await loadProse();
  const prompts = await loadPrompts();
  const passages = cutSequences(await tokenize(prose.text), settings);
  const digest = createHash("sha256").update(sha256).update(prose.sha256).update(prompts.sha256);
  return {
    name: `${name} and ${prose.name}`,
    sha256: digest.digest("hex"),
    sequences: [...analysis, ...passages],
    prompts,
  };
}
