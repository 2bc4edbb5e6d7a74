import { checkDestinations, type Destination } from "../../files/destinations.ts";
import { OutputError } from "../../files/errors.ts";
import { allParts } from "../../sources/parts.ts";
import { storeOf } from "../../sources/stores.ts";
import type { OptionNames } from "./option-names.ts";
import { CALIBRATION_OPTIONS, type CalibrationOptions, WRITE_OPTIONS, type WriteOptions } from "./options.ts";

/** Files of the caller's own. */
export interface OtherFiles {
  readonly reads: readonly string[];
  readonly writes: readonly Destination[];
}

export interface FileOptions extends WriteOptions, CalibrationOptions {
  /**
   * What else the caller reads, and will write when this is done: refused at once where it cannot be meant.
   * @internal
   */
  readonly otherFiles?: OtherFiles | undefined;
}

export const FILE_OPTIONS: OptionNames<FileOptions> = {
  ...WRITE_OPTIONS,
  ...CALIBRATION_OPTIONS,
  otherFiles: false,
};

/** What the name says of a Plan. */
interface Removal {
  readonly removedLayers: { readonly length: number };
  readonly model: { readonly blockCount: number };
}

/**
 * `dir/name.gguf` with 5 of 20 layers removed → `dir/name-pruned-5of20.gguf`; a split input's part number goes.
 * @param quantize the type that the result is quantised to, if it is: `…-pruned-5of20-q4_k_m.gguf`
 */
export function defaultOutput(input: string, plan: Removal, quantize?: string): string {
  const stem = input.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, "");
  return `${stem}-pruned-${plan.removedLayers.length}of${plan.model.blockCount}${quantize === undefined ? "" : `-${quantize.toLowerCase()}`}.gguf`;
}

/**
 * Refuses, before any work is done, to write over what is read or where nothing can be written.
 * @param model the parts of the model
 * @param output where the pruned model goes, if it is written and the name is known
 * @throws OutputError
 */
export async function checkFiles(
  model: readonly string[],
  output: string | undefined,
  {
    calibration,
    imatrix,
    otherFiles: { reads, writes } = { reads: [], writes: [] },
    ...options
  }: FileOptions,
): Promise<void> {
  if (output !== undefined) await checkOutputName(output, options);
  const own = [calibration, imatrix].filter((path) => path !== undefined);
  return checkDestinations(
    [...(output === undefined ? [] : [modelDestination(output, options)]), ...writes],
    [...model, ...own, ...reads],
  );
}

/**
 * Refuses a place where another program tidies up, and for one file a name by which programs would look for parts.
 * @throws OutputError `OUTPUT_IN_STORE`, `OUTPUT_PART_NAME`
 */
async function checkOutputName(path: string, { keepSplit, splitMaxSize }: WriteOptions): Promise<void> {
  const store = await storeOf(path);
  if (store === "Ollama" || store === "Hugging Face") {
    throw new OutputError(
      "OUTPUT_IN_STORE",
      `${path} would lie among the files of ${store}, which takes away what it does not know; write it somewhere else.`,
    );
  }
  if (allParts(path).length > 1 && !keepSplit && splitMaxSize === undefined) {
    throw new OutputError(
      "OUTPUT_PART_NAME",
      `${path} is the name of one of several parts, but the model is written into one file; leave the numbers out.`,
    );
  }
}

/** The output of a command; of one in parts only the name that theirs are made from, so that no file is in its way. */
function modelDestination(
  path: string,
  { force = false, keepSplit = false, splitMaxSize }: WriteOptions,
): Destination {
  return { path, holds: "model", replace: force || keepSplit || splitMaxSize !== undefined };
}
