/** How far a piece of long work has come. */
export interface Progress {
  readonly stage:
    | "download"
    | "capture"
    | "search"
    | "sample"
    | "repair"
    | "evaluate"
    | "write"
    | "quantize"
    | "diff";
  readonly done: number;
  readonly total: number;
  readonly unit: "tokens" | "bytes" | "seconds";
  /** How much of what is done an earlier run had done, so that it tells nothing about speed. */
  readonly known?: number | undefined;
  /** What else there is to tell, in a few words. */
  readonly note?: string | undefined;
}
