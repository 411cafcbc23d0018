"""JSON read without losing anything: numbers stay exact, and what JSON leaves open is refused.

Belongs here: text to Python values (`load`), and the exact text of each element of an answer (`Reader`).
Does not: what the values mean (`entities.py`), what an answer means (`answers.py`).
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Never

#: A QBO object nests a handful of levels; a bomb of brackets is refused before it meets a recursive parser.
_DEEPEST = 64
#: Longer digits than money, ids or rates ever have.
_LONGEST_NUMBER = 64

_SPACE = re.compile(r"[ \t\n\r]*+")
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
#: Everything up to and including the next bracket that is not inside a string.
_TO_BRACKET = re.compile(r'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([{}\[\]])', re.DOTALL)
#: Escapes that may stand for half a character or NUL, neither of which a store of text can hold.
_SUSPECT_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_SCALAR = re.compile(r'[^,\]}\[{"\s]++')


class NotJson(ValueError):
    """The text is not the JSON it has to be; the message says where or why, and quotes none of it."""


class DuplicateKey(NotJson):
    """An object names one key twice: either value could be meant."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__("one key occurs twice in an object")


def load(text: str) -> Any:
    """The value of a JSON text; every number a `Decimal`, never through a float. `NotJson` for everything else."""
    try:
        _refuse_depth(text)
        value = json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_no_constant,
            object_pairs_hook=_one_value_a_key,
        )
        _refuse_unstorable(text, value)
    except NotJson:
        raise
    except ValueError as error:
        raise NotJson(f"not JSON: {_reason(error)}") from error
    return value


def _reason(error: ValueError) -> str:
    return (
        f"{error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else "a value out of range"
    )


def _refuse_depth(text: str) -> None:
    # Cheap in the usual case: a text with few opening brackets cannot be deep.
    if text.count("[") + text.count("{") <= _DEEPEST:
        return
    depth = 0
    for match in _TO_BRACKET.finditer(text):
        depth += 1 if match[1] in "[{" else -1
        if depth > _DEEPEST:
            raise NotJson("nested too deeply")


def _refuse_unstorable(text: str, value: Any) -> None:
    if text.isascii() and not _SUSPECT_ESCAPE.search(text):
        return
    written = json.dumps(value, ensure_ascii=False, default=str)
    if "\\u0000" in written.replace("\\\\", ""):
        raise NotJson("a NUL character in a text")
    try:
        written.encode()
    except UnicodeEncodeError as error:
        raise NotJson("half a character in a text") from error


def _number(digits: str) -> Decimal:
    if len(digits) > _LONGEST_NUMBER:
        raise NotJson("a number with too many digits")
    try:
        return Decimal(digits)
    except InvalidOperation as error:
        raise NotJson("a number out of range") from error


def _no_constant(_name: str) -> Never:
    raise NotJson("NaN or Infinity is not a number")


def _one_value_a_key(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        raise DuplicateKey(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]  # add() returns None, which is the point
    return members


class Reader:
    """Walks once over a JSON text and hands out the exact text of the parts asked for.

    Purely lexical: strings and brackets are understood, the rest is passed through, so that one object that is no
    valid JSON is still found, whole, and does not spoil its neighbours. The caller takes or skips each value in turn:

        for key in reader.members():
            if key == "time": time = reader.take()
            else: reader.take()
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def peek(self) -> str:
        """The character that the next value starts with."""
        self._skip_space()
        if self._at >= len(self._text):
            raise NotJson(f"the text ends early, at character {self._at}")
        return self._text[self._at]

    def take(self) -> str:
        """The exact text of the next value."""
        first = self.peek()
        start = self._at
        if first in "{[":
            self._at = self._end_of_brackets()
        else:
            match = (_STRING if first == '"' else _SCALAR).match(self._text, self._at)
            if match is None:
                raise NotJson(f"a value is expected at character {self._at}")
            self._at = match.end()
        return self._text[start : self._at]

    def members(self) -> Iterator[str]:
        """The key of each member of the object that starts here; its value has to be taken before the next one."""
        self._expect("{")
        if self._closes("}"):
            return
        while True:
            if self.peek() != '"':
                raise NotJson(f"a key is expected at character {self._at}")
            key = load(self.take())
            self._expect(":")
            yield key
            if self._closes("}"):
                return
            self._expect(",")

    def elements(self) -> Iterator[None]:
        """One turn for each element of the array that starts here; it has to be taken in that turn."""
        self._expect("[")
        if self._closes("]"):
            return
        while True:
            yield
            if self._closes("]"):
                return
            self._expect(",")

    def finish(self) -> None:
        """Nothing may follow."""
        self._skip_space()
        if self._at != len(self._text):
            raise NotJson(f"more text than one value, from character {self._at}")

    def _end_of_brackets(self) -> int:
        depth, at = 0, self._at
        while match := _TO_BRACKET.match(self._text, at):
            at = match.end()
            depth += 1 if match[1] in "{[" else -1
            if depth == 0:
                return at
        raise NotJson(f"a bracket opened at character {self._at} is never closed")

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _expect(self, character: str) -> None:
        if self.peek() != character:
            raise NotJson(f"{character!r} is expected at character {self._at}")
        self._at += 1

    def _closes(self, character: str) -> bool:
        if self.peek() != character:
            return False
        self._at += 1
        return True
