"""A digest as `digest/friday_digest` publishes it, without books: for tests of what is mailed."""

from dataclasses import replace
from datetime import date, datetime

from experiences.digest.document import to_json
from experiences.digest.render import render_html, render_text, subject
from resources.documents import Document
from resources.installation import Installation
from resources.tenants import Tenant
from tests.conftest import FRIDAY, FRIDAY_MORNING
from tests.experiences.builders import make_digest


def publish_digest(
    office: Installation, tenant: Tenant, *, week: date = FRIDAY, at: datetime = FRIDAY_MORNING
) -> Document:
    """Publish a tenant's digest of a week; what was published."""
    digest = replace(make_digest(), tenant_name=tenant.name)
    document = Document(
        tenant_id=tenant.tenant_id,
        kind="friday_digest",
        key=week.isoformat(),
        title=subject(digest),
        body=to_json(digest),
        html=render_html(digest),
        text=render_text(digest),
        data_as_of=at,
    )
    office.documents.publish(document)
    return document
