import { sameType } from "../architecture/metadata.ts";
import type { Plan } from "../documents/plan.ts";
import type { GgufArray, GgufFile, GgufValue, MetadataEntry } from "../gguf/types.ts";
import { concat, encodeString, encodeType, encodeValue } from "../gguf/values.ts";
import type { MetadataChanges } from "../surgery/metadata.ts";

/** What identifies the model itself and so is its base's from now on (source: the GGUF specification, "Source metadata"). */
const BASE_KEYS = [
  "name",
  "author",
  "version",
  "organization",
  "description",
  "url",
  "doi",
  "uuid",
  "repo_url",
];
/** Of these, what would be false of the pruned model. */
const NOT_INHERITED = ["url", "doi", "uuid", "repo_url"];

const TAGS = ["pruned", "layer-pruning", "lorp"];

const string = (value: string): GgufValue => ({ type: "string", value });

/**
 * The `general.*` metadata that says what a pruned model is: its name, its size label, its tags, and the model it was
 * made from as its only base model.
 * @param parameters of the pruned model
 */
export function identity(
  original: GgufFile["metadata"],
  { removedLayers, keptLayers, model }: Plan,
  parameters: number,
): MetadataChanges {
  if (removedLayers.length === 0) return new Map();
  const text = (key: string) => {
    const value = original.get(`general.${key}`)?.decode().value;
    return typeof value === "string" ? value : undefined;
  };
  const changes = new Map<string, GgufValue | undefined>();
  for (const key of original.keys()) if (key.startsWith("general.base_model.")) changes.set(key, undefined);
  for (const key of NOT_INHERITED)
    if (original.has(`general.${key}`)) changes.set(`general.${key}`, undefined);

  const name = text("name") ?? text("basename") ?? model.architecture ?? "model";
  // llama.cpp looks for families of models in this name (llama-vocab.cpp: phi-3), so that none is made up.
  if (text("name") !== undefined) {
    changes.set(
      "general.name",
      string(`${name}, pruned to ${keptLayers.length} of ${model.blockCount} layers`),
    );
  }
  // A label of another form (mixtures of experts: 8x7B) cannot be made from the number of parameters alone.
  if (/^[\d.]+[KMBTQ]$/.test(text("size_label") ?? "")) {
    changes.set("general.size_label", string(sizeLabel(parameters)));
  }
  const count = original.get("general.parameter_count");
  if (count) changes.set(count.key, sameType(count.decode(), parameters));
  changes.set("general.base_model.count", { type: "uint32", value: 1 });
  changes.set("general.base_model.0.name", string(name));
  for (const key of BASE_KEYS) {
    const entry = original.get(`general.${key}`);
    const value = text(key);
    if (entry && value !== undefined) {
      changes.set(`general.base_model.0.${key}`, { ...string(value), raw: entry.raw });
    }
  }
  changes.set("general.tags", withTags(original.get("general.tags")));
  return changes;
}

/** The tags and those of a pruned model behind them; those that are there stay byte for byte. */
function withTags(entry: MetadataEntry | undefined): GgufValue {
  const added = (present: readonly unknown[]) => TAGS.filter((tag) => !present.includes(tag));
  const list = (value: readonly string[]): GgufArray => ({ type: "array", elementType: "string", value });
  if (entry?.elementType !== "string") return list(TAGS);
  const present = entry.decode().value as readonly string[];
  const value = [...present, ...added(present)];
  const elements = entry.raw.subarray(encodeValue(list([])).length);
  const head = encodeType("string");
  const count = encodeValue({ type: "uint64", value: BigInt(value.length) });
  return { ...list(value), raw: concat([head, count, elements, ...added(present).map(encodeString)]) };
}

/** `6.9B`: at least two digits (source: gguf-py `model_weight_count_rounded_notation`). */
function sizeLabel(parameters: number): string {
  const units = ["K", "M", "B", "T", "Q"];
  const power = Math.min(Math.max(Math.ceil(Math.log10(parameters + 1) / 3) - 1, 1), units.length);
  const scaled = parameters / 1000 ** power;
  return `${scaled.toFixed(Math.round(scaled) < 10 ? 1 : 0)}${units[power - 1]}`;
}
