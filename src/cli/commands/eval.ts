import { type Command, Option } from "commander";
import type { EvaluateOptions } from "../../api/evaluate.ts";
import { PROTOCOLS } from "../../evaluation/windows.ts";
import { addOutputOptions, addRunOptions, addSampleOptions, whole } from "../options/groups.ts";
import { forApi } from "../options/own.ts";
import { choice } from "../options/quantities.ts";
import { addSourceOptions, findModel, type SourceOptions } from "../options/source.ts";
import { run } from "../run.ts";
import { type OutputOptions, openTerminal } from "../terminal.ts";

type Options = EvaluateOptions & OutputOptions & SourceOptions;

export function define(command: Command): void {
  command
    .option("--against <base>", "the model to compare with (default with --skip-layers: the model as it is)")
    .option("--skip-layers <list>", "score it as it would be without these layers, such as 5,7,11-13")
    .option("--text <file...>", "texts: plain, or .jsonl with a text field (default: lorp's own)")
    .option("--task <file...>", "multiple choice or prompts: .jsonl, .txt (HellaSwag) or .csv (Winogrande)")
    .addOption(
      choice(new Option("--protocol <name>", "how texts are cut and what is scored"), PROTOCOLS).default(
        "windows",
      ),
    )
    .option("--sequence-length <n>", "tokens in a window (default: 512, or the model's context)", whole(2))
    .option("--no-bos", "begin texts without the model's BOS token")
    .option("--sequences <n>", "windows scored of each text (default: all)", whole(1))
    .option("--base-cache <file>", "keep the base's logits here, or use those kept by an earlier run")
    .option("--speed", "also say how fast it is and how much memory it takes");
  addSampleOptions(command);
  addRunOptions(command);
  addSourceOptions(command);
  addOutputOptions(command);
  command.action((model: string, options: Options) =>
    run(async (signal) => {
      const terminal = openTerminal(options);
      const { evaluate } = await import("../../api/evaluate.ts");
      const { path } = await findModel(model, options, terminal, signal);
      const base =
        options.against === undefined
          ? undefined
          : await findModel(options.against, options, terminal, signal);
      const evaluation = await evaluate(path, {
        ...forApi(options),
        against: base?.path,
        signal,
        onProgress: terminal.onProgress,
        onNotice: terminal.say,
      });
      const { describeEvaluation } = await import("../text/evaluation.ts");
      await terminal.result(describeEvaluation(evaluation, terminal.style), evaluation);
    }),
  );
}
