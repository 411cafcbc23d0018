"""`runway mail`: tried without a trace, recorded with who, refused in words, told as JSON."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.session import console
from resources.installation import Installation
from resources.mail.outbox_rows import RowKey
from resources.mail.recipients import suppress
from resources.mail.tables import of_firm, of_tenant
from resources.tenants import tenant_id
from tests.resources.mail_builders import make_content
from tests.resources.mail_server import PASSWORD, MailServer, mail_server, make_certificates

_ACME = tenant_id("acme")
_ANN = "ann@acme.example"
#: The command reads the machine's clock.
_NOW = datetime.now(tz=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(make_certificates(tmp_path_factory.mktemp("authority"))) as running:
        yield running


class Command:
    """Runs the command in this process on an installation of the test, with a mail server."""

    def __init__(self, installation: Installation, server: MailServer) -> None:
        self.installation = installation
        self._runner = CliRunner()
        settings = server.settings()
        self.environment = {
            "RUNWAY_DATA_DIR": str(installation.settings.data_dir),
            "COLUMNS": "220",
            **{f"RUNWAY_MAIL__{name.upper()}": str(value) for name, value in dict(settings).items()},
            "RUNWAY_MAIL__PASSWORD": PASSWORD,
        }

    def __call__(self, *arguments: str, stdin: bytes | None = None) -> Result:
        return self._runner.invoke(app, ["mail", *arguments], env=self.environment, input=stdin)

    def done(self, *arguments: str, stdin: bytes | None = None) -> str:
        found = self(*arguments, stdin=stdin)
        assert found.exit_code == 0, found.output
        return found.stdout

    def json(self, *arguments: str, stdin: bytes | None = None) -> Any:
        return json.loads(self.done(*arguments, "--json", stdin=stdin))

    def refused(self, *arguments: str) -> str:
        found = self(*arguments)
        assert found.exit_code == 1, found.output
        return found.stderr

    def queue(self, key: str = "2026-11-20") -> RowKey:
        row_key = RowKey(owner=of_tenant(_ACME), kind="friday_digest", key=key, address=_ANN)
        outbox = self.installation.outbox
        outbox.enqueue(row_key, make_content(), due_at=_NOW - timedelta(hours=1), expires_at=_NOW + timedelta(days=2))
        return row_key


@pytest.fixture
def command(bare_installation: Installation, server: MailServer) -> Command:
    server.behave()
    server.taken.clear()
    server.stages.clear()
    bare_installation.registry.add_firm("oak", name="Oak")
    bare_installation.registry.add_tenant("acme", firm_id="oak", name="Acme", zone="Europe/London")
    return Command(bare_installation, server)


def _with_ann(command: Command) -> Command:
    command.done("recipients", "add", "acme", _ANN, "--name", "Ann", "--by", "ben")
    return command


def test_a_list_of_recipients_fits_a_terminal_of_80_columns(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each address in one piece, to be typed into the next command, and what it reads beside it."""
    monkeypatch.setattr(console, "width", 80)
    long = "bookkeeping.department@hartwell.finch.example"[1:]
    for address in (_ANN, long):
        command.done(
            "recipients", "add", "acme", address, "--name", "Ann Example of the Bookkeeping Department", "--by", "ben"
        )
    command.installation.recipients.unsubscribe(of_tenant(_ACME), long)
    lines = command.done("recipients", "list", "acme").splitlines()
    assert max(len(line) for line in lines) <= 80
    ann, unsubscribed = (next(line for line in lines if line.strip().startswith(one)) for one in (_ANN, f"{long} "))
    assert ann.split() == [_ANN, "client,", "en-GB,", "symbol", "yes"]
    assert "no: " in unsubscribed
    assert " ".join(" ".join(lines).split()).count("Europe/London") == 2
    assert {one["zone"] for one in command.json("recipients", "list", "acme")} == {"Europe/London"}


def test_recipients_are_added_listed_and_removed(command: Command) -> None:
    assert "Nothing was recorded" in command.done("recipients", "add", "acme", _ANN, "--dry-run")
    assert command.json("recipients", "list", "acme") == []
    added = command.json("recipients", "add", "acme", _ANN, "--role", "firm", "--locale", "en-US", "--by", "ben")
    assert (added["recorded"], added["recipient"]["zone"], added["recipient"]["added_by"]) == (
        True,
        "Europe/London",
        "ben",
    )
    assert _ANN in command.done("recipients", "list", "acme")
    assert "is no mail address" in command.refused("recipients", "add", "acme", "nobody")
    assert "choose one of client, firm" in command.refused("recipients", "add", "acme", _ANN, "--role", "boss")
    assert "Nothing was recorded" in command.done("recipients", "remove", "acme", _ANN, "--dry-run")
    assert len(command.json("recipients", "list", "acme")) == 1
    command.done("recipients", "remove", "acme", _ANN)
    assert command.json("recipients", "list", "acme") == []
    assert "is no recipient" in command.refused("recipients", "remove", "acme", "eve@evil.example")


def test_what_is_left_out_when_a_recipient_is_added_again_stays_as_it_was(command: Command) -> None:
    """As the refusal words it, without another option: the firm's copy silently became the client's."""
    reads = ("--name", "Ann", "--role", "firm", "--locale", "en-US", "--currency-format", "code")
    before = command.json("recipients", "add", "acme", _ANN, *reads, "--zone", "America/Denver")["recipient"]
    owner = of_tenant(_ACME)
    with command.installation.database.write() as connection:
        suppress(connection, owner, _ANN, reason="5.1.1 gone", now=_NOW)
    for dry in ((), ("--dry-run",)):
        assert "--lift-suppression" in command.refused("recipients", "add", "acme", _ANN, *dry)
    assert "Would record" in command.done("recipients", "add", "acme", _ANN, "--lift-suppression", "--dry-run")
    lifted = command.json("recipients", "add", "acme", _ANN, "--lift-suppression")["recipient"]
    how = ("name", "role", "locale", "zone", "currency_format")
    assert [lifted[one] for one in how] == [before[one] for one in how]
    assert lifted["obstacle"] is None
    command.done("recipients", "remove", "acme", _ANN)
    again = command.json("recipients", "add", "acme", _ANN, "--locale", "en-GB")["recipient"]
    assert [again[one] for one in how] == ["Ann", "firm", "en-GB", "America/Denver", "code"]


def test_whoever_unsubscribed_is_not_said_to_receive_mail(command: Command) -> None:
    _with_ann(command).installation.recipients.unsubscribe(of_tenant(_ACME), _ANN)
    for dry in (("--dry-run",), ()):
        told = command.done("recipients", "add", "acme", _ANN, *dry)
        assert "gets no mail: the reader unsubscribed, and --subscribe-again says" in told
    assert "receives the mail" in command.done("recipients", "add", "acme", _ANN, "--subscribe-again", "--dry-run")
    assert command.json("recipients", "list", "acme")[0]["obstacle"] == "the recipient unsubscribed"
    assert "receives the mail" in command.done("recipients", "add", "acme", _ANN, "--subscribe-again")


def test_the_mode_is_shown_tried_and_set_with_who(command: Command) -> None:
    assert "preview (nobody has set it)" in command.done("mode", "acme")
    assert "Nothing was recorded" in command.done("mode", "acme", "live", "--dry-run")
    assert command.json("mode", "acme")["mode"] == "preview"
    assert command.json("mode", "acme", "live", "--by", "ben")["mode"] == "live"
    assert "live (set by ben" in command.done("mode", "acme")
    assert "is no mode" in command.refused("mode", "acme", "loud")


def test_live_is_refused_without_a_server(command: Command) -> None:
    command.environment["RUNWAY_MAIL__HOST"] = ""
    assert "RUNWAY_MAIL__HOST" in command.refused("mode", "acme", "live")
    assert command.json("mode", "acme")["mode"] == "preview"


def test_a_preview_is_what_would_be_sent_and_nothing_leaves(
    command: Command, server: MailServer, tmp_path: Path
) -> None:
    _with_ann(command).queue()
    (file,) = command.json("preview", "acme", "--to", str(tmp_path / "mails"))
    message = message_from_bytes(Path(file).read_bytes(), policy=default)
    assert (message["To"].addresses[0].addr_spec, message["Subject"]) == (_ANN, "Covered until 6 Oct")
    assert Path(file).stat().st_mode & 0o077 == 0
    assert command.json("send")["sent"] == 0
    assert server.stages == []


def test_what_is_due_is_listed_sent_and_shown_with_its_history(command: Command, server: MailServer) -> None:
    _with_ann(command).queue()
    command.done("mode", "acme", "live")
    assert [one["row_key"]["address"] for one in command.json("send", "--dry-run")] == [_ANN]
    assert server.taken == []
    assert "Sent 1, failed 0" in command.done("send")
    assert len(server.taken) == 1
    (row,) = command.json("status", "acme")
    assert [one["event"] for one in row["history"]] == ["queued", "claimed", "begun", "sent"]
    told = command.done("status", "acme", "--week", "2026-11-20")
    assert "sent" in told
    assert _ANN in told, "on 80 columns, too, a mail is known by its whole address"
    assert " Of " not in told, "whose mail it is was typed: 80 columns have no room for it"
    assert command.json("status") == [
        {"firm_id": "oak", "mode": "preview", "recipients": 0, "states": {}},
        {"tenant_id": "acme", "mode": "live", "recipients": 1, "states": {"sent": 1}},
    ]
    told = command.done("status")
    assert "acme" in told
    assert "none" in told, "a firm that nobody reads the mail of is told nothing of failed runs"


def test_what_nobody_gets_is_not_said_to_be_due(command: Command, server: MailServer) -> None:
    _with_ann(command).queue()
    command.installation.recipients.unsubscribe(of_tenant(_ACME), _ANN)
    assert command.json("mode", "acme", "live", "--dry-run")["waiting"] == 0
    command.done("mode", "acme", "live")
    assert command.json("send", "--dry-run") == []
    assert command.json("send")["sent"] == 0
    assert server.stages == []


def test_an_unknown_mail_is_shown_with_its_button_and_sent_once_more_by_it(
    command: Command, server: MailServer
) -> None:
    _with_ann(command).queue()
    command.done("mode", "acme", "live")
    server.misbehave(content="hang up")
    found = command("send")
    assert found.exit_code == 0
    assert "runway mail resend acme 2026-11-20 ann@acme.example" in found.stderr
    assert "Nobody knows whether it arrived" in command.done("status", "acme")
    server.behave()
    assert command.json("send")["sent"] == 0
    assert "Would be queued" in command.done("resend", "acme", "2026-11-20", _ANN, "--dry-run")
    assert command.json("send")["sent"] == 0
    assert command.json("resend", "acme", "2026-11-20", _ANN, "--by", "ben")["queued"]
    assert command.json("send")["sent"] == 1
    assert "not sent twice" in command.refused("resend", "acme", "2026-11-20", _ANN)


def test_an_unknown_mail_that_arrived_is_settled_by_whoever_asked_its_reader(
    command: Command, server: MailServer
) -> None:
    _with_ann(command).queue()
    mail = ("acme", "2026-11-20", _ANN)
    command.done("mode", "acme", "live")
    assert "The mail is queued" in command.refused("arrived", *mail)
    server.misbehave(taken="hang up")
    command("send")
    assert "runway mail arrived acme 2026-11-20 ann@acme.example" in command.done("status", "acme")
    assert "Nothing was recorded" in command.done("arrived", *mail, "--dry-run")
    assert command.json("status", "acme")[0]["state"] == "unknown"
    assert command.json("arrived", *mail, "--by", "ben")["recorded"]
    (row,) = command.json("status", "acme")
    assert (row["state"], row["sent_at"]) == ("sent", row["begun_at"])
    assert (row["history"][-1]["event"], row["history"][-1]["detail"]) == ("sent", "it arrived, says ben")
    assert "The mail is sent" in command.refused("arrived", *mail, "--dry-run")
    assert "not sent twice" in command.refused("resend", *mail)
    assert "no such mail" in command.refused("arrived", "acme", "2026-11-13", _ANN)


def test_trouble_with_the_server_is_said_without_the_password(command: Command, server: MailServer) -> None:
    _with_ann(command).queue()
    command.done("mode", "acme", "live")
    server.misbehave(auth="535 wrong password")
    found = command("send")
    assert (found.exit_code, "535 wrong password" in found.stderr) == (1, True)
    assert PASSWORD not in found.output


def test_a_report_from_standard_input_marks_its_mail(command: Command) -> None:
    row_key = _with_ann(command).queue()
    command.done("mode", "acme", "live")
    command.done("send")
    row = command.installation.outbox.row(row_key)
    assert row is not None
    raw = (
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        b"Final-Recipient: rfc822; ann@acme.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <"
        + row.message_token.encode()
        + b"@oak.example>\r\n\r\nx\r\n--b--\r\n"
    )
    assert command.json("bounce", "--dry-run", stdin=raw)[0]["recorded"] is False
    assert "failed, 5.1.1" in command.done("bounce", stdin=raw)
    assert "known already" in command.done("bounce", stdin=raw)
    assert command.json("status", "acme")[0]["state"] == "bounced"
    assert "--lift-suppression" in command.refused("recipients", "add", "acme", _ANN)
    assert "cannot be read" in command.refused("bounce", "no-such-report.eml")
    assert command("bounce", stdin=b"Subject: hi\r\n\r\nhi").exit_code == 1


def test_a_firm_has_the_same_commands_for_its_own_mail(command: Command, server: MailServer) -> None:
    added = command.json("recipients", "add", "firm:oak", _ANN, "--by", "ben")["recipient"]
    assert (added["firm_id"], added["role"], added["zone"]) == ("oak", "firm", "Europe/London")
    assert "no firm 'elm'" in command.refused("recipients", "list", "firm:elm")
    assert "leave the role out" in command.refused("recipients", "add", "firm:oak", _ANN, "--role", "client")
    command.installation.registry.add_tenant("bolt", firm_id="oak", name="Bolt", zone="America/Denver")
    assert "--zone" in command.refused("recipients", "add", "firm:oak", "bob@oak.example")
    row_key = RowKey(owner=of_firm("oak"), kind="firm_exceptions", key="2026-11-20", address=_ANN)
    times = {"due_at": _NOW - timedelta(hours=1), "expires_at": _NOW + timedelta(days=2)}
    command.installation.outbox.enqueue(row_key, make_content(), **times)
    (file,) = command.json("preview", "firm:oak")
    assert Path(file).parent.name == "firm_oak"
    assert command.json("send")["sent"] == 0
    assert command.json("mode", "firm:oak", "live")["mode"] == "live"
    server.misbehave(content="hang up")
    hint = "runway mail resend firm:oak 2026-11-20 ann@acme.example --kind firm_exceptions"
    assert hint in command("send").stderr
    assert hint in command.done("status", "firm:oak")
    server.behave()
    assert command.json("resend", "firm:oak", "2026-11-20", _ANN)["mail"]["firm_id"] == "oak"
    assert command.json("send")["sent"] == 1
    assert [one["state"] for one in command.json("status", "firm:oak")] == ["sent"]
    command.done("recipients", "remove", "firm:oak", _ANN)
    assert command.json("recipients", "list", "firm:oak") == []
