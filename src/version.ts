import { createRequire } from "node:module";

const { version }: { version: string } = createRequire(import.meta.url)("../package.json");

/** lorp's own version, as in package.json. */
export const VERSION: string = version;
