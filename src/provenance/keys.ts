/** What the metadata keys begin with by which a file says what lorp made it of. */
export const OWN_PREFIX = "lorp.";

/** Those keys. */
export const KEYS = {
  version: "lorp.version",
  method: "lorp.method",
  removedLayers: "lorp.removed_layers",
  originalBlockCount: "lorp.original_block_count",
  /** Of a model that was cut several times. */
  firstBlockCount: "lorp.first_block_count",
  firstLayers: "lorp.first_layers",
  insertedBlocks: "lorp.inserted_blocks",
  repair: "lorp.repair",
  repairedLayers: "lorp.repaired_layers",
  rls: "lorp.rls",
  sourceFingerprint: "lorp.source_fingerprint",
  /** Zeros that make the header end where the input's does in a file system's block, so that tensors can be shared. */
  padding: "lorp.padding",
} as const;
