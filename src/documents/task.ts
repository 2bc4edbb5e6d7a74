import Type from "typebox";
import { count, share } from "./fields.ts";

const AccuracySchema = Type.Object({
  accuracy: share("Share of right answers: the right choice has the highest log-likelihood."),
  interval: Type.Array(share(), {
    minItems: 2,
    description: "95 % confidence interval (Wilson).",
  }),
});

export const TaskSchema = Type.Object(
  {
    name: Type.String({ description: "The file's name." }),
    sha256: Type.String({ description: "Of the file." }),
    items: count("Questions asked, none of which was used for the choice."),
    original: AccuracySchema,
    pruned: AccuracySchema,
    paired: Type.Object({
      gained: count("Items that only the pruned model answers right."),
      lost: count("Items that only the original answers right."),
      pValue: share(
        "How likely two equally good models would differ as much: McNemar's exact test, two-sided.",
      ),
    }),
  },
  { description: "How both do on the half of the task that was kept for the report." },
);
