// Makes the tarballs for a release on several platforms: node scripts/pack-platforms.js <addons> <output>
//
// <addons> holds what was compiled on each platform, as <platform>-<arch>/lorp.node (the prebuilds/ folders of their
// checkouts). One package lorp-<platform>-<arch> is made of each; npm installs the one that fits. The package lorp
// then carries no addon of its own and names them all as optional.
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [addons, output] = process.argv.slice(2).map((path) => resolve(path));
if (addons === undefined || output === undefined) {
  console.error("usage: node scripts/pack-platforms.js <addons> <output>");
  process.exit(2);
}

/** @type {Record<string, unknown> & { version: string, license: string }} */
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const platforms = readdirSync(addons, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const work = mkdtempSync(join(tmpdir(), "lorp-pack-"));

/** @param {string} folder @param {object} contents */
function pack(folder, contents) {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(contents, null, 2)}\n`);
  const args = ["pack", "--ignore-scripts", "--silent", "--pack-destination", output ?? ""];
  process.stdout.write(execFileSync("npm", args, { cwd: folder, encoding: "utf8" }));
}

/** @param {string} platform */
function packPlatform(platform) {
  const [os, cpu] = platform.split("-");
  const folder = join(work, platform);
  mkdirSync(folder);
  copyFileSync(join(addons ?? "", platform, "lorp.node"), join(folder, "lorp.node"));
  pack(folder, {
    name: `lorp-${platform}`,
    version: manifest.version,
    description: `The compiled addon of lorp for ${platform}.`,
    license: manifest.license,
    repository: manifest.repository,
    os: [os],
    cpu: [cpu],
    files: ["lorp.node"],
  });
}

function packMain() {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const [{ files }] = JSON.parse(execFileSync("npm", args, { cwd: root, encoding: "utf8" }));
  const folder = join(work, "lorp");
  for (const { path } of files) {
    if (!path.startsWith("prebuilds/")) cpSync(join(root, path), join(folder, path));
  }
  const optional = platforms.map((platform) => [`lorp-${platform}`, manifest.version]);
  const { scripts: _, ...published } = manifest;
  pack(folder, {
    ...published,
    scripts: installScript(),
    optionalDependencies: Object.fromEntries(optional),
  });
}

/** The scripts that mean something in an installed package. */
function installScript() {
  const { install } = /** @type {Record<string, string>} */ (manifest.scripts);
  return { install };
}

try {
  mkdirSync(output, { recursive: true });
  for (const platform of platforms) packPlatform(platform);
  packMain();
} finally {
  rmSync(work, { recursive: true, force: true });
}
