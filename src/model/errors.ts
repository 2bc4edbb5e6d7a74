import { LorpError } from "../errors.ts";

/** The runtime (llama.cpp as node-llama-cpp brings it) could not be used, or could not do what was asked. */
export class RuntimeError extends LorpError {}
