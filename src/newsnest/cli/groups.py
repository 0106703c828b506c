"""Groups and choices that suggest the name that was meant."""

import click

from newsnest.errors import did_you_mean


class Group(click.Group):
    """A group whose commands are loaded when they are called; one misspelt is told which it is."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return what click does; for an unknown command, add the nearest of those there are."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            # click itself looks among commands that are loaded.
            meant = did_you_mean(name, self.list_commands(ctx))
            ctx.fail(f"No such command {name!r}.{meant}")
        return super().resolve_command(ctx, args)


class Choice(click.Choice[str]):
    """One of several values; one misspelt is told which it is."""

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """Return click's message and the nearest value."""
        message = super().get_invalid_choice_message(value, ctx)
        return message + did_you_mean(str(value), self.choices)
