import type { Rewrite } from "../architecture/types.ts";
import { alignUp } from "../gguf/header.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import { type RawEntry, writeHeader } from "../gguf/write.ts";
import { KEYS } from "../provenance/keys.ts";
import type { Range, Transform } from "./copy.ts";
import { type MetadataChanges, ownEntries, setEntries, splitEntries, toEntry } from "./metadata.ts";
import { permuteRows } from "./permute.ts";
import { type Arrangement, arrangeForSharing, phaseOf } from "./sharing.ts";
import { sliceTensor } from "./slice.ts";

/** How the output is divided into files; one file unless something is asked for. */
export interface SplitOptions {
  /** Keep each tensor in the part it is in. */
  readonly keepSplit?: boolean | undefined;
  /** Begin a new part when the tensors of one would take more bytes. */
  readonly maxSize?: number | undefined;
}

/** A tensor whose bytes are at hand, small enough to be held in memory; named as in the output. */
export interface NewTensor extends Pick<TensorInfo, "name" | "shape" | "type"> {
  readonly bytes: Uint8Array;
}

/** What changes in the tensors. */
export interface Changes {
  /** By the tensor's name in the input. */
  readonly transforms?: ReadonlyMap<string, Transform>;
  /** Tensors that the input does not have, or that take the place of those of the same name. */
  readonly added?: readonly NewTensor[];
}

/** A tensor that stays, under its new name. */
interface KeptTensor extends TensorInfo {
  readonly newName: string;
  /** Bytes in the input. */
  readonly sourceLength: number;
  readonly transform: Transform | undefined;
}

/** A range of the input's part `file`; one whole tensor if it is transformed. */
export interface SourceRange extends Range {
  readonly file: number;
  readonly transform: Transform | undefined;
}

/** One output file: `header` first, then `ranges` of the input and what is `added`; zeros between them. */
export interface FileLayout {
  readonly header: Uint8Array;
  readonly ranges: readonly SourceRange[];
  readonly added: readonly { readonly bytes: Uint8Array; readonly to: number }[];
  readonly size: number;
}

/** What every file of the output will hold. Pure: no byte is read or written. */
export function layOut(
  model: GgufFile,
  rewrite: Rewrite,
  provenance: MetadataChanges,
  split: SplitOptions = {},
  { transforms = new Map(), added = [] }: Changes = {},
): FileLayout[] {
  const replaced = new Set(added.map(({ name }) => name));
  const kept = model.tensors.flatMap((tensor): KeptTensor[] => {
    const newName = rewrite.renameTensor(tensor.name);
    if (newName === null || replaced.has(newName)) return [];
    const slice = rewrite.slices?.get(tensor.name);
    const permutation = rewrite.permutations?.get(tensor.name);
    const { byteLength: sourceLength } = tensor;
    const transform = permutation ? permuteRows(permutation) : transforms.get(tensor.name);
    return [
      slice
        ? { ...tensor, newName, sourceLength, ...sliceTensor(tensor, slice) }
        : { ...tensor, newName, sourceLength, transform },
    ];
  });
  const cut = setEntries(ownEntries(model), rewrite.set);
  const entries = setEntries(
    cut.map((entry) => ({ ...entry, key: rewrite.renameKey?.(entry.key) ?? entry.key })),
    provenance,
  );
  const last = model.paths.length - 1;
  const fresh = added.map((tensor) => ({ ...tensor, file: last, byteLength: tensor.bytes.length }));
  const parts = divide([...kept, ...fresh], model.alignment, split);
  return parts.map((tensors, no) => {
    const ofPart = no === 0 ? entries : entries.filter(({ key }) => key === "general.alignment");
    const metadata =
      parts.length === 1
        ? ofPart
        : setEntries(ofPart, splitEntries(no, parts.length, kept.length + fresh.length));
    const arrangement = arrangeForSharing(
      tensors.filter((tensor) => "newName" in tensor),
      model.alignment,
    );
    return layOutFile(
      model,
      metadata,
      arrangement,
      tensors.filter((tensor) => "bytes" in tensor),
    );
  });
}

/** One file, its data moved by padding in the metadata to where the input's blocks can be shared. */
function layOutFile(
  { version, alignment }: GgufFile,
  metadata: readonly RawEntry[],
  { tensors, phase }: Arrangement<KeptTensor>,
  added: readonly NewTensor[],
): FileLayout {
  const named = [
    ...tensors.map(({ newName, ...tensor }) => ({ ...tensor, name: newName })),
    ...added.map((tensor) => ({ ...tensor, byteLength: tensor.bytes.length })),
  ];
  const write = (entries: readonly RawEntry[]) =>
    writeHeader({ version, alignment, metadata: entries, tensors: named });
  const plain = write(metadata);
  const padding = paddingEntry(plain.bytes.length, phase);
  const { bytes, offsets, fileSize } = padding === undefined ? plain : write([...metadata, padding]);
  return {
    header: bytes,
    ranges: joinRanges(tensors, offsets),
    added: added.map((tensor, i) => ({ bytes: tensor.bytes, to: offsets[tensors.length + i]! })),
    size: fileSize,
  };
}

/** The tensors of each output file. A part that all tensors have left goes, unless it is the only one. */
function divide<Tensor extends Pick<TensorInfo, "file" | "byteLength">>(
  kept: readonly Tensor[],
  alignment: number,
  { keepSplit, maxSize }: SplitOptions,
): Tensor[][] {
  if (keepSplit) {
    const parts = [...new Set(kept.map(({ file }) => file))].map((part) =>
      kept.filter(({ file }) => file === part),
    );
    return parts.length === 0 ? [[]] : parts;
  }
  const parts: Tensor[][] = [[]];
  let size = 0;
  for (const tensor of kept) {
    const padded = alignUp(tensor.byteLength, alignment);
    if (size > 0 && size + padded > (maxSize ?? Number.POSITIVE_INFINITY)) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)!.push(tensor);
    size += padded;
  }
  return parts;
}

/** Where to copy from and to: tensors that stay neighbours, padding between them included, are one range. */
function joinRanges(tensors: readonly KeptTensor[], offsets: readonly number[]): SourceRange[] {
  const ranges: SourceRange[] = [];
  for (const [i, { file, fileOffset: from, byteLength, sourceLength, transform }] of tensors.entries()) {
    const to = offsets[i]!;
    const last = ranges.at(-1);
    const untouched = transform === undefined && last?.transform === undefined;
    if (untouched && last?.file === file && from >= last.from && from - last.from === to - last.to) {
      ranges[ranges.length - 1] = { ...last, length: to + byteLength - last.to };
    } else {
      ranges.push({ file, from, to, length: sourceLength, transform });
    }
  }
  return ranges;
}

/** Metadata that makes a header of `length` bytes end at `phase` within a block; undefined where it does already. */
function paddingEntry(length: number, phase: number): RawEntry | undefined {
  if (phaseOf(length) === phase) return undefined;
  const entry = (count: number) =>
    toEntry(KEYS.padding, { type: "array", elementType: "uint8", value: new Array<number>(count).fill(0) });
  const { key, raw } = entry(0);
  // The key's length and the type's number stand before an entry's value.
  const least = 8 + key.length + 4 + raw.length;
  return entry(phaseOf(phase - length - least));
}
