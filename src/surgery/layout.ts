import type { Rewrite } from "../architecture/types.ts";
import { alignUp } from "../gguf/header.ts";
import type { GgufFile, TensorInfo } from "../gguf/types.ts";
import { type RawEntry, writeHeader } from "../gguf/write.ts";
import type { Range, Transform } from "./copy.ts";
import { type MetadataChanges, ownEntries, setEntries, splitEntries, toEntry } from "./metadata.ts";
import { type Arrangement, arrangeForSharing, phaseOf } from "./sharing.ts";
import { sliceTensor } from "./slice.ts";

/** How the output is divided into files; one file unless something is asked for. */
export interface SplitOptions {
  /** Keep each tensor in the part it is in. */
  readonly keepSplit?: boolean | undefined;
  /** Begin a new part when the tensors of one would take more bytes. */
  readonly maxSize?: number | undefined;
}

/** A tensor that the input does not have, small enough to be held in memory. Blocks are numbered as in the input. */
export interface NewTensor extends Pick<TensorInfo, "name" | "shape" | "type"> {
  readonly bytes: Uint8Array;
}

/** What changes in the tensors that stay. */
export interface Changes {
  /** By the tensor's name in the input. */
  readonly transforms: ReadonlyMap<string, Transform>;
  readonly added: readonly NewTensor[];
}

const NO_CHANGES: Changes = { transforms: new Map(), added: [] };

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
  { transforms, added }: Changes = NO_CHANGES,
): FileLayout[] {
  const kept = model.tensors.flatMap((tensor): KeptTensor[] => {
    const newName = rewrite.renameTensor(tensor.name);
    if (newName === null) return [];
    const slice = rewrite.slices?.get(tensor.name);
    const { byteLength: sourceLength } = tensor;
    return [
      slice
        ? { ...tensor, newName, sourceLength, ...sliceTensor(tensor, slice) }
        : { ...tensor, newName, sourceLength, transform: transforms.get(tensor.name) },
    ];
  });
  const renamed = added.map((tensor) => ({
    ...tensor,
    name: rewrite.renameTensor(tensor.name) ?? tensor.name,
  }));
  const cut = setEntries(ownEntries(model), rewrite.set);
  const entries = setEntries(
    cut.map((entry) => ({ ...entry, key: rewrite.renameKey?.(entry.key) ?? entry.key })),
    provenance,
  );
  const parts = divide(kept, model.alignment, split);
  return parts.map((tensors, no) => {
    const own = no === 0 ? entries : entries.filter(({ key }) => key === "general.alignment");
    const metadata =
      parts.length === 1
        ? own
        : setEntries(own, splitEntries(no, parts.length, kept.length + renamed.length));
    const arrangement = arrangeForSharing(tensors, model.alignment);
    return layOutFile(model, metadata, arrangement, no === parts.length - 1 ? renamed : []);
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
function divide(
  kept: readonly KeptTensor[],
  alignment: number,
  { keepSplit, maxSize }: SplitOptions,
): KeptTensor[][] {
  if (keepSplit) {
    const parts = [...new Set(kept.map(({ file }) => file))].map((part) =>
      kept.filter(({ file }) => file === part),
    );
    return parts.length === 0 ? [[]] : parts;
  }
  const parts: KeptTensor[][] = [[]];
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
    toEntry("lorp.padding", { type: "array", elementType: "uint8", value: new Array<number>(count).fill(0) });
  const { key, raw } = entry(0);
  // The key's length and the type's number stand before an entry's value.
  const least = 8 + key.length + 4 + raw.length;
  return entry(phaseOf(phase - length - least));
}
