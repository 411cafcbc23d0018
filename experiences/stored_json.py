"""A document as JSON and back.

Belongs here: reading and writing, and the words for a text that is no such document. Does not: the documents (each
experience's ``document.py``), where they are kept.
"""

from functools import cached_property
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


class UnreadableDocumentError(ValueError):
    """A stored text is no such document, breaks one of its rules, or has another version's shape."""


class StoredJson(Generic[T]):
    """The JSON form of one kind of document."""

    def __init__(self, kind: type[T], *, what: str, remedy: str) -> None:
        """JSON of a class of documents (`what` in words: "tray"); `remedy` is the sentence how one is written anew."""
        self._kind, self._what, self._remedy = kind, what, remedy

    def to_json(self, document: T) -> str:
        """The document as JSON; equal documents give equal bytes."""
        return self._adapter.dump_json(document).decode()

    def from_json(self, text: str | bytes) -> T:
        """The document that ``to_json`` wrote; `UnreadableDocumentError` if it is none."""
        try:
            return self._adapter.validate_json(text, strict=True)
        except ValidationError as error:
            raise UnreadableDocumentError(
                f"The stored {self._what} cannot be read ({error.error_count()} faults). {self._remedy}"
            ) from error

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        # Built on first use: importing a document's module does not pay for the validator.
        return TypeAdapter(self._kind)
