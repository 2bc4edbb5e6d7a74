import { Argument, Command } from "commander";
import { complete, type ValueSource } from "./complete.ts";
import { run } from "./run.ts";

/** What each shell is told: ask `lorp complete`, and complete file names where it knows nothing. */
const SCRIPTS = {
  bash: `_lorp() {
  local IFS=$'\\n'
  COMPREPLY=($(lorp complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -o nosort -F _lorp lorp 2>/dev/null || complete -o default -F _lorp lorp
`,
  zsh: `#compdef lorp
_lorp() {
  local -a candidates
  candidates=(\${(f)"$(lorp complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#candidates} )); then compadd -V lorp -- $candidates; else _files; fi
}
compdef _lorp lorp
`,
  fish: `function __lorp_candidates
  set -l words (commandline -opc) (commandline -ct)
  set -l candidates (lorp complete -- $words[2..] 2>/dev/null)
  if test (count $candidates) -gt 0
    string join \\n -- $candidates
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c lorp -f -k -a '(__lorp_candidates)'
`,
} as const;

const SHELLS = ["bash", "zsh", "fish"] as const;

export function completionCommand(): Command {
  return new Command("completion")
    .description("print what makes a shell complete lorp's commands, options, methods and layer numbers")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => {
      process.stdout.write(SCRIPTS[shell]);
    });
}

/** Called by the shells; not shown in the help. */
export function completeCommand(program: Command): Command {
  return new Command("complete")
    .argument("[words...]", "the command line up to the cursor, without lorp")
    .action((words: string[]) =>
      run(async () => {
        const candidates = await complete(program, words, SOURCES);
        if (candidates.length > 0) process.stdout.write(`${candidates.join("\n")}\n`);
      }),
    );
}

const methods: ValueSource = async () => {
  const { METHODS } = await import("../selection/methods.ts");
  return METHODS.map(({ name }) => name);
};

const layers: ValueSource = async (words) => {
  const { readGguf } = await import("../gguf/read.ts");
  const { readModel } = await import("../architecture/metadata.ts");
  for (const word of words) {
    const file = await readGguf(word).catch(() => undefined);
    if (file) return Array.from({ length: readModel(file).blockCount }, (_, layer) => String(layer));
  }
  return [];
};

const SOURCES: Readonly<Record<string, ValueSource>> = {
  "--method": methods,
  "--methods": methods,
  "--layers": layers,
  "--skip-layers": layers,
};
