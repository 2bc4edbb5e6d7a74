import { GgufError, type GgufErrorCode } from "./errors.ts";

/** Thrown when the parse has come to the end of the bytes read so far, but not of the file. */
export class MoreBytesNeeded extends Error {
  /** The parse can go on once the file's first `end` bytes are there. */
  readonly end: number;

  constructor(end: number) {
    super(`bytes up to ${end} are needed`);
    this.end = end;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads little-endian values one after the other from a file's first bytes. */
export class Cursor {
  readonly path: string;
  readonly bytes: Uint8Array;
  position: number;
  readonly #view: DataView;
  readonly #base: number;
  readonly #fileSize: number;

  /**
   * @param bytes what has been read of the file, from offset `base` on
   * @param fileSize where the file ends; more than `bytes` holds means that the rest can still be read
   */
  constructor(path: string, bytes: Uint8Array, fileSize: number, base = 0) {
    this.path = path;
    this.bytes = bytes;
    this.position = 0;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#base = base;
    this.#fileSize = fileSize;
  }

  /** Bytes of the file that are left, read or not. */
  get remaining(): number {
    return this.#fileSize - this.#base - this.position;
  }

  /** An error at the current position, or at `position`. */
  error(code: GgufErrorCode, reason: string, position = this.position): GgufError {
    return new GgufError(code, this.path, this.#base + position, reason);
  }

  /** Steps over `length` bytes and returns where they start. @throws GgufError when the file is too short */
  take(length: number, what: string): number {
    const start = this.position;
    if (length > this.remaining) {
      throw this.error("GGUF_TRUNCATED", `the file ends within ${what}`);
    }
    if (start + length > this.bytes.length) throw new MoreBytesNeeded(start + length);
    this.position = start + length;
    return start;
  }

  u8(what: string): number {
    return this.#view.getUint8(this.take(1, what));
  }

  u32(what: string): number {
    return this.#view.getUint32(this.take(4, what), true);
  }

  /** A 64-bit length, count or offset. @throws GgufError `GGUF_COUNT` above 2^53 − 1 */
  u64(what: string): number {
    const at = this.take(8, what);
    const value = this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
    if (value > Number.MAX_SAFE_INTEGER) {
      throw this.error("GGUF_COUNT", `${what} is ${this.#view.getBigUint64(at, true)}`, at);
    }
    return value;
  }

  /** A 64-bit number of things that take at least `minimumSize` bytes each. @throws GgufError `GGUF_COUNT` */
  count(minimumSize: number, what: string): number {
    const at = this.position;
    const value = this.u64(what);
    if (value * minimumSize > this.remaining) {
      throw this.error("GGUF_COUNT", `${what} is ${value}, more than the rest of the file can hold`, at);
    }
    return value;
  }

  /** A string with its 64-bit length in front. @throws GgufError `GGUF_UTF8` */
  string(what: string): string {
    const length = this.count(1, `the length of ${what}`);
    const start = this.take(length, what);
    try {
      return utf8.decode(this.bytes.subarray(start, start + length));
    } catch {
      throw this.error("GGUF_UTF8", `${what} is not valid UTF-8`, start);
    }
  }

  /** A string that is only told to people: what is not UTF-8 in it is replaced by U+FFFD, as it is no reason to refuse. */
  text(what: string): string {
    const length = this.count(1, `the length of ${what}`);
    const start = this.take(length, what);
    return lenient.decode(this.bytes.subarray(start, start + length));
  }

  /** Steps over a string without decoding it. */
  skipString(what: string): void {
    this.take(this.count(1, `the length of ${what}`), what);
  }

  get view(): DataView {
    return this.#view;
  }
}
