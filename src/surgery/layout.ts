import type { Rewrite } from "../architecture/types.ts";
import { alignUp } from "../gguf/header.ts";
import type { GgufFile, GgufValue, TensorInfo } from "../gguf/types.ts";
import { type RawEntry, writeHeader } from "../gguf/write.ts";
import type { Range } from "./copy.ts";
import { ownEntries, setEntries, splitEntries, toEntry } from "./metadata.ts";
import { type Arrangement, arrangeForSharing, phaseOf } from "./sharing.ts";

/** How the output is divided into files; one file unless something is asked for. */
export interface SplitOptions {
  /** Keep each tensor in the part it is in. */
  readonly keepSplit?: boolean | undefined;
  /** Begin a new part when the tensors of one would take more bytes. */
  readonly maxSize?: number | undefined;
}

/** A tensor that stays, under its new name. */
interface KeptTensor extends TensorInfo {
  readonly newName: string;
}

/** A range of the input's part `file`. */
export interface SourceRange extends Range {
  readonly file: number;
}

/** One output file: `header` first, then `ranges` of the input; zeros between them. */
export interface FileLayout {
  readonly header: Uint8Array;
  readonly ranges: readonly SourceRange[];
  readonly size: number;
}

/** What every file of the output will hold. Pure: no byte is read or written. */
export function layOut(
  model: GgufFile,
  rewrite: Rewrite,
  provenance: ReadonlyMap<string, GgufValue>,
  split: SplitOptions = {},
): FileLayout[] {
  const kept = model.tensors.flatMap((tensor): KeptTensor[] => {
    const newName = rewrite.renameTensor(tensor.name);
    return newName === null ? [] : [{ ...tensor, newName }];
  });
  const entries = setEntries(setEntries(ownEntries(model), rewrite.set), provenance);
  const parts = divide(kept, model.alignment, split);
  return parts.map((tensors, no) => {
    const own = no === 0 ? entries : entries.filter(({ key }) => key === "general.alignment");
    const metadata = parts.length === 1 ? own : setEntries(own, splitEntries(no, parts.length, kept.length));
    return layOutFile(model, metadata, arrangeForSharing(tensors, model.alignment));
  });
}

/** One file, its data moved by padding in the metadata to where the input's blocks can be shared. */
function layOutFile(
  { version, alignment }: GgufFile,
  metadata: readonly RawEntry[],
  { tensors, phase }: Arrangement<KeptTensor>,
): FileLayout {
  const named = tensors.map(({ newName, ...tensor }) => ({ ...tensor, name: newName }));
  const write = (entries: readonly RawEntry[]) =>
    writeHeader({ version, alignment, metadata: entries, tensors: named });
  const plain = write(metadata);
  const padding = paddingEntry(plain.bytes.length, phase);
  const { bytes, offsets, fileSize } = padding === undefined ? plain : write([...metadata, padding]);
  return { header: bytes, ranges: joinRanges(tensors, offsets), size: fileSize };
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
  for (const [i, { file, fileOffset: from, byteLength }] of tensors.entries()) {
    const to = offsets[i]!;
    const last = ranges.at(-1);
    if (last?.file === file && from >= last.from && from - last.from === to - last.to) {
      ranges[ranges.length - 1] = { ...last, length: to + byteLength - last.to };
    } else {
      ranges.push({ file, from, to, length: byteLength });
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
