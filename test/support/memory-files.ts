import type { OpenFile } from "../../src/gguf/files.ts";

/** Files that exist in memory only, by path. */
export function memoryFiles(files: Readonly<Record<string, Uint8Array>>): OpenFile {
  return async (path) => {
    const bytes = files[path];
    if (bytes === undefined) throw Object.assign(new Error(`no ${path}`), { code: "ENOENT" });
    return {
      size: bytes.length,
      state: "",
      async read(buffer, position) {
        const part = bytes.subarray(position, position + buffer.length);
        buffer.set(part);
        return part.length;
      },
      async close() {},
    };
  };
}
