"""`newsnest train`: make an encoder better at nesting, on data of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsnest.cli.parameters import going_on, quiet_option
from newsnest.cli.progress import progress_for

if TYPE_CHECKING:
    from newsnest.train.recipes import Recipe


class _Recipes(click.Group):
    """One command a recipe; the recipes are looked up when one is called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from newsnest.train.recipes import RECIPES

        return list(RECIPES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from newsnest.train.recipes import RECIPES

        recipe = RECIPES.get(cmd_name)
        return None if recipe is None else _command(cmd_name, recipe)


@click.group(cls=_Recipes)
def train() -> None:
    """Train an encoder on graded pairs, or on articles with gold labels."""


class _RecipeCommand(click.Command):
    """A command whose help ends with the settings of its recipe."""

    recipe: Recipe

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from newsnest.train.recipes.settings import describe_settings

        with formatter.section("Settings, each as --set key=value"):
            formatter.write_dl(
                [
                    (name, f"{meaning}  [default: {default}]")
                    for name, default, meaning in describe_settings(self.recipe.settings)
                ]
            )


def _command(name: str, recipe: Recipe) -> click.Command:
    def train_by_recipe(
        data: tuple[str, ...], base: str, output: Path, assignments: tuple[str, ...], quiet: bool
    ) -> None:
        from newsnest.train.recipes import parse_settings

        settings = parse_settings(recipe.settings, assignments, data=data, base=base, output=output)
        kept = "The same command goes on from the last checkpoint."
        with progress_for(quiet) as progress, going_on(kept):
            written = recipe.run(settings, progress=progress)
        click.echo(str(written))

    command = _RecipeCommand(
        name,
        callback=train_by_recipe,
        short_help=recipe.summary,
        help=_HELP.format(summary=recipe.summary[0].upper() + recipe.summary[1:]),
        params=[
            click.Option(
                ["--data"],
                multiple=True,
                required=True,
                metavar="FILE[,KEY=VALUE…]",
                help="Graded pairs, or articles with gold labels, and what is said of the file: "
                "pairs.csv,scale=4:1. May be repeated.",
            ),
            click.Option(
                ["--base"],
                default="minilm",
                show_default=True,
                help="The encoder to start from: minilm, multilingual, a path, or a hub id.",
            ),
            click.Option(
                ["-o", "--output"],
                required=True,
                type=click.Path(path_type=Path, file_okay=False),
                metavar="MODEL",
                help="The folder to write.",
            ),
            click.Option(
                ["--set", "assignments"],
                multiple=True,
                metavar="KEY=VALUE",
                help="A setting of the recipe, see below. May be repeated.",
            ),
        ],
    )
    command.recipe = recipe
    return quiet_option(command)


_HELP = """{summary}.

FILE is .jsonl, .csv, .tsv (also .gz) or .parquet: with text1, text2 and score, or with a text and
its story, topic or theme. Rows of the split "train", or of none, are trained on, those of
"validation" or "dev" are validated on, any others are left alone. The folder MODEL is complete when
it appears; after an interruption the same command goes on.
"""
