"""Invitations: a letter in somebody's own words, made safe, with a link that works as long as it should and for one person."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from gateway.model import CompanyId
from gateway.users import Step
from gateway.web.site import wording
from tests.web.house import JOHN, NOW, SETUP, connected
from tests.web.site.people import Visitor

PAGE = f"/staff/{JOHN.id}/invite"
DEMO = CompanyId("demo")
FORM: dict[str, str | list[str]] = {"to": JOHN.email, "subject": "Join {company}", "body": "<p>Hello {staff}</p><p>{link}</p>"}


def sent(visitor: Visitor) -> list[EmailMessage]:
    waiting = visitor.door.store.claim_letters(NOW, lease=timedelta(minutes=1))
    return [message_from_bytes(each.message, policy=SMTP) for each in waiting]  # type: ignore[misc]  # the policy decides the class


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def link(message: EmailMessage) -> str:
    found = re.search(r"https://calendar\.example\.com(/connect/[\w-]+)", part(message, "plain"))
    assert found is not None
    return found[1]


def test_s35_s36_s39_the_dialog_is_filled_in(boss: Visitor) -> None:
    page = boss.get(PAGE)
    assert f'value="{JOHN.email}"' in page.text
    assert 'value="Sync your appointments with your calendar"' in page.text
    assert "I am managing our booking for {company} online" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe-eval" not in page.headers["content-security-policy"]


def test_s40_the_letter_says_what_was_written_with_everything_filled_in(boss: Visitor) -> None:
    assert boss.fill(PAGE, FORM).headers["location"].startswith(f"/staff/{JOHN.id}")
    [message] = sent(boss)
    assert (message["To"], message["Subject"]) == (JOHN.email, "Join Demo Company")
    assert "Hello John Smith" in part(message, "html")
    assert "Hello John Smith" in part(message, "plain")
    assert message["Reply-To"] == "admin@example.com"
    with boss.door.store.read(DEMO) as snapshot:
        [invitation] = snapshot.invitations(JOHN.id)
    assert (invitation.step, invitation.until - invitation.sent) == (Step.SENT, timedelta(days=14))


def test_a_letter_without_a_link_gets_one(boss: Visitor) -> None:
    boss.fill(PAGE, {**FORM, "body": "<p>Just words</p>"})
    [message] = sent(boss)
    assert link(message)


def test_the_copy_for_me_has_no_link(boss: Visitor) -> None:
    boss.fill(PAGE, {**FORM, "copy": "on"})
    messages = {message["To"]: message for message in sent(boss)}
    assert "/connect/" in part(messages[JOHN.email], "plain")
    assert "/connect/" not in part(messages["admin@example.com"], "plain")


@pytest.mark.parametrize("form", [{"to": "a@example.com, b@example.com"}, {"to": "nobody"}, {"subject": ""}])
def test_a_wrong_field_is_said_and_nothing_is_sent(boss: Visitor, form: dict[str, str]) -> None:
    answer = boss.fill(PAGE, {**FORM, **form})
    assert answer.status == 422
    assert "Nothing was sent" in answer.text
    assert sent(boss) == []


def test_s41_the_link_opens_without_signing_in_and_shows_what_is_shared(boss: Visitor, stranger: Visitor) -> None:
    connected(boss.door.store)
    boss.fill(PAGE, FORM)
    [message] = sent(boss)
    page = stranger.get(link(message))
    assert page.status == 200
    for shown in ("Demo Company", "You are John Smith", "Connect Google Calendar"):
        assert shown in page.text
    with boss.door.store.read(DEMO) as snapshot:
        assert snapshot.invitations(JOHN.id)[0].opened == NOW


def test_a_button_of_the_landing_page_leads_to_the_provider(boss: Visitor, stranger: Visitor) -> None:
    connected(boss.door.store)
    boss.fill(PAGE, FORM)
    [message] = sent(boss)
    answer = stranger.post(link(message), {"provider": "google"})
    assert (answer.status, answer.headers["location"][:38]) == (303, "https://accounts.example.com/consent?s")
    assert stranger.post(link(message), {"provider": "outlook"}).status == 409
    assert stranger.post(link(message), {"provider": "nobody"}).status == 400


def test_a163_a_used_link_shows_what_came_of_it_and_connects_nothing_more(boss: Visitor, stranger: Visitor) -> None:
    connected(boss.door.store)
    boss.fill(PAGE, FORM)
    [message] = sent(boss)
    with boss.door.store.write(DEMO, SETUP) as tx:
        assert tx.invitation_connected(tx.invitations(JOHN.id)[0].id, boss.door.clock.now)
    page = stranger.get(link(message))
    assert page.status == 200
    assert "Google Calendar" in page.text
    assert "Connect Google Calendar" not in page.text
    assert stranger.post(link(message), {"provider": "google"}).status == 410
    stranger.door.clock.now += timedelta(hours=1)
    assert stranger.get(link(message)).status == 410


def test_a_revoked_or_old_link_leads_nowhere(boss: Visitor, stranger: Visitor) -> None:
    boss.fill(PAGE, FORM)
    boss.fill(PAGE, {**FORM, "subject": "Again"})
    first, second = sent(boss)
    assert stranger.get(link(first)).status == 410
    assert stranger.get(link(second)).status == 200
    assert boss.fill(PAGE, to=f"{PAGE}/revoke").status == 303
    assert stranger.get(link(second)).status == 410
    boss.fill(PAGE, FORM)
    [third] = sent(boss)
    stranger.door.clock.now += timedelta(days=14)
    assert stranger.get(link(third)).status == 410
    assert stranger.get("/connect/unknown-token").status == 404


def test_s38_a_letter_that_no_server_takes_is_shown_as_failed(boss: Visitor) -> None:
    boss.fill(PAGE, FORM)
    store = boss.door.store
    [letter] = store.claim_letters(NOW, lease=timedelta(minutes=1))
    assert "sent" in boss.get("/staff").text
    assert store.letter_failed(letter, NOW, again=None, failure="550 No such user")
    assert "could not be delivered" in boss.get("/staff").text
    boss.fill(PAGE, FORM)  # invited again: what became of the newest counts
    assert "could not be delivered" not in boss.get("/staff").text


def test_the_preview_shows_the_letter_and_can_do_nothing(boss: Visitor) -> None:
    answer = boss.fill(PAGE, FORM, to=f"{PAGE}/preview")
    assert "Hello John Smith" in answer.text
    assert answer.headers["content-security-policy"].startswith("sandbox")


@pytest.mark.parametrize(
    "written",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        "<iframe src='https://evil.example.net'></iframe>",
        "<form action='https://evil.example.net'><input name=a></form>",
        "<p style=\"background-image:url('https://evil.example.net/x')\">x</p>",
        "<svg onload=alert(1)></svg>",
        "<style>p{color:red}</style>",
        '<img src="http://plain.example.net/x.png">',
    ],
)
def test_s37_what_could_run_load_or_post_is_gone(written: str) -> None:
    safe = wording.safe(written)
    for mark in ("script", "onerror", "javascript:", "iframe", "<form", "<input", "url(", "onload", "<style", "http://plain"):
        assert mark not in safe


def test_values_are_text_in_the_letter() -> None:
    filled = wording.filled("<p>{company}</p>", dict.fromkeys(wording.PLACEHOLDERS, "<b>&</b>"), markup=True)
    assert filled == "<p>&lt;b&gt;&amp;&lt;/b&gt;</p>"


def test_a_link_in_a_link_stays_one() -> None:
    values = dict.fromkeys(wording.PLACEHOLDERS, "https://example.com/x")
    assert wording.filled('<a href="{link}">here</a>', values, markup=True) == '<a href="https://example.com/x">here</a>'
    assert wording.filled("<p>{link}</p>", values, markup=True).count("<a ") == 1


def test_inactive_staff_are_not_let_in(boss: Visitor, stranger: Visitor) -> None:
    from dataclasses import replace

    boss.fill(PAGE, FORM)
    [message] = sent(boss)
    with boss.door.store.write(DEMO, SETUP) as tx:
        tx.save_staff(replace(tx.staff(JOHN.id), active=False))
    assert stranger.get(link(message)).status == 410
