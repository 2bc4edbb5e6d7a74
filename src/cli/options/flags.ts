/** An option as the messages of everything below the command line name it: `` `threads` ``, `` `gpu: "off"` ``. */
const OPTION = /`([a-z]+(?:[A-Z][a-z]+)*)(?:: ([^`]+))?`/g;

/** A message for a program as one for a person, whose options are flags: `--threads`, `--gpu off`. */
export function withFlags(message: string): string {
  return message.replace(OPTION, (_, name: string, value?: string) => flag(name, value));
}

function flag(name: string, value: string | undefined): string {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (value === "false") return `--no-${words}`;
  return value === undefined ? `--${words}` : `--${words} ${value.replace(/["[\] ]/g, "")}`;
}
