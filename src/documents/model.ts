import Type from "typebox";
import { blocks, count, layer } from "./fields.ts";

/**
 * What a removal must respect, derived from the architecture (src/architecture) and stored in the Analysis, so that
 * planning needs no model.
 *
 * - `fixed`: layers that are never candidates, each with the rule that holds it in place;
 * - `positional`: rules by which a layer's kind follows from its index and cannot be written out. After the removal,
 *   the kept layer that comes to stand at index j must satisfy `kinds[kept[j]] === kinds[j]`. `kinds` has an entry for
 *   each analysed layer;
 * - `lengths`: rules by which what all layers compute follows from their number; `allowed` lists the numbers of
 *   analysed layers that may be kept;
 * - `oneOf`: of `layers` at least one is kept;
 * - `ends`: the first, or the last, of the kept layers is one of `layers`;
 * - `shared`: where one of the layers `by` is kept, so is the earlier layer `layer`.
 */
export const ConstraintsSchema = Type.Object(
  {
    fixed: Type.Array(
      Type.Object({
        layer: layer("Index of a layer that is never removed."),
        rule: Type.String({ description: "The rule that holds it in place." }),
      }),
    ),
    positional: Type.Array(
      Type.Object({
        rule: Type.String(),
        kinds: Type.Array(Type.Integer(), { description: "The kind of each analysed layer, by its index." }),
      }),
      {
        description:
          "Rules by which a layer's kind follows from its index and cannot be written out: after the removal, the kept layer that comes to stand at index j must satisfy kinds[kept[j]] = kinds[j].",
      },
    ),
    lengths: Type.Optional(
      Type.Array(
        Type.Object({
          rule: Type.String(),
          allowed: Type.Array(Type.Integer({ minimum: 0 }), {
            description: "The numbers of analysed layers that may be kept.",
          }),
        }),
        { description: "Rules by which what all layers compute follows from their number." },
      ),
    ),
    oneOf: Type.Optional(
      Type.Array(
        Type.Object({
          rule: Type.String(),
          layers: Type.Array(Type.Integer({ minimum: 0 }), {
            minItems: 1,
            description: "At least one of them is kept.",
          }),
        }),
        { description: "Kinds of layers that llama.cpp must find one of." },
      ),
    ),
    ends: Type.Optional(
      Type.Array(
        Type.Object({
          rule: Type.String(),
          end: Type.Union([Type.Literal("first"), Type.Literal("last")]),
          layers: Type.Array(Type.Integer({ minimum: 0 }), {
            description: "The layers that can be the first or the last one kept.",
          }),
        }),
        { description: "Rules about the first and the last of the layers that are kept." },
      ),
    ),
    shared: Type.Optional(
      Type.Array(
        Type.Object({
          rule: Type.String(),
          layer: layer("Index of a layer that computes something for later ones."),
          by: Type.Array(Type.Integer({ minimum: 0 }), {
            description: "Later layers, none of which is kept without that layer.",
          }),
        }),
        { description: "Layers that take more from an earlier one than its output." },
      ),
    ),
  },
  { description: "What a removal must respect for llama.cpp to run the result as the original runs." },
);

export const ModelSchema = Type.Object(
  {
    fingerprint: Type.Optional(Type.String({ description: "Identity of the file's content." })),
    architecture: Type.Optional(Type.String({ description: "general.architecture of the file." })),
    name: Type.Optional(Type.String({ description: "general.name of the file." })),
    blockCount: blocks("Number of layers in the file (GGUF calls them blocks)."),
    analysedBlocks: Type.Optional(
      blocks("Number of layers measured, from the first; fewer than blockCount if prediction layers trail."),
    ),
    loops: Type.Optional(
      blocks("How often the model runs its layers, one loop after the other; once if missing."),
    ),
    embeddingLength: Type.Optional(count("Width of the hidden states.")),
    parameters: Type.Optional(count("Number of weights.")),
    fileBytes: Type.Optional(count("Size of the model's file or files in bytes.")),
    constraints: Type.Optional(ConstraintsSchema),
  },
  { description: "The model the document is about." },
);

export type { Constraints, ModelSummary } from "./types.ts";
