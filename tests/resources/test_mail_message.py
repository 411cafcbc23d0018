"""The mail itself: what was published, byte for byte, and headers nobody can add to."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiences.digest.palette import LIGHT
from resources.mail.message import MailWriter
from resources.mail.outbox_rows import MailContent
from resources.mail.recipients import Recipient
from resources.mail.sender import _on_the_wire
from resources.mail.unsubscribe import MailKeys, Subscription
from resources.settings import MailSettings
from tests.resources.mail_builders import ANN, KEY, OF_ACME, make_content, make_recipient, make_row, published_parts

_AT = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
_SETTINGS = MailSettings(
    host="localhost", from_address="digest@oak.example", from_name="Oak", unsubscribe_url="https://runway.example/"
)
_KEYS = MailKeys([KEY])


def _raw(content: MailContent, *, recipient: Recipient | None = None, with_settings: MailSettings = _SETTINGS) -> bytes:
    writer = MailWriter(keys=_KEYS, settings=with_settings)
    return writer.write(make_row(content), recipient=recipient or make_recipient(), content=content, at=_AT).message


def _read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=default)


def test_both_renderings_arrive_as_they_were_published() -> None:
    text = "Covered until 6 Oct.\n\n.\n.dots\nlow point -$8.2k \N{EM DASH} ok\n" + "x" * 2000 + "\n"
    html = (
        "<!DOCTYPE html>\n<p>caf\N{LATIN SMALL LETTER E WITH ACUTE} =3D \N{GRINNING FACE}</p>\n"
        + "<td></td>" * 500
        + "\n"
    )
    assert published_parts(_read(_raw(make_content(text=text, html=html)))) == (text, html)


def test_the_headers_say_who_what_and_how_to_end_it() -> None:
    message = _read(_raw(make_content()))
    assert message["From"].addresses == (Address("Oak", addr_spec="digest@oak.example"),)
    assert message["To"].addresses == (Address("Ann", addr_spec=ANN),)
    assert message["Subject"] == "Covered until 6 Oct"
    assert message["Date"].datetime == _AT
    assert "-0500" in str(message["Date"]), "in the reader's own zone"
    assert message["Message-ID"] == "<0123456789abcdef0123456789abcdef@oak.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = str(message["List-Unsubscribe"])
    assert address.startswith("<https://runway.example/unsubscribe/")
    token = address.strip("<>").rpartition("/")[2]
    assert _KEYS.subscription(token) == Subscription(owner=OF_ACME, address=ANN)


def test_a_long_link_to_unsubscribe_stays_one_word_on_the_wire() -> None:
    """Folded into encoded words, which the library does with long words, no mail program would find it."""
    address = "a" * 60 + "@" + "b" * 60 + ".example"
    raw = _raw(make_content(), recipient=make_recipient(address=address))
    (line,) = [one for one in raw.split(b"\r\n") if one.startswith(b"List-Unsubscribe:")]
    assert line.startswith(b"List-Unsubscribe: <https://runway.example/unsubscribe/")
    assert line.endswith(b">")


def test_every_line_fits_a_mail_and_is_ascii() -> None:
    raw = _raw(make_content(text="\N{SNOWMAN}" * 3000 + "\n", html="<p>" + "y" * 5000 + "</p>\n"))
    assert raw.isascii()
    body = raw.partition(b"\r\n\r\n")[2]
    assert max(len(line) for line in body.split(b"\r\n")) <= 76
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_the_same_mail_is_the_same_bytes() -> None:
    assert _raw(make_content()) == _raw(make_content())


@pytest.mark.parametrize(
    "text", ["x\r\nBcc: eve@evil.example", "x\nBcc: eve@evil.example", "x\rBcc: e@e.example", "a\0b\x0bc\x85d\u2028e"]
)
def test_a_line_break_in_a_name_or_subject_adds_no_header(text: str) -> None:
    message = _read(_raw(make_content(subject=text), recipient=make_recipient(name=text)))
    assert message["Bcc"] is None
    assert len(message["To"].addresses) == 1
    assert message["Subject"].count("\n") == 0


_ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


@settings(max_examples=60, derandomize=True)
@given(subject=_ANY_TEXT, name=_ANY_TEXT, text=_ANY_TEXT, html=_ANY_TEXT)
def test_whatever_is_written_the_mail_has_its_own_headers_and_two_parts(
    subject: str, name: str, text: str, html: str
) -> None:
    raw = _raw(make_content(subject=subject, text=text + "\n", html=html + "\n"), recipient=make_recipient(name=name))
    message = _read(raw)
    expected = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
    ]
    assert [one for one in message.keys() if one not in ("MIME-Version", "Content-Type")] == expected  # noqa: SIM118 - a message has one key several times
    assert [one.addr_spec for one in message["To"].addresses] == [ANN]
    plain, page = published_parts(message)
    assert plain.splitlines() == (text + "\n").splitlines()
    assert page.splitlines() == (html + "\n").splitlines()


@settings(max_examples=60, derandomize=True)
@given(lines=st.lists(st.sampled_from([b"", b".", b"..", b".x", b"x", b"x."]), min_size=1, max_size=8))
def test_no_content_ends_the_content_early(lines: list[bytes]) -> None:
    message = b"\r\n".join([*lines, b""])
    wire = _on_the_wire(message)
    assert wire.endswith(b"\r\n.\r\n") or wire == b".\r\n"
    sent = wire.removesuffix(b".\r\n").split(b"\r\n")
    assert b"." not in sent
    assert [one[1:] if one.startswith(b".") else one for one in sent] == message.split(b"\r\n")


def test_without_an_address_of_ours_a_preview_names_one_that_no_server_delivers_to() -> None:
    message = _read(_raw(make_content(), with_settings=MailSettings()))
    assert message["From"].addresses[0].addr_spec == "runway@preview.invalid"
    assert message["List-Unsubscribe"] is None


def test_the_line_that_is_the_readers_own_stands_last_in_the_page_in_its_quiet_colour() -> None:
    _, page = _read(_raw(make_content(html="<html><body><p>x</p></body></html>\n"))).iter_parts()
    html = page.get_content().replace("\r\n", "\n")
    assert html.endswith("</p>\n</body></html>\n")
    assert f"color:{LIGHT.muted}" in html
    assert html.count("Unsubscribe") == 1


def test_nothing_in_a_mail_follows_its_reader() -> None:
    raw = _raw(make_content())
    assert not any(one in raw.lower() for one in (b"<img", b"utm_", b"x-mailer", b"disposition-notification"))
