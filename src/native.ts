import { createRequire } from "node:module";

/** The C++ addon's surface, as small as it can be. See native/addon.cpp; src/model gives it a friendly face. */
export interface Addon {
  /** llama.cpp release whose headers it was compiled with. */
  readonly release: string;
  /** Finds the loaded llama.cpp in the process and fills the function table. Throws naming a missing symbol. */
  attach(libraryNames: readonly string[]): void;
  /**
   * Spectral clustering of an n×n similarity matrix (row-major) into k clusters: DESIGN "LoRP, exactly".
   * @returns n labels, numbered by first layer
   */
  spectralClusters(similarity: Float64Array, n: number, k: number, seed: number): Int32Array;
}

const require = createRequire(import.meta.url);

/** The compiled addon; loading it does not touch llama.cpp. */
export const addon: Addon = require("../build/Release/lorp.node");
