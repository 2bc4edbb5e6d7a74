/** Why bytes are no text; the message goes on a sentence that begins with the file. */
export class NoText extends Error {}

/**
 * Reads text as every file of the user's is read: UTF-8, with or without a byte order mark.
 * @throws NoText with the first line that is no UTF-8
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const [first, second] = bytes;
    const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
    throw new NoText(
      isUtf16 ? "is UTF-16 text" : `is not valid UTF-8 (line ${firstBadLine(bytes)}), perhaps Latin-1`,
    );
  }
}

/** A UTF-8 sequence never contains the byte of a line feed, so each line can be tried alone. */
function firstBadLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let line = 1, start = 0; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    try {
      decoder.decode(bytes.subarray(start, end < 0 ? bytes.length : end));
    } catch {
      return line;
    }
    start = end + 1;
  }
}
