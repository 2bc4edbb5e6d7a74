import { UsageError } from "../errors.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import type { TensorInfo } from "../gguf/types.ts";
import type { ImportanceMatrix } from "../imatrix/types.ts";

/** Types of ggml's table that nothing is quantised to. */
export const NOT_FOR_WEIGHTS = new Set(["Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"]);

/** Types that llama.cpp does not make of a matrix whose columns' importance is unknown. */
const NEED_IMATRIX = new Set(["IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS"]);

const TENSOR_TYPES: ReadonlyMap<string, number> = new Map(
  [...GGML_TYPES].flatMap(([number, { name }]) =>
    NOT_FOR_WEIGHTS.has(name) ? [] : [[name, number] as const],
  ),
);

/**
 * Finds the matrices that rules `PATTERN=TYPE` are about, as llama-quantize's --tensor-type does: a regular expression
 * found in the tensor's name, the first rule that fits.
 * @returns ggml's number of the type, by the tensor's name
 * @throws UsageError `TENSOR_TYPE`
 */
export function findTensorTypes(
  rules: readonly string[],
  tensors: readonly TensorInfo[],
  imatrix: ImportanceMatrix | undefined,
): ReadonlyMap<string, number> {
  const matrices = tensors.filter(({ shape, name }) => shape.length > 1 && name.endsWith("weight"));
  const found = new Map<string, number>();
  for (const rule of rules) {
    const { pattern, type, number } = parseRule(rule);
    const names = matrices.flatMap(({ name }) => (pattern.test(name) ? [name] : []));
    if (names.length === 0) {
      throw wrong(rule, `fits no matrix of the model, which are called such as ${matrices.at(-1)?.name}`);
    }
    for (const name of names.filter((each) => !found.has(each))) {
      if (NEED_IMATRIX.has(type) && !imatrix?.values.has(name)) {
        throw wrong(rule, `needs an importance matrix (\`imatrix\`) that has ${name}`);
      }
      found.set(name, number);
    }
  }
  return found;
}

function parseRule(rule: string): { pattern: RegExp; type: string; number: number } {
  const [, source = "", type = ""] = /^(.+)=([^=]+)$/.exec(rule) ?? [];
  const number = TENSOR_TYPES.get(type.toUpperCase());
  if (number === undefined) {
    throw wrong(
      rule,
      `is not of the form PATTERN=TYPE with one of the types ${[...TENSOR_TYPES.keys()].join(", ")}`,
    );
  }
  try {
    return { pattern: new RegExp(source, "i"), type: type.toUpperCase(), number };
  } catch (cause) {
    throw wrong(rule, `has no regular expression before the =`, { cause });
  }
}

const wrong = (rule: string, fault: string, options?: ErrorOptions) =>
  new UsageError("TENSOR_TYPE", `The tensor type "${rule}" ${fault}.`, options);
