/** What a process offers: functions by name. Arguments and results are what a structured clone can carry. */
export type Calls<Offered> = { [Name in keyof Offered]: (...args: never[]) => unknown };

/** A call, or the wish that one stop. */
export type Request =
  | { readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly id: number; readonly stop: true };

/** How far a call is, any number of times, then how it ended. */
export type Response =
  | { readonly id: number; readonly progress: unknown }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: SentError };

/** An error as it is sent; `code` where it has one. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
}
