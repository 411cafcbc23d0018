"""The XML form of an answer, which a client gets that does not ask for JSON.

Belongs here: turning a JSON answer into elements. Does not: the JSON (``envelopes.py``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from xml.sax.saxutils import escape, quoteattr

from qbo_sandbox.envelopes import XML, XML_HEAD, XML_NAMESPACE, Answer
from qbo_sandbox.operations import parse_json

# Scalars that stand as attributes of their element, as in recorded XML.
_ATTRIBUTES = (
    "domain",
    "sparse",
    "status",
    "startPosition",
    "maxResults",
    "totalCount",
    "name",
    "type",
    "code",
    "element",
)


def wants_json(accept: str, form: str | None) -> bool:
    """Whether a client asked for JSON; without a word the service answers in XML."""
    return "json" in accept or form == "json"


def as_xml(answer: Answer) -> Answer:
    """The same answer in XML."""
    body = parse_json(answer.body)
    time = body.pop("time", None)
    attributes = f" time={quoteattr(str(time))}" if time is not None else ""
    inner = "".join(part for name, value in body.items() for part in _elements(name, value))
    text = f"{XML_HEAD}<IntuitResponse xmlns={quoteattr(XML_NAMESPACE)}{attributes}>{inner}</IntuitResponse>"
    return replace(answer, body=text.encode(), content_type=XML)


def _elements(name: str, value: object) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:
            yield from _elements(name, part)
    elif isinstance(value, Mapping):
        attributes = "".join(
            f" {key}={quoteattr(_text(value[key]))}" for key in _ATTRIBUTES if _is_scalar(value.get(key))
        )
        inner = "".join(
            # A reference's value is the text of its element.
            escape(_text(part)) if key == "value" and _is_scalar(part) else "".join(_elements(key, part))
            for key, part in value.items()
            if not (key in _ATTRIBUTES and _is_scalar(part))
        )
        yield f"<{name}{attributes}>{inner}</{name}>"
    elif value is not None:
        yield f"<{name}>{escape(_text(value))}</{name}>"


def _is_scalar(value: object) -> bool:
    return value is not None and not isinstance(value, list | Mapping)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
