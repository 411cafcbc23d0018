"""An ACH file is read by a parser that nobody here wrote (carta-ach): what it finds in each field is what was to be paid."""

import subprocess
from typing import Any

import pytest
from ach.parser import Parser

from tests.clients.conftest import ROOT, RUNWAY_PYTHON

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def text() -> str:
    command = [str(RUNWAY_PYTHON), "-m", "tests.clients.ach_file"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def parsed(text: str) -> dict[str, Any]:
    return Parser(text).as_dict()


def test_the_file_says_who_sends_it_to_whom_and_when(parsed: dict[str, Any]) -> None:
    header = parsed["file_header"]
    assert (header["immediate_dest"].strip(), header["immediate_org"].strip()) == ("021000021", "1234567890")
    assert (header["file_crt_date"], header["file_crt_time"], header["file_id_mod"]) == ("261120", "0905", "B")
    (batch,) = parsed["batches"]
    told = batch["batch_header"]
    assert (told["serv_cls_code"], told["std_ent_cls_code"], told["eff_ent_date"]) == ("220", "CCD", "261123")
    assert told["company_name"].strip() == "ALDER WORKS"


def test_each_payment_reaches_its_account_with_its_amount(parsed: dict[str, Any]) -> None:
    (batch,) = parsed["batches"]
    entries = [one["entry_detail"] for one in batch["entries"]]
    assert [
        (
            one["transaction_code"],
            one["recv_dfi_id"] + one["check_digit"],
            one["dfi_acnt_num"].strip(),
            int(one["amount"]),
        )
        for one in entries
    ] == [
        ("22", "091000019", "000123456789", 12_345),
        ("32", "011401533", "42", 500),
        ("22", "122105278", "98765432101234567", 9_999_999_999),
    ]
    assert [one["ind_name"].strip() for one in entries] == ["CAFE MULLER", "LARCH & SONS, INC.", "V" * 22]
    assert [one["trace_num"] for one in entries] == [f"02100002{number:07d}" for number in (42, 43, 44)]


def test_counts_totals_and_hash_are_those_of_the_payments(text: str, parsed: dict[str, Any]) -> None:
    (batch,) = parsed["batches"]
    hashed = sum(int(one["entry_detail"]["recv_dfi_id"]) for one in batch["entries"]) % 10**10
    total = sum(int(one["entry_detail"]["amount"]) for one in batch["entries"])
    for control in (batch["batch_control"], parsed["file_control"]):
        assert int(control["entadd_count"]) == 3
        assert int(control["entry_hash"]) == hashed
        assert (int(control["credit_amount"]), int(control["debit_amount"])) == (total, 0)
    lines = text.splitlines()
    assert {len(line) for line in lines} == {94}
    assert int(parsed["file_control"]["block_count"]) * 10 == len(lines)
