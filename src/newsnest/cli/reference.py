"""The help of every command as one page, docs/reference/cli.md: `make docs`."""

import sys
from collections.abc import Iterator

import click

from newsnest.cli.main import main

WIDTH = 96
"""Columns of the page; the terminal it is made on does not matter."""

_HEADER = """# The command line

Made from `--help` by `python -m newsnest.cli.reference`; a test compares the two.

Results go to standard output, progress and notes to standard error. The exit status is 0, 1 for
an error (one line on standard error says what to do), or 2 for a command that was mistyped.
"""


def commands(
    command: click.Command = main, name: str = "newsnest", parent: click.Context | None = None
) -> Iterator[click.Context]:
    """Yield a context for a command and all below it, in the order `--help` lists them."""
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH
    )
    yield context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None and not found.hidden:
                yield from commands(found, child, context)


def reference() -> str:
    """Return the whole page, Markdown.

    Example
    -------
    >>> reference().splitlines()[0]
    '# The command line'
    """
    parts = [_HEADER]
    for context in commands():
        with context.scope(cleanup=False):
            text = context.command.get_help(context)
        parts.append(f"## {context.command_path}\n\n```text\n{text.rstrip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.buffer.write(reference().encode())
