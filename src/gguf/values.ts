import type { Cursor } from "./cursor.ts";
import {
  type GgufArray,
  type GgufValue,
  METADATA_TYPES,
  type MetadataType,
  type ScalarType,
  type ScalarValue,
} from "./types.ts";

/** Arrays within arrays within … : more than this many levels is damage, not data. */
const MAX_NESTING = 8;

interface FixedType {
  readonly size: number;
  read(view: DataView, at: number): ScalarValue;
  write(view: DataView, at: number, value: ScalarValue): void;
}

type Accessor = "Uint8" | "Int8" | "Uint16" | "Int16" | "Uint32" | "Int32" | "Float32" | "Float64";
type BigAccessor = "BigUint64" | "BigInt64";

function fixed(size: number, name: Accessor | BigAccessor): FixedType {
  return {
    size,
    read: (view, at) => view[`get${name}`](at, true),
    write: (view, at, value) => view[`set${name}`](at, value as never, true),
  };
}

/** The types whose values all have one size, in their little-endian form. */
const FIXED: Record<Exclude<ScalarType, "string">, FixedType> = {
  uint8: fixed(1, "Uint8"),
  int8: fixed(1, "Int8"),
  uint16: fixed(2, "Uint16"),
  int16: fixed(2, "Int16"),
  uint32: fixed(4, "Uint32"),
  int32: fixed(4, "Int32"),
  uint64: fixed(8, "BigUint64"),
  int64: fixed(8, "BigInt64"),
  float32: fixed(4, "Float32"),
  float64: fixed(8, "Float64"),
  bool: {
    size: 1,
    read: (view, at) => view.getUint8(at) !== 0,
    write: (view, at, value) => view.setUint8(at, value === true ? 1 : 0),
  },
};

/** The least a value of the type takes on disk: an empty string is 8 bytes, an empty array 12. */
function minimumSize(type: MetadataType): number {
  if (type === "string") return 8;
  return type === "array" ? 12 : FIXED[type].size;
}

/** Reads the number of a metadata type. @throws GgufError `GGUF_VALUE_TYPE` */
export function readType(cursor: Cursor, what: string): MetadataType {
  const at = cursor.position;
  const number = cursor.u32(`the type of ${what}`);
  const type = METADATA_TYPES[number];
  if (type === undefined) throw cursor.error("GGUF_VALUE_TYPE", `${what} has the unknown type ${number}`, at);
  return type;
}

/** Reads an array's element type and count. */
export function readArrayHead(cursor: Cursor, what: string): { elementType: MetadataType; length: number } {
  const elementType = readType(cursor, what);
  return { elementType, length: cursor.count(minimumSize(elementType), `the length of ${what}`) };
}

/** Steps over a value and so checks that all of it is there. Linear in the value's bytes, keeps nothing. */
export function skipValue(cursor: Cursor, type: MetadataType, what: string, depth = 0): void {
  if (type === "string") {
    cursor.skipString(what);
  } else if (type === "array") {
    if (depth === MAX_NESTING) {
      throw cursor.error("GGUF_NESTING", `${what} has arrays nested more than ${MAX_NESTING} deep`);
    }
    const { elementType, length } = readArrayHead(cursor, what);
    if (elementType === "string" || elementType === "array") {
      for (let i = 0; i < length; i++) skipValue(cursor, elementType, what, depth + 1);
    } else {
      cursor.take(length * FIXED[elementType].size, what);
    }
  } else {
    cursor.take(FIXED[type].size, what);
  }
}

function readScalar(cursor: Cursor, type: ScalarType, what: string): ScalarValue {
  if (type === "string") return cursor.text(what);
  return FIXED[type].read(cursor.view, cursor.take(FIXED[type].size, what));
}

function readArray(cursor: Cursor, what: string): GgufArray {
  const { elementType, length } = readArrayHead(cursor, what);
  return elementType === "array"
    ? { type: "array", elementType, value: Array.from({ length }, () => readArray(cursor, what)) }
    : {
        type: "array",
        elementType,
        value: Array.from({ length }, () => readScalar(cursor, elementType, what)),
      };
}

/** Reads a whole value; what is not UTF-8 in its strings is replaced by U+FFFD. @throws GgufError */
export function readValue(cursor: Cursor, type: MetadataType, what: string): GgufValue {
  return type === "array" ? readArray(cursor, what) : { type, value: readScalar(cursor, type, what) };
}

const utf8 = new TextEncoder();

/** The parts one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function encodeScalar(type: ScalarType, value: ScalarValue): Uint8Array {
  if (type === "string" && typeof value === "string") {
    const text = utf8.encode(value);
    return concat([encodeScalar("uint64", BigInt(text.length)), text]);
  }
  if (type === "string") throw new TypeError(`${value} is not a string`);
  const bytes = new Uint8Array(FIXED[type].size);
  const view = new DataView(bytes.buffer);
  FIXED[type].write(view, 0, value);
  // A value that its type cannot hold would be wrapped or rounded without a word; only a float32 may round.
  const expected = type === "float32" && typeof value === "number" ? Math.fround(value) : value;
  const stored = FIXED[type].read(view, 0);
  if (stored !== expected && !Object.is(stored, expected)) throw new TypeError(`${value} is not a ${type}`);
  return bytes;
}

/** The number a type has on disk. */
export function encodeType(type: MetadataType): Uint8Array {
  return encodeScalar("uint32", METADATA_TYPES.indexOf(type));
}

/** A string as on disk, its length in front. */
export function encodeString(text: string): Uint8Array {
  return encodeScalar("string", text);
}

/**
 * A value as on disk, without the number of its own type: what `MetadataEntry.raw` holds.
 * @throws TypeError for a value that its type cannot hold
 */
export function encodeValue(value: GgufValue): Uint8Array {
  if (value.raw) return value.raw;
  if (value.type !== "array") return encodeScalar(value.type, value.value);
  const { elementType } = value;
  const elements =
    elementType === "array"
      ? (value.value as readonly GgufArray[]).map(encodeValue)
      : (value.value as readonly ScalarValue[]).map((element) => encodeScalar(elementType, element));
  return concat([encodeType(elementType), encodeScalar("uint64", BigInt(elements.length)), ...elements]);
}
