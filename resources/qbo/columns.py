"""Rows of Python values to typed pandas frames.

Belongs here: column types and what every version row carries. Does not: what the rows mean.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from resources.qbo.fields import QboObject

Version = tuple[datetime, QboObject]

TEXT, CENTS, COUNT, FLAG, DAY, INSTANT = "str", "int64", "int64", "bool", "datetime64[us]", "datetime64[us, UTC]"

#: The columns that every frame of versions begins with.
COMMON: Mapping[str, str] = {"qbo_id": TEXT, "known_at": INSTANT, "created_at": INSTANT, "is_deleted": FLAG}


def in_order(versions: Iterable[Version]) -> Iterator[tuple[tuple[Any, ...], QboObject]]:
    """Each version with its values of `COMMON`; an object's versions have to come oldest knowledge first.

    A deletion notice often does not say when the object had been entered: the version before it does.
    Nothing is collected here, so a company's history can stream through.
    """
    newest: dict[tuple[str, str], tuple[datetime, datetime | None]] = {}
    for known_at, found in versions:
        key = (found.entity, found.id)
        known_before, entered = newest.get(key, (known_at, None))
        if known_at < known_before:
            raise ValueError(f"versions of {found.entity} {found.id} do not come oldest first")
        created_at = found.created_at or entered
        newest[key] = (known_at, created_at)
        yield (found.id, known_at, created_at, found.is_deleted), found


def frame(columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """A frame of `COMMON` and these columns, each of exactly its type."""
    types = {**COMMON, **columns}
    values = list(zip(*rows, strict=True)) if rows else [()] * len(types)
    return pd.DataFrame(
        {name: _series(column, kind) for (name, kind), column in zip(types.items(), values, strict=True)}
    )


def _series(values: Sequence[Any], kind: str) -> pd.Series:
    if kind == INSTANT:
        # Instants are UTC already; numpy holds them without a zone.
        naive = [None if value is None else value.replace(tzinfo=None) for value in values]
        return pd.Series(np.array(naive, dtype="datetime64[us]")).dt.tz_localize("UTC")
    if kind == DAY:
        days: list[date | None] = list(values)
        return pd.Series(np.array(days, dtype="datetime64[D]").astype("datetime64[us]"))
    return pd.Series(list(values), dtype=kind)
