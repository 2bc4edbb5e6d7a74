import type { Command, Option } from "commander";
import Type, { type TSchema } from "typebox";
import { COMMON, recipeOptions } from "./recipe.ts";

/** The schema of lorp.config.json, made from the command tree. */
export function recipeSchema(commands: readonly Command[]): TSchema {
  const common = new Map(
    commands.flatMap(recipeOptions).map((option) => [option.attributeName(), optionSchema(option)]),
  );
  const sections = commands
    .filter((command) => recipeOptions(command).length > 0)
    .map((command) => [
      command.name(),
      section(
        command.description(),
        recipeOptions(command).map((option) => [option.attributeName(), optionSchema(option)]),
      ),
    ]);
  return Type.Object(
    {
      $schema: Type.Optional(Type.String({ description: "For editors." })),
      [COMMON]: section("Options of every command that has them.", [...common]),
      ...Object.fromEntries(sections),
    },
    {
      title: "lorp recipe",
      description: "Options for lorp's commands; those on the command line go before them.",
      additionalProperties: false,
    },
  );
}

function section(description: string, options: readonly (readonly [string, TSchema])[]): TSchema {
  const properties = Object.fromEntries(options.map(([name, schema]) => [name, Type.Optional(schema)]));
  return Type.Optional(Type.Object(properties, { description, additionalProperties: false }));
}

function optionSchema({ description, argChoices, required, optional, variadic }: Option): TSchema {
  if (argChoices) return Type.Unsafe({ enum: argChoices, description });
  if (variadic) return Type.Array(Type.Unsafe({ type: ["string", "number"] }), { description });
  if (required) return Type.Unsafe({ type: ["string", "number"], description });
  return Type.Unsafe({ type: optional ? ["boolean", "string"] : "boolean", description });
}
