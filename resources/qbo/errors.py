"""How a conversation with QuickBooks Online can fail, decided once where the answer arrives.

Belongs here: the tree and its wording. Does not: reading answers (`answers.py`), deciding on a retry (`patience.py`).

    TenantError                     an expected failure of one tenant
    `-- QboError                                                                    QuickBooks did not do what was asked
        |-- QboUnavailable      5xx, timeout, dropped line, cut or HTML body            transient: tried again
        |-- QboThrottled        429 or fault 3001, as JSON or as XML                    transient: after a longer wait
        |-- QboQuotaExhausted   the app's monthly reads are used up                     not before next month
        |-- QboAuthExpired      401 or fault 3200                                       one refresh, one more try
        |-- ConnectionLost      the refresh token is dead: expired, revoked             a person connects again
        |-- QboNotAuthorised    403, faults 3100 and 120                                a person looks at the connection
        |-- QboRefused          any other fault, with its codes                         a bug or a state of the company
        `-- QboContradiction    an answer its own rules exclude                         a second look, then a report

A message names the call, the fault codes in our own words and the `intuit_tid`. It never repeats QuickBooks' own text:
the detail of a 401 echoes the access token, and other details quote the company's data.
"""

from resources.errors import TenantError

#: What a code means. QuickBooks' own Message and Detail stay out: they may quote tokens and client data.
_MEANINGS = {
    "120": "no access to this company any more",
    "500": "the operation does not exist or is not possible any more",
    "610": "the object was not found or was made inactive",
    "3001": "too many requests",
    "3100": "the app is not authorised for this company",
    "3200": "the access token is not valid",
    "4000": "the query cannot be parsed",
    "4001": "the query is not valid",
    "4002": "the query could not be processed",
    "5020": "the user who connected lacks the permission",
    "5030": "the feature is switched off in this company",
    "6190": "the QuickBooks subscription has ended",
    "10000": "an error inside QuickBooks",
}


class QboError(TenantError):
    """QuickBooks did not do what was asked; `codes` are its fault codes, `intuit_tid` is what its support asks for."""

    codes: tuple[str, ...] = ()
    intuit_tid: str = ""

    def __init__(self, *, what: str, next_step: str, codes: tuple[str, ...] = (), intuit_tid: str = "") -> None:
        self.codes = codes
        self.intuit_tid = intuit_tid
        super().__init__(what=what, next_step=next_step)


class QboUnavailable(QboError):
    """QuickBooks did not answer, or answered with an error of its own: worth another try."""


class QboThrottled(QboError):
    """Too many requests; `retry_after` is the wait in seconds that the answer asked for, if it did."""

    retry_after: float | None = None


class QboQuotaExhausted(QboError):
    """The app has used up its metered reads of this month: waiting a minute does not help."""


class QboAuthExpired(QboError):
    """The access token was not accepted: a fresh one is worth one more try."""


class ConnectionLost(QboError):
    """The tenant's refresh token is dead: only a person can connect again."""


class QboNotAuthorised(QboError):
    """The token is good, but not for this company or this operation."""


class QboRefused(QboError):
    """QuickBooks understood the request and said no; `codes` say why."""


class QboContradiction(QboError):
    """QuickBooks answered something that its own rules exclude, so that the answer cannot be built upon."""


def meaning(codes: tuple[str, ...]) -> str:
    """Fault codes with what they mean, in our own words."""
    if not codes:
        return "no fault code"
    return ", ".join(f"{code} ({_MEANINGS[code]})" if code in _MEANINGS else code for code in codes)


def connection_lost(tenant: str, *, because: str) -> ConnectionLost:
    """The one wording for a dead connection."""
    return ConnectionLost(
        what=f"QuickBooks no longer accepts the connection of {tenant!r}: {because}.",
        next_step=f"Reconnect with `runway connect {tenant}`.",
    )
