"""Values on the command line, and the options that several commands share."""

import json
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click
from click.decorators import FC
from click.shell_completion import CompletionItem

from newsnest.cli import stopping
from newsnest.cli.groups import Choice
from newsnest.corpus import spool_stdin
from newsnest.corpus.dates.parse import parse_date
from newsnest.drafts import discard
from newsnest.errors import did_you_mean
from newsnest.options import Options, flag_of
from newsnest.plugins import Registry
from newsnest.types import LEVELS, DateOrder, check_min_similarity

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A number and a unit, such as 12h, 1d or 2w; in seconds."""

    name = "duration"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return seconds, or fail with the units that are known."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", str(value))
        if match is None or match[2] not in _SECONDS or float(match[1]) <= 0:
            self.fail(
                f"{value!r} is not a duration. Units: {', '.join(_SECONDS)}; e.g. 1d", param, ctx
            )
        return float(match[1]) * _SECONDS[match[2]]


class Moment(click.ParamType):  # type: ignore[type-arg]
    """A date, in a spelling that articles have too."""

    name = "date"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment in UTC, or fail where the text is none."""
        read = value if isinstance(value, datetime) else parse_date(value)
        if read is None:
            self.fail(f"{value!r} is not a date, e.g. 2024-03-05T10:00", param, ctx)
        return read


class FormatName(click.ParamType):  # type: ignore[type-arg]
    """The name of a format that is read, one of newsnest's or of an installed package."""

    name = "format"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return the formats that need no other package: help looks for none."""
        from newsnest.corpus import READERS

        return f"[{'|'.join(READERS.built_in)}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or fail with the names that are known."""
        from newsnest.corpus import READERS

        if value not in READERS:
            known = ", ".join(map(repr, READERS))
            meant = did_you_mean(value, READERS)
            self.fail(f"{value!r} is not one of {known}.{meant}", param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the formats that begin so."""
        from newsnest.corpus import READERS

        return [CompletionItem(name) for name in READERS.names() if name.startswith(incomplete)]


class LevelName(click.ParamType):  # type: ignore[type-arg]
    """The name of a level, or LEVEL=GOLDFIELD, which what is asked checks; the shell completes."""

    name = "level"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the levels that begin so."""
        return [CompletionItem(level) for level in LEVELS if level.startswith(incomplete)]


class Assignments(click.ParamType):  # type: ignore[type-arg]
    """One or more name=value, separated by commas; as a dict of strings."""

    name = "name=value,…"
    example = "name=value, e.g. text=body"

    def convert(
        self, value: str | dict[str, str], param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, str]:
        """Return the dict, or fail naming the part that is no assignment."""
        if isinstance(value, dict):
            return value
        pairs: dict[str, str] = {}
        for part in value.split(","):
            name, equals, content = part.partition("=")
            if not equals or not name.strip() or not content.strip():
                self.fail(f"{part!r} is not {self.example}", param, ctx)
            pairs[name.strip()] = content.strip()
        return pairs


class Similarities(Assignments):
    """level=cosine, separated by commas; as a dict of floats."""

    name = "level=cosine,…"
    example = "level=cosine, e.g. story=0.5"

    def convert(  # type: ignore[override]
        self, value: str | dict[str, str], param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, float]:
        """Return the dict, or fail naming what is not a number."""
        out: dict[str, float] = {}
        for level, number in super().convert(value, param, ctx).items():
            try:
                out[level] = float(number)
            except ValueError:
                self.fail(f"{number!r} is not a number, e.g. {level}=0.5", param, ctx)
        check_min_similarity("Options", out)  # before the heavy parts are loaded
        return out


class EncoderName(click.ParamType):  # type: ignore[type-arg]
    """A built-in encoder, a model folder or a hub id; the shell completes names, then paths."""

    name = "name|path|hub-id"

    def __init__(self, known: Registry[Any]) -> None:
        self.known = known

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin so, else leave it to the shell's own file names."""
        known = self.known.summaries()  # raises for no package, however broken
        names = [name for name in known if name.startswith(incomplete)]
        if not names:
            return [CompletionItem(incomplete, type="dir")]
        return [CompletionItem(name, help=known[name]) for name in names]


class NestPath(click.Path):
    """A nest; the shell completes *.nest, and other files and folders where there are none."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the nests that begin so."""
        folder, _, begun = incomplete.rpartition("/")
        parent = folder + "/" * ("/" in incomplete)
        try:
            found = [p for p in Path(parent or ".").iterdir() if p.name.startswith(begun)]
        except OSError:
            found = []
        nests = [f"{parent}{path.name}" for path in sorted(found) if path.suffix == ".nest"]
        if not nests:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(name) for name in nests]


nest_argument = click.argument("nest", type=NestPath(path_type=Path, dir_okay=False))
run_option = click.option("--run", type=int, help="Number of the run.  [default: the newest]")
quiet_option = click.option(
    "--quiet", is_flag=True, help="Show no progress or notices on stderr, only results on stdout."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
date_order_option = click.option(
    "--date-order",
    type=Choice(get_args(DateOrder)),
    default=None,
    help="How to read dates such as 03/04/2024.  [default: as the other dates in the file]",
)
follow_links_option = click.option(
    "--follow-links",
    is_flag=True,
    help="In directories, follow links that lead out of them, and links to folders.",
)
records_option = click.option(
    "--records",
    metavar="PATH",
    help="Which list of a JSON object holds the articles, e.g. response.results.  "
    "[default: the only list with titles]",
)
time_zone_option = click.option(
    "--time-zone",
    metavar="NAME",
    help="Zone of times without one, and country of letters such as IST, e.g. Europe/Paris.  "
    "[default: UTC]",
)
reference_date_option = click.option(
    "--reference-date",
    type=Moment(),
    help='When "2 hours ago" was said.  [default: by a column such as crawled_at]',
)
profile_option = click.option(
    "--profile",
    metavar="NAME|FILE",
    help="Clean articles first: generic, fr-regional, or a .toml file (see newsnest clean).",
)


def number_option(
    flag: str, minimum: int, default: int | tuple[int, ...], meaning: str, **more: Any
) -> Callable[[FC], FC]:
    """Return the option of a whole number, which shows its default."""
    kind = click.IntRange(minimum)
    return click.option(flag, type=kind, default=default, show_default=True, help=meaning, **more)


def output_option(metavar: str, meaning: str, **more: Any) -> Callable[[FC], FC]:
    """Return `-o`, of a file to write; required by default."""
    more = {"required": True, "type": click.Path(path_type=Path), **more}
    return click.option("-o", "--output", metavar=metavar, help=meaning, **more)


def files_option(flag: str, metavar: str, meaning: str) -> Callable[[FC], FC]:
    """Return an option of files, which may be repeated."""
    kind = click.Path(path_type=Path)
    return click.option(flag, multiple=True, type=kind, metavar=metavar, help=meaning)


def levels_option(meaning: str, *, required: bool = False) -> Callable[[FC], FC]:
    """Return `--level`, of levels and the columns of their gold labels."""
    return click.option(
        "--level",
        "levels",
        required=required,
        multiple=True,
        type=LevelName(),
        metavar="LEVEL[=GOLDFIELD]",
        help=meaning,
    )


resamples_option = number_option(
    "--resamples", 0, 1000, "Number of bootstrap resamples for 95 % intervals; 0 for no intervals."
)


def split_option(rows: str = "rows") -> Callable[[FC], FC]:
    """Return `--split`, of rows of a name."""
    return click.option("--split", help=f"Read only {rows} of this split.  [default: all {rows}]")


def field_option(example: str) -> Callable[[FC], FC]:
    """Return `--field`; a command gets one dict of all that are given."""
    return click.option(
        "--field",
        "fields",
        type=Assignments(),
        multiple=True,
        metavar="FIELD=COLUMN",
        callback=lambda ctx, param, given: {o: t for pairs in given for o, t in pairs.items()},
        help=f"Name of the column that holds a field: --field {example}. Repeatable.",
    )


no_header_option = click.option(
    "--no-header",
    "header",
    flag_value=False,
    default=True,
    help="Tables have no line of column names: columns are column1, column2, … (--field title=3).",
)


def seed_option(draws: str) -> Callable[[FC], FC]:
    """Return `--seed`, of what is drawn."""
    return number_option("--seed", 0, 0, f"Random seed for {draws}.")


def _click_type(one: Any, kind: Any) -> Any:
    """Return the type of an option for a field annotated with `kind`."""
    if "known" in one.metadata:
        return EncoderName(one.metadata["known"])
    if one.metadata.get("unit") == "s":
        return Duration()
    if get_origin(kind) is types.UnionType:
        (kind,) = (one for one in get_args(kind) if one is not types.NoneType)
    if get_origin(kind) is Literal:
        return Choice(get_args(kind))
    if get_origin(kind) is Mapping:
        return Similarities()
    low, below = one.metadata.get("minimum"), one.metadata.get("below")
    if low is not None:
        number = click.IntRange if kind is int else click.FloatRange
        return number(low, below, max_open=below is not None)
    return kind


def options_of(*names: str) -> Callable[[FC], FC]:
    """Return a decorator that adds options made from fields of `Options`: all of them but `read`.

    With names, those alone.
    """
    kinds = get_type_hints(Options)

    def add(command: FC) -> FC:
        for one in reversed(fields(Options)):
            if one.name not in (names or kinds) or one.name == "read":
                continue
            meaning, usual = one.metadata["meaning"], one.metadata.get("usual")
            flags, kind = flag_of(one), _click_type(one, kinds[one.name])
            default = {} if isinstance(kind, Similarities) else one.default
            shown = default not in (None, False, {})
            flag = {"is_flag": True} if one.default is False else {"type": kind}
            command = click.option(
                flags,
                one.name,
                default=default,
                show_default=shown,
                metavar=one.metadata.get("metavar"),
                help=meaning + (f"  [default: {usual}]" if usual else ""),
                **({} if "/" in flags else flag),
            )(command)
        return command

    return add


encoder_option = options_of("encoder")


def spooled(paths: Sequence[str], stack: ExitStack) -> list[str | Path]:
    """Return the paths, standard input as a file that is there until the stack is left."""
    if paths.count("-") > 1:
        raise click.UsageError("- is standard input and can be given once.")
    out: list[str | Path] = []
    for path in paths:
        if path == "-":
            copy = spool_stdin()
            stack.callback(discard, copy)
            out.append(copy)
        else:
            out.append(path)
    return out


def print_json(content: Any) -> None:
    """Print JSON for machines."""
    click.echo(json.dumps(content, indent=1, ensure_ascii=False))


def kept_in(nest: Path) -> str:
    """Return what `going_on` says of a nest that is being filled."""
    return f"Completed steps are kept in {nest}: run the same command to continue."


@contextmanager
def going_on(kept: str) -> Iterator[None]:
    """Say, where a block is interrupted, what of the work done is not lost."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        click.echo(f"\nnewsnest: {stopping.in_words(interrupt)}. {kept}", err=True)
        raise click.exceptions.Exit(stopping.exit_status(interrupt)) from None
