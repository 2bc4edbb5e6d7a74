/** What the command line keeps to itself, whatever the command. */
const OWN = ["json", "quiet", "color", "config", "hfToken", "report", "modelfile", "modelCard"] as const;

/**
 * The options of a command that are those of its function.
 * @param also further ones that the command keeps to itself
 */
export function forApi<Options extends object, Also extends keyof Options = never>(
  options: Options,
  also: readonly Also[] = [],
): Omit<Options, (typeof OWN)[number] | Also> {
  const own = new Set<PropertyKey>([...OWN, ...also]);
  return Object.fromEntries(Object.entries(options).filter(([name]) => !own.has(name))) as Omit<
    Options,
    (typeof OWN)[number] | Also
  >;
}

/** Those of a command's options that another function than the command's own knows. @param names the function's */
export function sharedWith<Options extends object, Names extends object>(
  options: Options,
  names: Names,
): Pick<Options, keyof Options & keyof Names> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name in names)) as Pick<
    Options,
    keyof Options & keyof Names
  >;
}
