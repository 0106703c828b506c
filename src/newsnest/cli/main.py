"""The `newsnest` command."""

import sys
from importlib import import_module
from typing import Any

import click

import newsnest
from newsnest.cli import groups, lacks, stopping, terminal
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


class _Commands(groups.Group):
    """Loads a command's module when it is called, so that --help and errors come at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(_COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        found = super().resolve_command(ctx, args)
        lacks.check_limit(found[0] or "")
        return found

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; what the machine lacks becomes one line on stderr and exit status 1."""
        with terminal.guarded():
            try:
                return super().main(*args, **extra)
            except (MemoryError, ImportError, OSError, RuntimeError) as error:
                lack = lacks.in_words(error)
                if not lack:
                    raise
                _say(lack)
                sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        """Turn our errors, Ctrl-C and readers that leave into one line and an exit status."""
        try:
            with stopping.like_ctrl_c():
                result = super().invoke(ctx)
                terminal.flush()
                return result
        except NewsnestError as error:
            # Whatever could not be loaded for lack of memory need not be installed again.
            _say(lacks.memory_in_words(error.__cause__) or error.for_people)
            ctx.exit(1)
        except KeyboardInterrupt as interrupt:  # in commands that leave nothing to resume
            _say(f"{stopping.in_words(interrupt)}.", before="\n")
            ctx.exit(stopping.exit_status(interrupt))
        except BrokenPipeError:  # `newsnest show … | head`
            for stream in (sys.stdout, sys.stderr):
                terminal.give_up(stream)
            ctx.exit(141)  # as shells say of a command that SIGPIPE ended


def _say(message: str, *, before: str = "") -> None:
    click.echo(f"{before}newsnest: {message}", err=True)


@click.group(cls=_Commands, context_settings={"max_content_width": 96})
@click.version_option(newsnest.__version__, prog_name="newsnest")
def main() -> None:
    """Nest news articles into themes, topics and stories.

    To try it, run: newsnest demo
    """
