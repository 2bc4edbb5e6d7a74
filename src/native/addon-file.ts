import { createRequire } from "node:module";
import { LorpError } from "../errors.ts";

export type AddonErrorCode = "ADDON_MISSING" | "ADDON_UNUSABLE";

/** The compiled addon is not there, or the system cannot load it. */
export class AddonError extends LorpError<AddonErrorCode> {}

const require = createRequire(import.meta.url);

const PLATFORM = `${process.platform}-${process.arch}`;

/** Where the compiled addon may be: built here, brought along in the package, or installed as a package of its own. */
const PLACES = [
  "../../build/Release/lorp.node",
  `../../prebuilds/${PLATFORM}/lorp.node`,
  `lorp-${PLATFORM}/lorp.node`,
];

/**
 * Loads the addon for this platform.
 * @param places module names, tried in this order
 * @throws AddonError `ADDON_MISSING` if there is none, `ADDON_UNUSABLE` if the system refuses the first one there is
 */
export function loadAddon(places: readonly string[] = PLACES): unknown {
  const path = places.map(find).find((found) => found !== undefined);
  if (path === undefined) {
    throw new AddonError(
      "ADDON_MISSING",
      `No compiled addon for ${PLATFORM} is installed; run "npx lorp-build" to compile it here (it needs a C++20 compiler, cmake and git).`,
    );
  }
  try {
    return require(path);
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new AddonError(
      "ADDON_UNUSABLE",
      `The compiled addon ${path} does not run on this system (${reason}); run "npx lorp-build" to compile it here (it needs a C++20 compiler, cmake and git).`,
      { cause },
    );
  }
}

function find(place: string): string | undefined {
  try {
    return require.resolve(place);
  } catch {
    return undefined;
  }
}
