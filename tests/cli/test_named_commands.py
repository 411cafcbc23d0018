"""Every command that the product names to a person is there: what a refusal tells people to do can be done."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.cli.command_tree import RUNWAY, options

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("payments", "cli", "assets", "experiences", "resources", "pipelines")
_NAMED = re.compile(r"`runway ([^`]*)`")
#: What a formatted string puts in: an id or the like, never the name of a command.
_PUT_IN = "{}"


def _texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The strings of a module with their lines, formatted ones whole."""
    within = {id(part) for one in ast.walk(tree) if isinstance(one, ast.JoinedStr) for part in one.values}
    for one in ast.walk(tree):
        if isinstance(one, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else _PUT_IN for part in one.values)
            yield one.lineno, "".join(parts)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in within:
            yield one.lineno, one.value


def _named() -> list[tuple[str, str]]:
    """Each command in backticks, with where it stands."""
    return [
        (f"{path.relative_to(_ROOT)}:{line}", " ".join(words.split()))
        for package in _PACKAGES
        for path in sorted((_ROOT / package).rglob("*.py"))
        for line, text in _texts(ast.parse(path.read_text()))
        for words in _NAMED.findall(text)
    ]


def _wrong(words: str) -> str | None:
    """What of a command is not there."""
    command = RUNWAY
    for word in words.split():
        if hasattr(command, "commands"):
            if word not in command.commands:
                return f"no {word!r}"
            command = command.commands[word]
        elif word.startswith("--"):
            passes_on = command.context_settings.get("ignore_unknown_options", False)
            if word not in options(command) | {"--help"} and not passes_on:
                return f"no option {word}"
    return None


def test_every_command_that_is_named_to_a_person_is_there() -> None:
    named = _named()
    assert len(named) > 100, "the strings are found"
    assert any(_PUT_IN in words for _, words in named), "formatted ones too"
    assert [(at, words, wrong) for at, words in named if (wrong := _wrong(words))] == []


def test_a_command_that_is_not_there_is_found() -> None:
    assert _wrong("ledger payee list") == "no 'payee'"
    assert _wrong("bills list {} --everything") == "no option --everything"
    assert _wrong("sandbox --port {}") is None
