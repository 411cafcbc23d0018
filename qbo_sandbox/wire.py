"""Text on the wire: exact JSON, and instants in the offset QuickBooks writes.

Belongs here: turning values into the recorded text forms. Does not: envelopes (``qbo_sandbox/envelopes.py``).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from zoneinfo import ZoneInfo

# Everything recorded carries the US Pacific offset, whatever the company's own zone.
PACIFIC = ZoneInfo("America/Los_Angeles")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the offset is added to it as a number and written behind it as text
_HOUR = 3600


def to_json(value: object) -> str:
    """JSON text in which a Decimal keeps exactly its digits, as a number."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, Mapping):
        return "{" + ",".join([f"{encode_basestring(key)}:{to_json(part)}" for key, part in value.items()]) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join([to_json(part) for part in value]) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    raise TypeError(f"not a value of the wire: {value!r}")


def epoch_seconds(at: datetime) -> int:
    """Whole seconds since 1970 of an aware instant."""
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a zone: {at!r}")
    return int(at.timestamp())


@lru_cache(maxsize=65536)
def _offset(hour: int) -> tuple[int, str]:
    # Offsets change on whole hours, so one look-up serves every second of the hour.
    moment = datetime.fromtimestamp(hour * _HOUR, tz=UTC).astimezone(PACIFIC)
    shift = moment.utcoffset()
    assert shift is not None
    return int(shift.total_seconds()), moment.strftime("%z")


def pacific(seconds: int) -> str:
    """The recorded form of an instant, such as ``2026-05-05T03:14:55-07:00``."""
    shift, sign = _offset(seconds // _HOUR)
    return f"{(_EPOCH + timedelta(seconds=seconds + shift)).isoformat()}{sign[:3]}:{sign[3:]}"


def pacific_millis(at: datetime) -> str:
    """The form of an answer's own ``time``: as ``pacific`` with milliseconds."""
    text = pacific(epoch_seconds(at))
    return f"{text[:19]}.{at.microsecond // 1000:03d}{text[19:]}"
