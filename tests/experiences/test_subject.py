"""The subject: date and number first, never too long, never two lines."""

import re
from dataclasses import replace

import pytest
from hypothesis import given

from experiences.digest.document import DigestDocument
from experiences.digest.render import firm_subject, preheader, subject
from tests.experiences.builders import make_digest
from tests.experiences.examples import NO_DATA, NOT_COMPUTABLE, TIGHT, ZERO
from tests.experiences.strategies import documents, many_slow_inputs, slow_inputs


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(TIGHT, "Covered until 8 Jan (49 days), low point -$32.9k on 19 Feb", id="ends"),
        pytest.param(make_digest(), "Covered beyond 19 Feb (13 weeks), low point $22.1k on 19 Feb", id="does not end"),
        pytest.param(
            make_digest(currency="CHF"), "Covered beyond 19 Feb (13 weeks), low CHF 22.1k on 19 Feb", id="shorter"
        ),
        pytest.param(
            make_digest(accounts=(("Operating", 310_000),)),
            "Below the floor on 20 Nov, cash $3.1k, floor $12.9k",
            id="below already",
        ),
        pytest.param(ZERO, "No cash on 20 Nov, floor $12.9k", id="zero is not below some floor"),
        pytest.param(NOT_COMPUTABLE, "20 Nov: runway not computable", id="not computable"),
        pytest.param(NO_DATA, "20 Nov: no data for a runway yet", id="no data"),
    ],
)
def test_the_subject_says_date_and_number_first(document: DigestDocument, expected: str) -> None:
    assert subject(document) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Acme", "Acme: Covered until 8 Jan (49 days), low -$32.9k on 19 Feb"),
        ("Harbour Dental Practice", "Harbour Dental Practice: Covered until 8 Jan (49 days)"),
        ("Harbour Dental Practice, Long Beach", "Harbour Dental Practice, Long Beach: Covered until 8 Jan"),
        (
            "Harbour Dental Practice and Laboratory, Long Beach",
            "Harbour Dental Practice and Laboratory\u2026: Covered until 8 Jan",
        ),
        ("x\r\nBcc: a@b.example", "x Bcc: a@b.example: Covered until 8 Jan (49 days)"),
        ("  \u202e ", "(no name): Covered until 8 Jan (49 days), low point -$32.9k"),
        # From the right in itself, while the line goes on from the left.
        (
            "\u05de\u05d0\u05e4\u05d9\u05d4",
            "\u2068\u05de\u05d0\u05e4\u05d9\u05d4\u2069: Covered until 8 Jan (49 days), low -$32.9k on 19 Feb",
        ),
    ],
)
def test_the_firms_copy_begins_with_whose_digest_it_is(name: str, expected: str) -> None:
    assert firm_subject(replace(TIGHT, tenant_name=name)) == expected


@given(documents())
@slow_inputs
def test_the_subject_is_one_short_line_and_the_preheader_one_line(document: DigestDocument) -> None:
    _check_headers(document)


@pytest.mark.long
@given(documents())
@many_slow_inputs
def test_many_subjects_are_one_short_line(document: DigestDocument) -> None:
    _check_headers(document)


def _check_headers(document: DigestDocument) -> None:
    """Nothing from the books can end a mail header or start another one."""
    assert len(subject(document)) <= 60
    assert subject(document).isprintable()
    without_directions = firm_subject(document).translate(dict.fromkeys((0x2068, 0x2069)))
    assert len(without_directions) <= 60
    for line in (subject(document), firm_subject(document), preheader(document)):
        assert len(line.splitlines()) == 1
        assert not re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", line)
