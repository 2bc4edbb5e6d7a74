/** How much each column of a model's weight matrices counts, as llama.cpp's llama-imatrix measured it on a text. */
export interface ImportanceMatrix {
  readonly path: string;
  /** Names of the texts. */
  readonly datasets: readonly string[];
  /** Pieces of text that it was measured on; 0 where the file does not say. */
  readonly chunks: number;
  /** By the matrix's name: mean squares of its inputs, one a column; of experts one row of them each. */
  readonly values: ReadonlyMap<string, Float32Array>;
}
