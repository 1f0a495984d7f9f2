"""The demo's mail server takes mail like any other one, and shows every letter a person was sent."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

from gateway.mailbox import KEPT, Mailbox

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
INVITATION = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox(folder, lambda: NOW)
    try:
        yield box, box.start()
    finally:
        box.stop()


def letter(subject: str = "Ihr Termin für Dienstag") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "calendar@example.com", "ann@example.com", subject
    mail.set_content("Bis Dienstag, schöne Grüße\n")
    mail.add_alternative("<p>schöne Grüße</p>", subtype="html")
    mail.add_alternative(INVITATION, subtype="calendar", params={"method": "REQUEST"})
    mail.add_attachment(INVITATION, subtype="calendar", filename="invite.ics")
    return mail


def send(url: str, *mails: EmailMessage, to: str = "ann@example.com") -> None:
    address = urlsplit(url)
    with smtplib.SMTP(address.hostname or "", address.port or 0) as smtp:
        for mail in mails:
            smtp.send_message(mail, to_addrs=[to])


def test_a_letter_is_shown_with_its_texts_and_its_invitation(tmp_path: Path) -> None:
    with opened(tmp_path / "mail") as (box, url):
        send(url, letter())
        [mail] = box.mails()
    assert mail["to"] == ["ann@example.com"]
    assert mail["subject"] == "Ihr Termin für Dienstag"
    assert mail["text"].strip() == "Bis Dienstag, schöne Grüße"
    assert mail["html"].strip() == "<p>schöne Grüße</p>"
    assert [(each["filename"], each["content_type"]) for each in mail["attachments"]] == [
        ("", "text/calendar"),
        ("invite.ics", "text/calendar"),
    ]
    assert "METHOD:REQUEST" in mail["attachments"][0]["text"]
    assert mail["sent_at"] == "2026-11-24T08:00:00+00:00"


def test_the_recipient_is_the_one_of_the_envelope(tmp_path: Path) -> None:
    with opened(tmp_path) as (box, url):
        send(url, letter(), to="somebody.else@example.org")
        [mail] = box.mails()
    assert mail["to"] == ["somebody.else@example.org"]


def test_a_second_start_still_shows_the_mails_of_the_first(tmp_path: Path) -> None:
    with opened(tmp_path) as (box, url):
        send(url, letter("one"), letter("two"))
        before = list(box.mails())
    with opened(tmp_path) as (box, url):
        assert list(box.mails()) == before
        send(url, letter("three"))
        assert [mail["subject"] for mail in box.mails()] == ["one", "two", "three"]


def test_a_draft_that_a_crash_left_behind_is_no_mail(tmp_path: Path) -> None:
    (tmp_path / "00000007.part").write_bytes(b"Subject: half")
    with opened(tmp_path) as (box, _):
        assert box.mails() == []


def test_a_mail_that_is_no_letter_is_kept_all_the_same(tmp_path: Path) -> None:
    odd = EmailMessage()
    odd["From"] = "calendar@example.com"
    odd.set_content(b"\x00\xff", maintype="application", subtype="octet-stream", filename="odd.bin")
    with opened(tmp_path) as (box, url):
        send(url, odd)
        [mail] = box.mails()
    assert (mail["subject"], mail["text"], mail["html"]) == ("", "", "")
    assert mail["attachments"][0]["filename"] == "odd.bin"


def test_only_the_newest_thousand_are_kept(tmp_path: Path) -> None:
    for number in range(1, KEPT + 1):
        (tmp_path / f"{number:08d}.eml").write_bytes(b"X-Envelope-To: ann@example.com\r\nX-Received-At: 2026-11-24T08:00:00+00:00\r\n\r\n")
    with opened(tmp_path) as (box, url):
        send(url, letter("newest"))
        assert len(box.mails()) == KEPT
        assert box.mails()[-1]["subject"] == "newest"
    assert not (tmp_path / "00000001.eml").exists()
    assert len(list(tmp_path.glob("*.eml"))) == KEPT


def test_nothing_is_left_running_after_the_end(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with opened(tmp_path):
        assert set(threading.enumerate()) - before
    assert set(threading.enumerate()) <= before


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, url):
        assert urlsplit(url).hostname == "127.0.0.1"
