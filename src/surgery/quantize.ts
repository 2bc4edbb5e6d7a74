import { stat } from "node:fs/promises";
import { writeFailure } from "../files/errors.ts";
import { refusedWrite } from "../files/refused-write.ts";
import { checkOutput, commit, discard, stage } from "../files/staged.ts";
import { readGguf } from "../gguf/read.ts";
import { RuntimeError } from "../model/errors.ts";
import { type QuantizeOptions, quantizationType, quantizeFile } from "../model/quantize.ts";

export interface QuantizeGgufOptions extends QuantizeOptions {
  /** Replace an existing output. */
  readonly force?: boolean | undefined;
}

/**
 * Quantises a model with llama.cpp's own llama_model_quantize. The output appears whole or not at all, in one file;
 * the input is only read.
 * @param input a GGUF file, of a split model any part
 * @param type a name of llama-quantize, in any case
 * @returns bytes of the output
 * @throws UsageError `QUANTIZE_TYPE`; RuntimeError `QUANTIZE_AGAIN`, `QUANTIZE_FAILED`; GgufError, OutputError, AbortedError
 */
export async function quantizeGguf(
  input: string,
  output: string,
  type: string,
  { force = false, ...options }: QuantizeGgufOptions = {},
): Promise<number> {
  const name = quantizationType(type, options.imatrix !== undefined);
  const { paths } = await readGguf(input, { signal: options.signal });
  await checkOutput(output, paths, force);
  const staged = await stage(output, (await stat(paths[0]!)).mode);
  try {
    await quantizeFile(paths[0]!, staged.temporary, name, options).catch(async (error: unknown) => {
      throw await whyNotWritten(error, output, staged.temporary);
    });
    await commit([staged], force);
  } finally {
    await discard([staged]);
  }
  return (await stat(output)).size;
}

/** llama.cpp says only that the C++ library could not write. */
async function whyNotWritten(error: unknown, output: string, temporary: string): Promise<unknown> {
  if (!(error instanceof RuntimeError && /iostream/.test(error.message))) return error;
  const refused = await refusedWrite(temporary);
  return refused === undefined ? error : writeFailure(output, refused);
}
