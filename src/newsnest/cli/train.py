"""`newsnest train`: make an encoder better at nesting, on your own data."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsnest.cli.groups import Group
from newsnest.cli.parameters import EncoderName, going_on, quiet_option
from newsnest.cli.progress import progress_for
from newsnest.errors import NewsnestError

if TYPE_CHECKING:
    from newsnest.train.recipes import Recipe


class _Recipes(Group):
    """One command a recipe; the recipes are looked up when one is called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from newsnest.train.recipes import RECIPES

        return RECIPES.names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from newsnest.train.recipes import RECIPES

        if cmd_name not in RECIPES:
            return None
        try:
            return _command(RECIPES[cmd_name])
        except NewsnestError as error:  # of another package: the others are listed all the same
            return _broken(cmd_name, error)


def _broken(name: str, error: NewsnestError) -> click.Command:
    """Return the command of a recipe that cannot be loaded, which says why."""

    def fail() -> None:
        raise error

    return click.Command(name, callback=fail, short_help=f"cannot be used: {error.for_people}")


@click.group(cls=_Recipes)
def train() -> None:
    """Train an encoder on graded pairs, on gold labels, or on articles alone."""


class _RecipeCommand(click.Command):
    """A command whose help ends with the settings of its recipe."""

    recipe: "Recipe"

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from newsnest.train.settings import describe_settings

        with formatter.section("Settings, each as --set key=value"):
            formatter.write_dl(
                [
                    (name, f"{meaning}  [default: {default}]")
                    for name, default, meaning in describe_settings(self.recipe.settings)
                ]
            )


def _command(recipe: "Recipe") -> click.Command:
    from newsnest.embed import KNOWN, base_names
    from newsnest.train.settings import parse_settings, setting_fields

    flagged = [field for field in setting_fields(recipe.settings) if field.metadata.get("flag")]
    resumes = "resumes from the last checkpoint" if recipe.resumes else "starts anew"
    also, data, files = _READS[recipe.settings.READS]

    def train_by_recipe(
        *,
        data: tuple[str, ...],
        base: str,
        output: Path,
        assignments: tuple[str, ...],
        quiet: bool,
        **flags: str | None,
    ) -> None:
        assignments += tuple(f"{key}={value}" for key, value in flags.items() if value is not None)
        settings = parse_settings(recipe.settings, assignments, data=data, base=base, output=output)
        with progress_for(quiet) as progress, going_on(f"The same command {resumes}."):
            written = recipe.run(settings, progress=progress)
        click.echo(str(written))

    command = _RecipeCommand(
        recipe.name,
        callback=train_by_recipe,
        short_help=recipe.summary,
        help=f"""{_sentence(recipe.summary)}.

{recipe.about}

{files} The folder MODEL is complete when it appears; after an interruption the same command
{resumes}.
""",
        params=[
            click.Option(
                ["--data", *also, "data"],
                multiple=True,
                required=True,
                metavar="FILE[,KEY=VALUE…]",
                help=f"{data} Repeatable.",
            ),
            click.Option(
                ["--base"],
                type=EncoderName(KNOWN),
                metavar="TEXT",
                default="minilm",
                show_default=True,
                help=f"Encoder to start from: {base_names()}.",
            ),
            click.Option(
                ["-o", "--output"],
                required=True,
                type=click.Path(path_type=Path, file_okay=False),
                metavar="MODEL",
                help="Folder to write.",
            ),
            *(
                click.Option(
                    [field.metadata["flag"], field.name],
                    metavar=field.name.upper() if len(field.name) > 1 else "N",
                    help=f"{_sentence(field.metadata['meaning'])}. The same as --set "
                    f"{field.name}=….",
                )
                for field in flagged
            ),
            click.Option(
                ["--set", "assignments"],
                multiple=True,
                metavar="KEY=VALUE",
                help="A setting of the recipe, see below. Repeatable.",
            ),
        ],
    )
    command.recipe = recipe
    return quiet_option(command)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


_SPLITS = (
    'Training uses rows of the split "train" or of no split; validation uses rows of "validation" '
    'or "dev"; other rows are left out.'
)
_TABLE = "FILE is in any format with columns that `newsnest cluster` reads:"

# By what data files hold: another name of --data, its help, and what FILE is.
_READS = {
    "pairs": (
        (),
        "Graded pairs, or articles with gold labels, with optional per-file settings: "
        "pairs.csv,scale=4:1.",
        f"{_TABLE} text1, text2 and score, or a text and its story, topic or theme. {_SPLITS}",
    ),
    "articles": (
        (),
        "A file or folder of articles, with optional per-file settings: "
        "articles.csv,text=body,gold=section.",
        "FILE is anything that `newsnest cluster` reads. Training uses no labels: gold=COLUMN only "
        "reports scores against the labels of that column.",
    ),
    "translations": (
        (),
        "Sentences and their translations, with optional per-file settings: "
        "sentences.csv,languages=fr:es.",
        f"{_TABLE} text1, text2, lang1 and lang2, or text, lang and a key that translations of "
        f"each other share. {_SPLITS}",
    ),
    "columns": (
        ("--pairs",),
        "Rows of two texts, with optional per-file settings: faq.csv,columns=question:answer.",
        f"{_TABLE} a title and a summary, or the two columns named by columns=. {_SPLITS}",
    ),
}
