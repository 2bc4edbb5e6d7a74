import { LorpError } from "../errors.ts";

export type RuntimeErrorCode =
  | "CHAT_ANSWER"
  | "CHAT_LOAD"
  | "CHAT_TEMPLATE"
  | "QUANTIZE_AGAIN"
  | "QUANTIZE_FAILED"
  | "REPAIR_SINGULAR"
  | "RUNTIME_ATTACH"
  | "RUNTIME_CRASHED"
  | "RUNTIME_MEMORY"
  | "RUNTIME_MODEL"
  | "RUNTIME_NAN"
  | "RUNTIME_NOT_FOUND"
  | "RUNTIME_RPC_BACKEND"
  | "RUNTIME_RPC_SERVER";

/** The runtime (llama.cpp as node-llama-cpp brings it) could not be used, or could not do what was asked. */
export class RuntimeError extends LorpError<RuntimeErrorCode> {}
