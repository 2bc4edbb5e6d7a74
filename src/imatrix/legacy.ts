import { unreadable } from "./errors.ts";
import type { ImportanceMatrix } from "./types.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The format before 2025, usually called imatrix.dat (source: llama.cpp common/imatrix-loader.cpp): a number of
 * entries with a name, a number of calls and that many times the means each, then the number of chunks and the text's
 * name, which older files lack.
 * @throws ImatrixError
 */
export function parseLegacyImatrix(path: string, bytes: Uint8Array): ImportanceMatrix {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (length: number) => {
    if (length < 0 || length > bytes.length - at) throw unreadable(path, "it is damaged, or none at all");
    at += length;
    return at - length;
  };
  const integer = () => view.getInt32(take(4), true);
  const text = () => {
    const length = integer();
    const start = take(length);
    try {
      return utf8.decode(bytes.subarray(start, start + length));
    } catch (cause) {
      throw unreadable(path, "a name in it is not valid UTF-8", { cause });
    }
  };
  const values = new Map<string, Float32Array>();
  const entries = integer();
  for (let entry = 0; entry < entries; entry++) {
    const name = text();
    const calls = integer();
    const count = integer();
    const start = take(count * 4);
    const divisor = calls > 0 ? Math.fround(calls) : 1;
    values.set(
      name,
      Float32Array.from({ length: count }, (_, i) => view.getFloat32(start + i * 4, true) / divisor),
    );
  }
  if (values.size === 0) throw unreadable(path, "it is empty");
  const chunks = at < bytes.length ? integer() : 0;
  const dataset = at < bytes.length ? text() : "";
  return { path, datasets: dataset === "" ? [] : [dataset], chunks, values };
}
