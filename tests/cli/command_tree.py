"""The tree of the `runway` command, as tests walk it."""

from typing import Any

from typer.main import get_command

from cli.main import app

#: Made once: it takes longer than many a command.
RUNWAY: Any = get_command(app)


def commands(group: Any = RUNWAY, above: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every command by its words."""
    found: dict[tuple[str, ...], Any] = {}
    for name, one in group.commands.items():
        words = (*above, name)
        found |= commands(one, words) if hasattr(one, "commands") else {words: one}
    return found


def options(command: Any) -> set[str]:
    """The options a command takes, with their dashes."""
    return {option for one in command.params for option in one.opts}
