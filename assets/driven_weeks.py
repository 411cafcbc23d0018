"""The weeks that a test drive looks back on, and which of them still have to be made.

Belongs here: their Fridays and their published documents. Does not: the drive (`assets/test_drive.py`); Dagster, whose import a
command that only asks what is missing does not wait for.
"""

from collections.abc import Sequence
from datetime import date

from assets.mailing import DIGEST_KIND
from experiences.digest.document import from_json as digest_from_json
from experiences.test_drive.document import WEEK
from experiences.tray.document import from_json as tray_from_json
from resources.documents import Document
from resources.installation import Installation
from resources.tenants import TenantId

DRIVE_KIND = "test_drive"
TRAY_KIND = "tray"
DEFAULT_WEEKS = 8


def weeks_before(as_of: date, *, weeks: int) -> list[date]:
    """So many Fridays before one, the oldest first."""
    return [as_of - back * WEEK for back in range(weeks, 0, -1)]


def missing_weeks(installation: Installation, tenant: TenantId, *, fridays: Sequence[date]) -> list[date]:
    """Those of these Fridays whose digest or tray was never published, or by another version of the program."""
    return [friday for friday in fridays if not _is_published(installation, tenant, friday=friday)]


def _is_published(installation: Installation, tenant: TenantId, *, friday: date) -> bool:
    digest = published_of(installation, tenant, kind=DIGEST_KIND, friday=friday)
    tray = published_of(installation, tenant, kind=TRAY_KIND, friday=friday)
    if digest is None or tray is None:
        return False
    try:
        digest_from_json(digest.body)
        tray_from_json(tray.body)
    except ValueError:  # of another version of the program
        return False
    return True


def published_of(installation: Installation, tenant: TenantId, *, kind: str, friday: date) -> Document | None:
    """A document of a week; None if none was published."""
    return installation.documents.read(tenant, kind=kind, key=friday.isoformat())
