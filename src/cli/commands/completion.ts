import type { Command } from "commander";

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

export function define(command: Command): void {
  command.action((shell: keyof typeof SCRIPTS) => {
    process.stdout.write(SCRIPTS[shell]);
  });
}
