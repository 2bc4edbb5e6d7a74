/** A file to fetch. */
export interface Download {
  readonly url: URL;
  readonly destination: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A file as its server describes it. */
export interface Remote extends Download {
  /** Bytes; undefined if the server does not say. */
  readonly size: number | undefined;
  /** The server can send the rest of this very version of the file. */
  readonly resumable: boolean;
  /** Says which version of the file the server has, byte for byte; undefined if it does not say. */
  readonly validator: string | undefined;
  /** SHA-256 of the file, hexadecimal, where the server says it. */
  readonly sha256: string | undefined;
  /** Where the bytes go until all are there; another name for another version. */
  readonly partial: string;
}
