import { variable } from "../environment.ts";
import { SourceError } from "./errors.ts";

/**
 * The Hub or a mirror of it, without a slash at the end; the variables are llama.cpp's and huggingface_hub's.
 * @throws SourceError `SOURCE_ENDPOINT`
 */
export function hubEndpoint(): string {
  const name = ["HF_ENDPOINT", "MODEL_ENDPOINT"].find(variable);
  const endpoint = (name && variable(name)) ?? "https://huggingface.co";
  // What stands there may hold a password, so it is not repeated.
  const refused = (what: string) => new SourceError("SOURCE_ENDPOINT", `The variable ${name} ${what}`);
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint))
    throw refused("is not an address; write it like https://huggingface.co, or unset it.");
  const { username, password } = new URL(endpoint);
  if (username !== "" || password !== "")
    throw refused("has a user name or password in it; leave them out, and give a token with HF_TOKEN.");
  return endpoint.replace(/\/+$/, "");
}
