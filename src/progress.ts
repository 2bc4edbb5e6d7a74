/** How far a piece of long work has come. */
export interface Progress {
  readonly stage:
    | "download"
    | "capture"
    | "search"
    | "compensate"
    | "repair"
    | "evaluate"
    | "write"
    | "quantize"
    | "diff";
  readonly done: number;
  readonly total: number;
  /** `sets` of layers are counted against how many there will be at most. */
  readonly unit: "tokens" | "bytes" | "sets";
  /** What else there is to tell, in a few words. */
  readonly note?: string | undefined;
}
