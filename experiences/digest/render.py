"""A digest document as a mail: subject, preheader, HTML and the text twin.

Belongs here: the template environment and the size limit. Does not: words (``view.py``), sending.
"""

from experiences.digest import sentences
from experiences.digest.document import DigestDocument
from experiences.digest.formats import PUBLISHED, Formats, written_in
from experiences.digest.palette import DARK, LIGHT
from experiences.digest.view import digest_view
from experiences.templates import templates

HTML_LIMIT_BYTES = 80_000
"""Mail programs cut long mails; the first does at about 102 KB after transfer encoding."""


def subject(document: DigestDocument, *, formats: Formats = PUBLISHED) -> str:
    """The mail's subject, one line of at most 60 characters."""
    with written_in(formats):
        return sentences.subject(document)


def firm_subject(document: DigestDocument, *, formats: Formats = PUBLISHED) -> str:
    """The subject of the firm's copy, which begins with the client's name; one line of at most 60 characters."""
    with written_in(formats):
        return sentences.firm_subject(document)


def preheader(document: DigestDocument) -> str:
    """The line that mail programs show beside the subject; one line."""
    return sentences.preheader(document)


def render_html(document: DigestDocument, *, formats: Formats = PUBLISHED) -> str:
    """The digest as one HTML page that needs nothing else: no script, image or stylesheet."""
    template = templates("digest").get_template("friday_digest.html.j2")
    with written_in(formats):
        return template.render(view=digest_view(document), light=LIGHT, dark=DARK)


def render_text(document: DigestDocument, *, formats: Formats = PUBLISHED) -> str:
    """The same facts as plain text."""
    with written_in(formats):
        return templates("digest").get_template("friday_digest.txt.j2").render(view=digest_view(document))
