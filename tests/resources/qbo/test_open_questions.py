"""What nobody knows of QuickBooks: under each answer to each open question a sync and its increments end in the truth.

The questions are those at the end of the specification of QuickBooks' behaviour, by their numbers; each is a setting of the
local QuickBooks. The default suite gives every answer once, several questions to a company; the long one each answer alone.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from resources.clock import Clock, SystemClock
from resources.installation import Installation
from resources.qbo.errors import QboRefused
from resources.qbo.query import select
from resources.qbo.token_keeper import MARGIN
from resources.qbo_webhooks import SIGNATURE_HEADER, verified_events
from resources.secret_text import Secret
from tests.conftest import FRIDAY_MORNING
from tests.qbo_sandbox.client import Company, exact
from tests.resources.qbo.lives import Life, Reader, begin, objects_of, open_reader, reader
from tests.sandbox import Sandbox, start_sandbox

_VERIFIER = "verifier-of-the-open-questions"
_WORDS = {"Create": "created", "Update": "updated", "Delete": "deleted", "Merge": "merged", "Void": "voided"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer to a question: settings of the company, settings of the app."""

    company: dict[str, Any] = field(default_factory=dict)
    app: dict[str, Any] = field(default_factory=dict)


def _company(**settings: Any) -> Answer:
    return Answer(company=settings)


def _app(**settings: Any) -> Answer:
    return Answer(app=settings)


QUESTIONS: dict[str, tuple[Answer, ...]] = {
    "1 change data's cap": (_company(cdc_cap="response"), _company(cdc_cap="entity")),
    "2 a batch's cap": (_company(batch_cap="query"), _company(batch_cap="batch")),
    "3 a batch's metering": (_company(batch_metering="call"), _company(batch_metering="item")),
    "4 the body of a 429": (_company(throttle_body="xml"), _company(throttle_body="json")),
    "4 Retry-After": (_company(throttle_retry_after=False), _company(throttle_retry_after=True)),
    "5 a line above the balance": (_company(overpaying_line="refuse"), _company(overpaying_line="cap")),
    "6 a repeated request id": tuple(
        _company(request_ids=one) for one in ("honoured", "forgotten", "ignored", "answers_600", "answers_6000")
    ),
    "6 how long it is remembered": (_company(request_id_seconds=2_592_000), _company(request_id_seconds=0)),
    "6 with another body": tuple(_company(request_id_other_body=one) for one in ("replay", "answers_600")),
    "7 column lists": tuple(_company(column_lists=one) for one in ("project", "whole", "refuse")),
    "8 times without offset": (_company(query_time_zone="pacific"), _company(query_time_zone="company")),
    "9 racing refreshes": (_app(racing_refresh_kills_winner=False), _app(racing_refresh_kills_winner=True)),
    "10 the order without ORDERBY": (_company(default_order="newest_changed"), _company(default_order="id")),
    "11 names of events": (_app(webhook_words=_WORDS), _app(webhook_words={name: name.lower() for name in _WORDS})),
    "12 status of business faults": (_company(business_fault_status=400), _company(business_fault_status=403)),
    "13 totalCount": tuple(_company(page_total_count=one) for one in ("recorded", "always", "never")),
}
_DEFAULTS = {name: answers[0] for name, answers in QUESTIONS.items()}
_MOST_ANSWERS = max(len(answers) for answers in QUESTIONS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A QuickBooks whose time and app can be set, and an installation that reads from it."""

    sandbox: Sandbox
    installation: Installation


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        sandbox = stack.enter_context(start_sandbox(tmp_path_factory.mktemp("questioned-sandbox")))
        start = (FRIDAY_MORNING + timedelta(days=1)).isoformat()
        sandbox.control.post("/__sandbox__/clock", json={"now": start}).raise_for_status()
        installation = stack.enter_context(open_reader(tmp_path_factory.mktemp("questions"), sandbox))
        yield Scene(sandbox=sandbox, installation=installation)


class _Running(Clock):
    """A clock that starts where another stands and runs as the machine's does: who waits for somebody really waits."""

    def __init__(self, start: datetime) -> None:
        self._machine = SystemClock()
        self._ahead = start - self._machine.now()

    def now(self) -> datetime:
        return self._machine.now() + self._ahead

    def sleep(self, seconds: float) -> None:
        self._machine.sleep(seconds)


def _ends_in_the_truth(scene: Scene, answers: dict[str, Answer]) -> None:
    sandbox = scene.sandbox
    for one in answers.values():
        sandbox.control.post("/__sandbox__/settings", json=one.app).raise_for_status()
    settings = {name: value for one in answers.values() for name, value in one.company.items()}
    life = Life(industry="consulting", seed=31, settings={**settings, "cdc_cap_objects": 40}, page_rows=1000, rounds=())
    realm_id = begin(life, sandbox=sandbox)
    tenant = reader(life, sandbox=sandbox, installation=scene.installation, realm_id=realm_id)

    sandbox.break_with(realm_id, kind="throttle_storm", times=1, path_contains="query")
    loaded = tenant.sync()
    assert loaded is not None
    assert loaded.usage is not None
    assert (loaded.kind, loaded.usage.throttled) == ("full", 1)
    assert tenant.objects() == objects_of(sandbox, realm_id)

    told = _writes(scene, tenant, realm_id=realm_id, settings=settings)
    _announced(scene, tenant, told)
    _increment_ends_in_the_truth(tenant, realm_id=realm_id)

    # More than a change answer holds, read after the token has expired, by two who want to refresh it at once.
    deeds = ["bill", "edited bill", "payment", "delete", "merge", "void", "journal entry", "inactivation"] * 5
    step = {"days": 1, "seed": 9, "deeds": deeds, "move_clock": False}
    sandbox.control.post(f"/__sandbox__/realms/{realm_id}/step", json=step).raise_for_status()
    sandbox.control.post("/__sandbox__/clock", json={"advance_seconds": 7200}).raise_for_status()
    _refresh_at_once(scene, tenant)
    _increment_ends_in_the_truth(tenant, realm_id=realm_id)
    _increment_ends_in_the_truth(tenant, realm_id=realm_id)


def _increment_ends_in_the_truth(tenant: Reader, *, realm_id: str) -> None:
    report = tenant.sync()
    assert report is not None
    assert report.kind == "changes"
    assert tenant.objects() == objects_of(tenant.sandbox, realm_id)


def _writes(scene: Scene, tenant: Reader, *, realm_id: str, settings: dict[str, Any]) -> list[str]:
    """What others write under these answers, and that the answers are the ones asked for; the notifications of it."""
    sandbox = scene.sandbox
    known = scene.installation.connections.load(tenant.tenant)
    token = known.tokens.access_token.reveal()
    company = Company(http=sandbox.control, realm_id=realm_id, access_token=token, refresh_token="")
    hook = {"url": "http://127.0.0.1:9/", "verifier_token": _VERIFIER}
    sandbox.control.post("/__sandbox__/webhooks", json=hook).raise_for_status()
    try:
        _pay(company, settings)
        _repeat(company, settings)
        _batch(company, settings, metered_before=_metered(sandbox, realm_id))
        refused = company.post("bill", _bill(company) | {"CurrencyRef": {"value": "EUR"}})
        assert refused.status_code == settings["business_fault_status"]
        _reads(company, settings)
        return _deliveries(sandbox, realm_id)
    finally:
        sandbox.control.delete("/__sandbox__/webhooks").raise_for_status()


def _bill(company: Company) -> dict[str, Any]:
    vendor = company.rows("select * from Vendor maxresults 1")[0]["Id"]
    account = company.rows("select * from Account where AccountType = 'Expense' maxresults 1")[0]["Id"]
    line = {
        "Amount": 100,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account}},
    }
    return {"VendorRef": {"value": vendor}, "Line": [line]}


def _pay(company: Company, settings: dict[str, Any]) -> None:
    made = company.create("Bill", _bill(company))
    bank = company.rows("select * from Account where AccountType = 'Bank' maxresults 1")[0]["Id"]
    payment = {
        "VendorRef": made["VendorRef"],
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": bank}, "PrintStatus": "NotSet"},
        "TotalAmt": 150,
        "Line": [{"Amount": 150, "LinkedTxn": [{"TxnId": made["Id"], "TxnType": "Bill"}]}],
    }
    paid = company.post("billpayment", payment)
    assert paid.status_code == (400 if settings["overpaying_line"] == "refuse" else 200)
    left = exact(company.get(f"bill/{made['Id']}"))["Bill"]["Balance"]
    assert left == (100 if settings["overpaying_line"] == "refuse" else 0)


def _repeat(company: Company, settings: dict[str, Any]) -> None:
    """One bill sent twice under one request id, then another under the same."""
    body = _bill(company)
    before = _count(company)
    first, again = (company.post("bill", body, requestid="asked-once") for _ in range(2))
    other = company.post("bill", body | {"PrivateNote": "another"}, requestid="asked-once")
    assert first.status_code == 200
    personality, is_forgotten = settings["request_ids"], settings["request_id_seconds"] == 0
    made = _count(company) - before
    if personality in ("forgotten", "ignored") or is_forgotten:
        assert made == 3
    elif personality == "honoured":
        assert (made, again.text) == (1, first.text)
        assert other.status_code == (200 if settings["request_id_other_body"] == "replay" else 400)
    else:
        assert (made, again.status_code, other.status_code) == (1, 400, 400)


def _count(company: Company) -> int:
    return int(exact(company.query("select count(*) from Bill"))["QueryResponse"]["totalCount"])


def _batch(company: Company, settings: dict[str, Any], *, metered_before: int) -> None:
    everything = [{"bId": f"{number}", "Query": "select * from Invoice maxresults 1000"} for number in range(20)]
    used = _metered(company, company.realm_id)
    answer = exact(company.post("batch", {"BatchItemRequest": everything}))
    cost = _metered(company, company.realm_id) - used
    assert cost == (1 if settings["batch_metering"] == "call" else len(everything))
    came = [len(one["QueryResponse"].get("Invoice", ())) for one in answer["BatchItemResponse"]]
    assert came[0] * len(everything) > 1000, "the company is too small to tell the caps apart"
    assert sum(came) == (1000 if settings["batch_cap"] == "batch" else came[0] * len(everything))
    assert used >= metered_before


def _metered(of: Sandbox | Company, realm_id: str) -> int:
    http = of.http if isinstance(of, Company) else of.control
    return int(http.get("/__sandbox__/meter").json()["by_realm"][realm_id])


def _reads(company: Company, settings: dict[str, Any]) -> None:
    """How statements are answered that a sync never sends because of these very questions."""
    columns = company.query("select Id from Bill maxresults 1")
    if settings["column_lists"] == "refuse":
        assert columns.status_code == 400
    else:
        [row] = exact(columns)["QueryResponse"]["Bill"]
        assert ("VendorRef" in row) == (settings["column_lists"] == "whole")
    ids = [int(row["Id"]) for row in company.rows("select * from Bill maxresults 1000")]
    assert (ids == sorted(ids)) == (settings["default_order"] == "id")
    for entity, is_recorded in (("Bill", True), ("Vendor", False)):
        page = exact(company.query(f"select * from {entity} maxresults 5"))["QueryResponse"]  # noqa: S608 - QuickBooks' language
        expected = {"recorded": is_recorded, "always": True, "never": False}[settings["page_total_count"]]
        assert ("totalCount" in page) == expected
    zone = {"pacific": "-08:00", "company": "-05:00"}[settings["query_time_zone"]]
    bare, told = (
        company.rows(f"select * from Bill where MetaData.CreateTime <= '2026-11-10T12:00:00{offset}' maxresults 1000")  # noqa: S608 - QuickBooks' language
        for offset in ("", zone)
    )
    assert bare == told


def _deliveries(sandbox: Sandbox, realm_id: str) -> list[str]:
    """The bodies that tell of a company's changes, once they were sent."""
    for _ in range(500):
        bodies = [one["body"] for one in sandbox.control.get("/__sandbox__/webhooks").json() if realm_id in one["body"]]
        if bodies:
            return bodies
        time.sleep(0.01)  # the sandbox sends in its own time
    raise AssertionError("nothing was sent")


def _announced(scene: Scene, tenant: Reader, bodies: list[str]) -> None:
    """The notifications mark the tenant whatever their events are called, and a sync covers the marks."""
    marks = scene.installation.dirty_tenants
    for body in bodies:
        signed = base64.b64encode(hmac.new(_VERIFIER.encode(), body.encode(), hashlib.sha256).digest()).decode()
        headers = {SIGNATURE_HEADER: signed}
        delivery = verified_events(body.encode(), signature=headers[SIGNATURE_HEADER], verifier=Secret(_VERIFIER))
        assert delivery.unreadable == 0
        marks.notice(delivery.events)
    assert tenant.tenant in [one.tenant_id for one in marks.dirty()]
    marks.cover(tenant.tenant, read_started_at=scene.installation.clock.now() + timedelta(seconds=1))


def _refresh_at_once(scene: Scene, tenant: Reader) -> None:
    """Two processes need a new token at the same time: one asks for it, whatever a second request would have done."""
    clock = scene.installation.clock
    clock.sleep(7200)
    before = _refreshes(scene.sandbox)
    running = _Running(clock.now())
    # Two installations on one database are two processes, as far as it can tell.
    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        pair = [Installation(scene.installation.settings, clock=running) for _ in range(2)]
        for one in pair:
            stack.callback(one.close)
        keepers = [one.token_keeper for one in pair for _ in range(2)]
        access = list(pool.map(lambda keeper: keeper.access_token(tenant.tenant), keepers))
    assert len({one.access_token.reveal() for one in access}) == 1
    assert access[0].connection.tokens.access_expires_at > clock.now() + MARGIN
    assert _refreshes(scene.sandbox) - before == 1


def _refreshes(sandbox: Sandbox) -> int:
    return sum("tokens/bearer" in one["path"] for one in sandbox.control.get("/__sandbox__/requests").json())


@pytest.mark.parametrize("number", range(_MOST_ANSWERS))
def test_every_answer_occurs_and_ends_in_the_truth(scene: Scene, number: int) -> None:
    # Shifted by the question's own place, so that the same answers do not always meet.
    answers = {name: found[(number + place) % len(found)] for place, (name, found) in enumerate(QUESTIONS.items())}
    _ends_in_the_truth(scene, answers)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        pytest.param(name, one, id=f"{name}: {one.company or one.app}")
        for name, found in QUESTIONS.items()
        for one in found
    ],
)
def test_each_answer_alone_ends_in_the_truth(scene: Scene, question: str, answer: Answer) -> None:
    _ends_in_the_truth(scene, {**_DEFAULTS, question: answer})


def test_every_setting_of_an_open_question_is_asked_here() -> None:
    numbers = {int(name.split()[0]) for name in QUESTIONS}
    assert numbers == set(range(1, 14))


def test_a_refused_column_list_is_a_refusal_and_no_empty_answer(scene: Scene) -> None:
    life = Life(
        industry="consulting",
        seed=31,
        settings={"column_lists": "refuse", "cdc_cap_objects": 40},
        page_rows=1000,
        rounds=(),
    )
    realm_id = begin(life, sandbox=scene.sandbox)
    tenant = reader(life, sandbox=scene.sandbox, installation=scene.installation, realm_id=realm_id)
    known = scene.installation.connections.load(tenant.tenant)
    statement = select("Bill")
    wrong = type(statement)(entity="Bill", text="SELECT Id FROM Bill")
    with pytest.raises(QboRefused):
        scene.installation.qbo_client.query(wrong, realm_id=realm_id, access_token=known.tokens.access_token)
