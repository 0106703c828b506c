"""Values on the command line: durations, pairs, and what several commands share."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from newsnest.corpus.options import DateOrder
from newsnest.types import check_min_similarity

if TYPE_CHECKING:
    from click.decorators import FC

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


class FormatName(click.ParamType):  # type: ignore[type-arg]
    """The name of a format that is read, one of newsnest's or of an installed package."""

    name = "format"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return the formats that need no other package: help looks for none."""
        from newsnest.corpus.readers import READERS

        return f"[{'|'.join(reader.name for reader in READERS)}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or fail with the names that are known."""
        from newsnest.corpus import all_readers, reader_of

        if reader_of(value) is None:
            known = ", ".join(repr(reader.name) for reader in all_readers())
            self.fail(f"{value!r} is not one of {known}.", param, ctx)
        return value


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
        """Return the dict, or fail naming the number that is none."""
        out: dict[str, float] = {}
        for level, number in super().convert(value, param, ctx).items():
            try:
                out[level] = float(number)
            except ValueError:
                self.fail(f"{number!r} is not a number, e.g. {level}=0.5", param, ctx)
        check_min_similarity("Options", out)  # before the heavy parts are loaded
        return out


nest_argument = click.argument("nest", type=click.Path(path_type=Path, dir_okay=False))
run_option = click.option("--run", type=int, help="Number of the run.  [default: the newest]")
quiet_option = click.option(
    "--quiet", is_flag=True, help="No progress and no notices on stderr; results stay on stdout."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
encoder_option = click.option(
    "--encoder",
    default="minilm",
    show_default=True,
    help="minilm, static, tfidf, multilingual, a path, or a hub id.",
)
date_order_option = click.option(
    "--date-order",
    type=click.Choice(get_args(DateOrder)),
    default=None,
    help="How to read dates such as 03/04/2024.  [default: as the file's other dates show]",
)
resamples_option = click.option(
    "--resamples",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="For the 95 % intervals; 0 leaves them out.",
)


def split_option(rows: str = "rows") -> Callable[[FC], FC]:
    """Return `--split`, of rows of a name."""
    return click.option("--split", help=f"Read only {rows} with this split.  [default: all rows]")


def field_option(example: str) -> Callable[[FC], FC]:
    """Return `--field`; a command is given one dict of all that are said."""
    return click.option(
        "--field",
        "fields",
        type=Assignments(),
        multiple=True,
        metavar="OURS=THEIRS",
        callback=lambda ctx, param, said: {o: t for pairs in said for o, t in pairs.items()},
        help=f"Which column holds what: --field {example}. May be repeated.",
    )


def seed_option(draws: str) -> Callable[[FC], FC]:
    """Return `--seed`, of what is drawn."""
    return click.option(
        "--seed", type=click.IntRange(min=0), default=0, show_default=True, help=f"Of {draws}."
    )


def spooled(paths: Sequence[str], stack: ExitStack) -> list[str | Path]:
    """Return the paths, standard input as a file that is there until the stack is left."""
    from newsnest.corpus import spool_stdin

    if paths.count("-") > 1:
        raise click.UsageError("- is standard input and can be given once.")
    out: list[str | Path] = []
    for path in paths:
        if path == "-":
            copy = spool_stdin(sys.stdin.buffer)
            stack.callback(copy.unlink, missing_ok=True)
            out.append(copy)
        else:
            out.append(path)
    return out


def kept_in(nest: Path) -> str:
    """Return what `going_on` says of a nest that is being filled."""
    return f"The steps that were completed are kept in {nest}: the same command goes on from there."


@contextmanager
def going_on(kept: str) -> Iterator[None]:
    """Say, where a block is interrupted, what of the work done is not lost."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nnewsnest: interrupted. {kept}", err=True)
        raise click.exceptions.Exit(130) from None
