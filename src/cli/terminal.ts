import type { Progress } from "../progress.ts";
import { formatBytes, formatDuration } from "../report/format.ts";
import type { TerminalStyle } from "../report/terminal/index.ts";
import { withFlags } from "./options/flags.ts";
import { printable, printableDrawing } from "./printable.ts";

export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  /** false with `--no-color`. */
  readonly color?: boolean | undefined;
}

/** The most columns that drawings use, however wide the terminal is. */
const WIDTH = 80;

/**
 * Where a command's words go. The result goes to stdout: one JSON document with `json`, else text. Everything on the
 * way goes to stderr, and nowhere with `quiet`.
 */
export interface Terminal {
  /** A remark on the way. */
  say(text: string): void;
  /** Draws how far the work is: one line that renews itself on a terminal, a line for every tenth when piped. */
  readonly onProgress: (progress: Progress) => void;
  /** How to draw on stdout; undefined where that is no terminal, so that piped output stays plain. */
  readonly style: TerminalStyle | undefined;
  /** The command's result. */
  result(text: string, document: object): Promise<void>;
}

const STAGES: Record<Progress["stage"], string> = {
  download: "Downloading",
  capture: "Measuring",
  search: "Comparing",
  sample: "Sampling",
  repair: "Repairing",
  evaluate: "Evaluating",
  write: "Writing",
  quantize: "Quantising",
  diff: "Comparing",
};

/** How often the progress line is redrawn, milliseconds. */
const REDRAW = 100;

/** What stdout can show; Node's own look at the terminal honours NO_COLOR. */
function styleOf({ isTTY, columns }: NodeJS.WriteStream, color: boolean): TerminalStyle | undefined {
  if (!isTTY) return undefined;
  const bits = color ? process.stdout.getColorDepth() : 1;
  return {
    colour: bits >= 24 ? "truecolour" : bits >= 8 ? "256" : "none",
    // Some terminals, such as those of CI, say that they have none.
    width: Math.min(columns || WIDTH, WIDTH),
  };
}

export function openTerminal({ json = false, quiet = false, color = true }: OutputOptions): Terminal {
  const progress = quiet ? () => {} : process.stderr.isTTY ? liveProgress() : pipedProgress();
  const style = styleOf(process.stdout, color);
  return {
    say(text) {
      if (!quiet) process.stderr.write(`${printable(withFlags(text))}\n`);
    },
    onProgress: progress,
    style,
    async result(text, document) {
      if (json) {
        const { stringifyDocument } = await import("../documents/stringify.ts");
        process.stdout.write(printable(stringifyDocument(document)));
      } else if (!quiet) {
        process.stdout.write(`${style ? printableDrawing(text) : printable(text)}\n`);
      }
    },
  };
}

interface Moment {
  /** Whether this is the first that is heard of a stage. */
  readonly started: boolean;
  /** Units a second since then; 0 as long as there is nothing to judge by. */
  readonly rate: number;
}

/** Follows one stage after another and knows how fast each goes. */
function stageClock(): (progress: Progress) => Moment {
  let last: Progress | undefined;
  let first = { ran: 0, time: 0 };
  return (progress) => {
    const started = progress.stage !== last?.stage || progress.done < last.done;
    last = progress;
    const ran = progress.done - (progress.known ?? 0);
    if (started) first = { ran, time: performance.now() };
    const seconds = (performance.now() - first.time) / 1000;
    return { started, rate: seconds > 0.1 ? Math.max(0, ran - first.ran) / seconds : 0 };
  };
}

function describe({ stage, done, total, unit, note }: Progress, rate: number): string {
  const percent = `${Math.floor((100 * done) / Math.max(total, 1))} %`;
  const amount =
    unit === "bytes" ? [`${formatBytes(rate)}/s`] : unit === "tokens" ? [`${Math.round(rate)} tokens/s`] : [];
  const left = done < total ? [`${formatDuration((total - done) / rate)} left`] : [];
  const pace = rate > 0 ? `  ${[...amount, ...left].join(", ")}` : "";
  return `${STAGES[stage]} ${percent.padStart(5)}${pace}${note ? `; ${printable(note)}` : ""}`;
}

function liveProgress(): (progress: Progress) => void {
  const clock = stageClock();
  let drawn = 0;
  return (progress) => {
    const { started, rate } = clock(progress);
    const finished = progress.done >= progress.total;
    if (!started && !finished && performance.now() - drawn < REDRAW) return;
    drawn = performance.now();
    // A line that wraps could not be renewed.
    const line = describe(progress, rate).slice(0, (process.stderr.columns || WIDTH) - 1);
    process.stderr.write(`\r\u001b[K${line}${finished ? "\n" : ""}`);
  };
}

function pipedProgress(): (progress: Progress) => void {
  const clock = stageClock();
  let tenth = -1;
  return (progress) => {
    const { started, rate } = clock(progress);
    if (started) tenth = -1;
    const reached = Math.floor((10 * progress.done) / Math.max(progress.total, 1));
    if (reached === tenth || progress.done === 0) return;
    tenth = reached;
    process.stderr.write(`${describe(progress, rate)}\n`);
  };
}
