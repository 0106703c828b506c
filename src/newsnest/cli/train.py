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
    """Train an encoder on graded pairs, on gold labels, or on articles alone."""


class _RecipeCommand(click.Command):
    """A command whose help ends with the settings of its recipe."""

    recipe: Recipe

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from newsnest.train.settings import describe_settings

        with formatter.section("Settings, each as --set key=value"):
            formatter.write_dl(
                [
                    (name, f"{meaning}  [default: {default}]")
                    for name, default, meaning in describe_settings(self.recipe.settings)
                ]
            )


def _command(name: str, recipe: Recipe) -> click.Command:
    from newsnest.train.recipes import parse_settings
    from newsnest.train.settings import setting_fields

    own = [field for field in setting_fields(recipe.settings) if field.metadata.get("flag")]
    again = "goes on" if recipe.resumes else "starts anew"

    def train_by_recipe(
        *,
        data: tuple[str, ...],
        base: str,
        output: Path,
        assignments: tuple[str, ...],
        quiet: bool,
        **flags: str | None,
    ) -> None:
        assignments += tuple(f"{key}={told}" for key, told in flags.items() if told is not None)
        settings = parse_settings(recipe.settings, assignments, data=data, base=base, output=output)
        kept = f"The same command {again}{' from the last checkpoint' * recipe.resumes}."
        with progress_for(quiet) as progress, going_on(kept):
            written = recipe.run(settings, progress=progress)
        click.echo(str(written))

    command = _RecipeCommand(
        name,
        callback=train_by_recipe,
        short_help=recipe.summary,
        help=_HELP[recipe.reads].format(summary=_sentence(recipe.summary), again=again),
        params=[
            click.Option(
                ["--data", *_ALSO_DATA[recipe.reads], "data"],
                multiple=True,
                required=True,
                metavar="FILE[,KEY=VALUE…]",
                help=f"{_DATA[recipe.reads]} May be repeated.",
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
            *(
                click.Option(
                    [field.metadata["flag"], field.name],
                    metavar=field.name.upper() if len(field.name) > 1 else "N",
                    help=f"{_sentence(field.metadata['meaning'])}. The same as --set "
                    f"{field.name}=….",
                )
                for field in own
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


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


_ALSO_DATA = {"pairs": (), "articles": (), "translations": (), "columns": ("--pairs",)}

_DATA = {
    "pairs": "Graded pairs, or articles with gold labels, and what is said of the file: "
    "pairs.csv,scale=4:1.",
    "articles": "A file or a folder of articles, and what is said of it: "
    "articles.csv,text=body,gold=section.",
    "translations": "Sentences and their translations, and what is said of the file: "
    "sentences.csv,languages=fr:es.",
    "columns": "Rows of two texts, and what is said of the file: "
    "faq.csv,columns=question:answer,most=10000.",
}

_HELP = {
    "pairs": """{summary}.

FILE is .jsonl, .csv, .tsv (also .gz) or .parquet: with text1, text2 and score, or with a text and
its story, topic or theme. Rows of the split "train", or of none, are trained on, those of
"validation" or "dev" are validated on, any others are left alone. The folder MODEL is complete when
it appears; after an interruption the same command {again}.
""",
    "articles": """{summary}.

FILE is anything that `newsnest cluster` reads. No label is used: those of a column named by gold=
are scored against and reported. The folder MODEL is complete when it appears; after an interruption
the same command {again}.
""",
    "translations": """{summary}.

FILE is .jsonl, .csv, .tsv (also .gz) or .parquet: with text1, text2, lang1 and lang2, or with text,
lang and a key that joins translations. Rows of the split "train", or of none, are trained on, those
of "validation" or "dev" are validated on, any others are left alone. The folder MODEL is complete
when it appears; after an interruption the same command {again}.
""",
    "columns": """{summary}.

FILE is a file that `newsnest cluster` reads, with a title and a summary, or two columns that are
named by columns=. Rows of the split "train", or of none, are trained on, those of "validation" or
"dev" are validated on, any others are left alone. The folder MODEL is complete when it appears;
after an interruption the same command {again}.
""",
}
