import { countLoops } from "../architecture/loops.ts";
import { type ModelMetadata, readModel } from "../architecture/metadata.ts";
import type { GgufFile } from "../gguf/types.ts";
import { sum } from "../statistics.ts";

/** Numbers that the cache holds of one token, in all layers, by `cacheWidths`. @throws ArchitectureError */
export function cacheWidth(file: GgufFile): number {
  return sum(cacheWidths(file));
}

/**
 * Numbers that the cache holds of one token in each layer: its keys and values, fewer where several queries share them.
 * An estimate from above: a layer with a sliding window keeps fewer tokens, one with latent attention smaller values,
 * and a recurrent one a state of a fixed size, which is counted as if each of its queries had a key and a value. A layer
 * that is run in several loops has a cache in each.
 * @throws ArchitectureError
 */
export function cacheWidths(file: GgufFile): number[] {
  const model = readModel(file);
  const embedding = model.number("embedding_length") ?? 0;
  const ofLayer = (layer: number) => {
    const heads = perLayer(model, "attention.head_count", layer) || 1;
    const shared = perLayer(model, "attention.head_count_kv", layer) || heads;
    const length = (kind: string) => model.number(`attention.${kind}_length`) ?? Math.ceil(embedding / heads);
    return countLoops(model.loops) * shared * (length("key") + length("value"));
  };
  return Array.from({ length: model.trunkBlocks }, (_, layer) => ofLayer(layer));
}

/** A number for all layers, or one for each. */
function perLayer(model: ModelMetadata, key: string, layer: number): number | undefined {
  return model.number(key) ?? model.numbers(key)?.[layer];
}
