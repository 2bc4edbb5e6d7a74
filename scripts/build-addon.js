#!/usr/bin/env node
// Compiles the addon into build/Release, where it goes before any that came with the package. `--if-missing`: only if
// there is none that runs on this system, and without failing an installation: what needs no addon works without.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const ifMissing = process.argv.includes("--if-missing");

async function addonRuns() {
  const loader = join(root, "dist", "native", "addon-file.js");
  // A fresh checkout has nothing to load the addon with yet; building it is one of the next steps.
  if (!existsSync(loader)) return true;
  const { loadAddon } = await import(loader);
  try {
    loadAddon();
    return true;
  } catch {
    return false;
  }
}

if (!ifMissing || !(await addonRuns())) {
  const cmakeJs = join(dirname(require.resolve("cmake-js/package.json")), "bin", "cmake-js");
  const { status } = spawnSync(process.execPath, [cmakeJs, "compile"], { cwd: root, stdio: "inherit" });
  if (status === 0) {
    console.log(`Compiled ${join(root, "build", "Release", "lorp.node")}.`);
  } else {
    console.error(
      "lorp: the addon could not be compiled; install a C++20 compiler, cmake and git, then run npx lorp-build.",
    );
    process.exitCode = ifMissing ? 0 : 1;
  }
}
