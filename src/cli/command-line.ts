import { withoutSecrets } from "../secrets.ts";
import { shellQuote } from "../shell-quote.ts";

/** Options whose value belongs in no document. */
const SECRET = /^--hf-token(=|$)/;

/**
 * The command line as one could type it into a shell, for documents; secrets are left out.
 * @param args what follows the program's name
 */
export function commandLine(args: readonly string[] = process.argv.slice(2)): string {
  const shown: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!SECRET.test(arg)) shown.push(arg);
    else if (!arg.includes("=")) i++;
  }
  return ["lorp", ...shown.map((arg) => shellQuote(withoutSecrets(arg)))].join(" ");
}
