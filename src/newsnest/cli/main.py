"""The `newsnest` command."""

import io
import os
import sys
from importlib import import_module
from typing import Any

import click

import newsnest
from newsnest.errors import NewsnestError

_COMMANDS = {
    "cluster": "newsnest.cli.cluster",
    "recut": "newsnest.cli.recut",
    "clean": "newsnest.cli.clean",
    "show": "newsnest.cli.show",
    "export": "newsnest.cli.show",
    "report": "newsnest.cli.show",
    "evaluate": "newsnest.cli.evaluate",
    "train": "newsnest.cli.train",
    "hardness": "newsnest.cli.hardness",
    "study": "newsnest.cli.study",
    "calibrate": "newsnest.cli.calibrate",
    "demo": "newsnest.cli.cluster",
}


class _Commands(click.Group):
    """Loads a command's module when it is called, so that --help and errors come at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(_COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Turn our errors into one line on stderr and exit status 1; Ctrl-C is 130."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Neither a file name nor a terminal that is not UTF-8 may end in a traceback.
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except NewsnestError as error:
            click.echo(f"newsnest: {error.for_people}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:  # in commands that leave nothing to resume
            click.echo("\nnewsnest: interrupted.", err=True)
            ctx.exit(130)
        except BrokenPipeError:  # `newsnest show … | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"max_content_width": 96})
@click.version_option(newsnest.__version__, prog_name="newsnest")
def main() -> None:
    """Nest news articles into themes, topics and stories.

    To try it, run: newsnest demo
    """
