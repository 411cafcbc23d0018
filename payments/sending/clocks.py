"""Whether this machine's clock may be believed: QuickBooks tells another one with each answer.

Belongs here: how far the two are apart, and what a person is told. Does not: what is not done meanwhile (`drive.py`,
`promotion.py`, `review.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from payments.sending.send_policy import policy_for
from resources.clock import Clock
from resources.errors import TenantError
from resources.installation import Installation
from resources.qbo.bill_payments import BillPayments
from resources.tenants import TenantId

ALARM = "clock differs"


def difference(server: datetime | None, *, now: datetime, most: timedelta | None) -> str | None:
    """How far the clocks are apart, in words, if that is more than allowed; None if not, or where QuickBooks named no time."""
    if server is None or most is None or abs(server - now) <= most:
        return None
    return f"this machine's time and QuickBooks' differ by {abs(server - now)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why the clock is not believed."""

    what: str
    #: The clocks were compared and are apart; otherwise they could not be compared.
    is_apart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksClock:
    """QuickBooks' time to compare with; `most` is how far it may be from ours, None compares nothing (the local QuickBooks)."""

    open_books: Callable[[TenantId], BillPayments]
    most: timedelta | None

    @classmethod
    def of(cls, installation: Installation) -> "BooksClock":
        """Of the QuickBooks that an installation speaks to."""
        most = policy_for(installation.settings.qbo_environment).most_clock_difference
        return cls(open_books=installation.bill_payments, most=most)

    def doubt(self, tenant: TenantId, clock: Clock) -> Doubt | None:
        """Ask QuickBooks for its time, one metered read, and compare; None if the two agree."""
        try:
            server = self.open_books(tenant).ask_time()
        except TenantError as error:
            return Doubt(what=f"QuickBooks' time is not known: {error}", is_apart=False)
        apart = difference(server, now=clock.now(), most=self.most)
        return None if apart is None else Doubt(what=apart, is_apart=True)
