"""Secrets that cannot be printed by accident.

Belongs here: the wrapper and the log filter. Does not: encryption at rest (`resources/token_vault.py`).
"""

import logging
import re
from typing import NoReturn

_MASK = "***"
_TRACEBACKS = logging.Formatter()
#: What a token or key looks like in a header, a form or a JSON body, whoever wrote it.
_PATTERNS = (
    re.compile(r"(?i)(bearer\s+)[^\s\"',}]+"),
    re.compile(r"(?i)(basic\s+)[A-Za-z0-9+/=]{8,}"),
    re.compile(r"(?i)((?:refresh_token|access_token|client_secret)[\\\"']*\s*[=:]\s*[\\\"']*)[^\s\\\"'&,}]+"),
    # An authorisation code is long; the short codes of QBO's faults and of HTTP are needed to understand a failure.
    re.compile(r"(?i)(\bcode[\\\"']*\s*[=:]\s*[\\\"']*)[\w.~-]{16,}"),
    re.compile(r"(?i)(token expired:\s*)\S+"),
)


class Secret:
    """A text that shows as `***` wherever it is formatted; `reveal()` is the one way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the header or form that needs it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return f"Secret({_MASK})"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __reduce__(self) -> NoReturn:
        """A pickle would hold the text in the clear, and pickles end up in files."""
        raise TypeError("a secret is not pickled: hand over where it is stored")


def scrub(text: str) -> str:
    """The text with everything that looks like a credential masked."""
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{_MASK}", text)
    return text


class LogScrubber(logging.Filter):
    """Masks credentials in each record, its traceback included, before a handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's texts; never drops one."""
        message = record.getMessage()
        scrubbed = scrub(message)
        if scrubbed != message:
            record.msg, record.args = scrubbed, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = _TRACEBACKS.formatException(record.exc_info)  # formatters use the text if it is there
        if record.exc_text:
            record.exc_text = scrub(record.exc_text)
        return True


#: At DEBUG they show addresses with codes in them, and headers; each speaks for itself, whatever level the ones above have.
_HTTP_LOGGERS = (
    "httpx",
    "httpcore",
    *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")),
)
#: At DEBUG it shows every row that is read. The statements at INFO are without their parameters.
_ROW_LOGGERS = ("sqlalchemy.engine.Engine",)


class _Above(logging.Filter):
    """Drops what is below a level, also when somebody lowers the logger's own."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= self._level


_NO_REQUESTS, _NO_ROWS = _Above(logging.WARNING), _Above(logging.INFO)


def quiet_http_logging() -> None:
    """Keep httpx and httpcore from logging headers and addresses, whatever level they or the root have or will have."""
    for name in _HTTP_LOGGERS:
        logging.getLogger(name).addFilter(_NO_REQUESTS)  # the same filter twice is one


def quiet_row_logging() -> None:
    """Keep SQLAlchemy from logging the rows it reads, whatever level it has or will have."""
    for name in _ROW_LOGGERS:
        logging.getLogger(name).addFilter(_NO_ROWS)
