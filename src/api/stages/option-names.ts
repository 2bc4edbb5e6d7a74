/**
 * The names of a function's options, so that others can be refused by name. The compiler holds that none is missing;
 * each list stands beside the interface that it repeats. `false` is for those that only the command line gives.
 */
export type OptionNames<Options> = Readonly<Record<keyof Options, boolean>>;
