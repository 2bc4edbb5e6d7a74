// Puts the compiled addon where `npm pack` takes it from: prebuilds/<platform>-<arch>/lorp.node.
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "prebuilds", `${process.platform}-${process.arch}`);

rmSync(join(root, "prebuilds"), { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
copyFileSync(join(root, "build", "Release", "lorp.node"), join(folder, "lorp.node"));
