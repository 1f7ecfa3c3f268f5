"""The click group behind ``excise``: a verb's file is imported when the verb is used, not before."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from excise.cli import verbs
from excise.core.errors import UsageError
from excise.core.spelling import did_you_mean

HELP = ["-h", "--help"]


class Verbs(click.Group):
    """Every verb of ``verbs.VERBS``, loaded from ``excise.cli.<verb>`` on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the signature is click's
        """Names in the order of the help page."""
        return list(verbs.VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  as above
        """The verb's command, None where there is no such verb."""
        if cmd_name not in verbs.VERBS:
            return None
        command: click.Command = import_module(f"excise.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, give it its defaults from the project's settings, and say what was meant where it fails."""
        if args and not args[0].startswith("-") and args[0] not in verbs.VERBS:
            raise UsageError(f"no such verb: {args[0]}", hint=did_you_mean(args[0], verbs.VERBS))
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and not asks_for_help(rest):
            ctx.default_map = {name: defaults(name)}
        return name, command, rest

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002  the signature is click's
        """The same page that the front door prints without loading click."""
        return verbs.page()


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether only help is wanted; then a broken configuration must not stand in the way."""
    return any(name in arguments for name in HELP)


def defaults(verb: str) -> dict[str, Any]:
    """What ``excise.toml`` and the environment say for ``verb``; flags beat both."""
    from excise.api import config  # noqa: PLC0415  rooms load only when a verb runs

    return config.load().defaults(verb) if verb in config.SECTIONS else {}


@click.group(cls=Verbs, context_settings={"help_option_names": HELP, "max_content_width": 100}, help=verbs.SUMMARY)
def program() -> None:
    """Run one verb."""
