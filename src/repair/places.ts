import { DECI_SOURCES, deciRefusal } from "../architecture/deci.ts";
import { readModel } from "../architecture/metadata.ts";
import { ARCHITECTURES } from "../architecture/table.ts";
import type { Architecture } from "../architecture/types.ts";
import { blockTensor } from "../gguf/block-names.ts";
import { GGML_TYPES } from "../gguf/ggml-types.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import { NOT_FOR_WEIGHTS } from "../model/tensor-types.ts";
import type { Gap } from "./gaps.ts";
import type { RepairKind } from "./kinds.ts";

/** A model that is to be repaired. */
export interface Broken {
  readonly file: GgufFile;
  readonly architecture: Architecture;
  /** Whether the file may not become larger or slower than the removal makes it. */
  readonly inPlace?: boolean | undefined;
}

/** What a kind of repair fits, and what holds it in a file. */
export interface Place {
  /** Name of the weight whose product's input is read, or empty for the block's output divided by its RMS. */
  readonly weight: string;
  /** Of the RMS. */
  readonly epsilon: number;
  /** Numbers that are read of each token, and that are added to it. */
  readonly features: number;
  readonly targets: number;
  /** The tensor that the map is added to; undefined where it is a tensor of its own. */
  readonly replaces: TensorInfo | undefined;
  /** Numbers of the tensor types that it may be stored in, the smallest first; the last is as good as F32. */
  readonly types: readonly number[];
}

interface Kind {
  /** Why a model cannot have it, or undefined when it can. */
  refusal(model: Broken, gap: Gap): string | undefined;
  place(model: Broken, gap: Gap): Place;
}

export const KINDS: Readonly<Record<RepairKind, Kind>> = {
  refit: {
    refusal({ file, architecture }, { before }) {
      const name = blockTensor(before, "ffn_down.weight");
      if (!ARCHITECTURES.get(architecture.name)?.addsFeedForward) {
        return `${architecture.name} models do not add what ffn_down gives to a layer's input as it is`;
      }
      if (architecture.states.loops > 1) {
        return "it runs its layers several times over, and a map is fitted to one run of them";
      }
      const tensor = tensorOf(file, name);
      if (!tensor) return `layer ${before} has no ${name}, as where it is made of experts`;
      if (tensorOf(file, name.replace("weight", "scale"))) return `what ${name} says is scaled`;
      if (architecture.constraints.shared?.some(({ layer }) => layer === before)) {
        return `layer ${before} computes something for later ones too`;
      }
      return NOT_FOR_WEIGHTS.has(tensor.typeName)
        ? `llama.cpp does not quantise to the type of ${name}, ${tensor.typeName}`
        : undefined;
    },
    place({ file, inPlace }, { before }) {
      const weight = blockTensor(before, "ffn_down.weight");
      const replaces = tensorOf(file, weight)!;
      const [features, targets] = replaces.shape as [number, number];
      const types = inPlace ? [replaces.type] : typesFrom(replaces.type, features);
      return { weight, epsilon: 0, features, targets, replaces, types };
    },
  },
  bridge: {
    refusal({ file, inPlace }) {
      if (inPlace) return "it adds a layer, which the number of layers for a size or a speed does not count";
      const reason = deciRefusal(file);
      return reason && `llama.cpp's architecture deci must hold it, and ${reason}`;
    },
    place({ file }, { before }) {
      const model = readModel(file);
      const features = model.number("embedding_length")!;
      const alike = tensorOf(file, blockTensor(before, "attn_output.weight"));
      return {
        weight: "",
        epsilon: model.number("attention.layer_norm_rms_epsilon")!,
        features,
        targets: features,
        replaces: undefined,
        types: typesFrom(alike?.type ?? Q8_0, features),
      };
    },
  },
};

/** Whether some models of an architecture can be repaired. */
export function isRepairable(architecture: string): boolean {
  return DECI_SOURCES.includes(architecture) || ARCHITECTURES.get(architecture)?.addsFeedForward === true;
}

/** Kinds that a model can have at all these gaps, and why it cannot have the others. */
export function possibleKinds(
  model: Broken,
  gaps: readonly Gap[],
  kinds: readonly RepairKind[],
): { possible: RepairKind[]; refused: { kind: RepairKind; reason: string }[] } {
  const reasons = kinds.map((kind) => ({
    kind,
    reason: gaps.map((gap) => KINDS[kind].refusal(model, gap)).find((reason) => reason !== undefined),
  }));
  return {
    possible: reasons.filter(({ reason }) => reason === undefined).map(({ kind }) => kind),
    refused: reasons.flatMap(({ kind, reason }) => (reason === undefined ? [] : [{ kind, reason }])),
  };
}

const F16 = 1;
const Q8_0 = 8;

/** A type, and where that is too coarse Q8_0 or F16, as far as rows of this length allow. */
function typesFrom(own: number, rowLength: number): number[] {
  const bits = (type: number) => {
    const { typeSize, blockSize } = GGML_TYPES.get(type)!;
    return typeSize / blockSize;
  };
  const finer = [Q8_0, F16].filter((type) => bits(type) > bits(own));
  return [own, ...finer].filter((type) => rowLength % GGML_TYPES.get(type)!.blockSize === 0);
}

function tensorOf(file: GgufFile, name: string): TensorInfo | undefined {
  return file.tensors.find((tensor) => tensor.name === name);
}
