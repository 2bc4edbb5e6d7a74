import Type from "typebox";
import { count } from "./fields.ts";

/** What both models write, given the same beginnings. */
export const SamplesSchema = Type.Object(
  {
    mode: Type.Enum(["chat", "completion"], {
      description:
        "Whether questions were asked in the model's chat format, or texts were to be gone on with.",
    }),
    prompts: count("Number of prompts, none of which was used for the choice."),
    tokens: count("Tokens that each continuation has at most."),
    agreed: Type.Number({ description: "Tokens that are the same before the two part; mean over prompts." }),
    repeated: Type.Object(
      { original: Type.Number(), pruned: Type.Number() },
      { description: "Share of the runs of four tokens that occurred before in the same continuation." },
    ),
    examples: Type.Array(
      Type.Object({ prompt: Type.String(), original: Type.String(), pruned: Type.String() }),
      { description: "Some of the continuations, to be read side by side." },
    ),
  },
  { description: "How the pruned model's greedy continuations differ from the original's." },
);

export type { Samples } from "./types.ts";
