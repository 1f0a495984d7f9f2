"""Signing in: one answer for everything that is wrong, sessions that end, no form from elsewhere, a new password by letter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP

import pytest

from gateway import passwords
from gateway.errors import Invalid
from gateway.store import Waiting
from tests.web.house import Door
from tests.web.site.people import BOSS, EMMAS, JOHNS, PASSWORD, RIVAL, Visitor


def letters(door: Door) -> Sequence[Waiting]:
    """What is waiting for the mail server; unsealed, since the tests' seal is none."""
    return door.store.claim_letters(door.clock.now, lease=timedelta(minutes=1))


def reset_link(visitor: Visitor, email: str) -> str:
    """The address in the letter, on our side of the host name."""
    assert visitor.post("/forgotten", {"email": email}).status == 303
    [letter] = letters(visitor.door)
    body = message_from_bytes(letter.message, policy=SMTP).get_body(("plain",))
    assert body is not None
    found = re.search(r"https://calendar\.example\.com(/reset/[\w-]+)", body.get_content())
    assert found is not None
    return found[1]


def test_an_administrator_lands_on_the_settings_and_a_staff_member_on_his_calendar(door: Door) -> None:
    landed = {user.name: Visitor(door).sign_in(user).headers["location"] for user in (BOSS, JOHNS)}
    assert landed == {BOSS.name: "/settings/external-services/calendar-sync", JOHNS.name: "/me"}


def test_a_handle_signs_in_too(stranger: Visitor) -> None:
    assert stranger.post("/sign-in", {"email": "john-smith", "password": PASSWORD}).status == 303


def test_the_cookie_is_for_us_alone(stranger: Visitor) -> None:
    cookie = stranger.sign_in(BOSS).headers["set-cookie"]
    assert cookie.startswith("__Host-gateway-session=")
    for flag in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"):
        assert flag in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    ("email", "password"), [(BOSS.email, "wrong"), ("nobody@example.com", PASSWORD), ("", ""), (BOSS.email, "x" * 5000)]
)
def test_whatever_is_wrong_the_answer_is_the_same(stranger: Visitor, email: str, password: str) -> None:
    answer = stranger.post("/sign-in", {"email": email, "password": password})
    assert answer.status == 401
    assert "E-mail address and password do not fit together" in answer.text
    assert "set-cookie" not in answer.headers


def test_whoever_guesses_is_told_to_wait_and_others_are_not(door: Door) -> None:
    for _ in range(10):
        assert Visitor(door).sign_in(BOSS, "a wrong guess").status == 401
    refused = Visitor(door).sign_in(BOSS)
    assert (refused.status, "try again in" in refused.text) == (429, True)
    assert Visitor(door).sign_in(JOHNS).status == 303
    door.clock.now += timedelta(seconds=61)
    assert Visitor(door).sign_in(BOSS).status == 303


def test_signing_out_ends_the_session_here_and_in_the_store(boss: Visitor) -> None:
    kept = boss.cookie
    assert boss.fill("/account", to="/sign-out").headers["location"] == "/sign-in?said=signed-out"
    boss.cookie = kept
    assert boss.get("/account").headers["location"].startswith("/sign-in")


def test_a_page_that_needs_it_sends_to_signing_in_and_back(stranger: Visitor) -> None:
    sent = stranger.get("/account?said=saved")
    assert (sent.status, sent.headers["location"]) == (303, "/sign-in?next=%2Faccount%3Fsaid%3Dsaved&said=sign-in")
    page = stranger.get(sent.headers["location"])
    assert 'name="next" value="/account?said=saved"' in page.text
    there = stranger.post("/sign-in", {"email": BOSS.email, "password": PASSWORD, "next": "/account"})
    assert there.headers["location"] == "/account"


@pytest.mark.parametrize("elsewhere", ["https://evil.example.net/", "//evil.example.net", "/\\evil.example.net", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(stranger: Visitor, elsewhere: str) -> None:
    answer = stranger.post("/sign-in", {"email": BOSS.email, "password": PASSWORD, "next": elsewhere})
    assert answer.headers["location"] == "/settings/external-services/calendar-sync"


@pytest.mark.parametrize("headers", [{"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example.net"}, {"Origin": "null"}])
def test_no_form_of_another_site_is_taken(boss: Visitor, headers: dict[str, str]) -> None:
    assert boss.post("/sign-out", {}, **headers).status == 403
    assert boss.get("/account").status == 200


def test_a_form_without_our_token_is_not_taken(boss: Visitor) -> None:
    assert boss.post("/sign-out", {"form_token": "0" * 32}).status == 403
    assert boss.get("/account").status == 200


def test_a_session_ends_after_fourteen_days(boss: Visitor) -> None:
    boss.door.clock.now += timedelta(days=14) - timedelta(seconds=1)
    assert boss.get("/account").status == 200
    boss.door.clock.now += timedelta(seconds=1)
    assert boss.get("/account").status == 303


def test_asking_for_a_new_password_does_not_tell_who_is_there(stranger: Visitor) -> None:
    answers = [stranger.post("/forgotten", {"email": email}) for email in (BOSS.email, "nobody@example.com")]
    assert {(answer.status, answer.headers["location"]) for answer in answers} == {(303, "/sign-in?said=reset-sent")}
    assert [letter.recipient for letter in letters(stranger.door)] == [BOSS.email]


def test_a_new_password_is_set_by_the_link_once(door: Door) -> None:
    signed_in, stranger = Visitor(door), Visitor(door)
    signed_in.sign_in(BOSS)
    link = reset_link(stranger, BOSS.email)
    short = stranger.post(link, {"password": "short"})
    assert (short.status, "at least 10 characters" in short.text) == (422, True)
    assert stranger.post(link, {"password": "another four words indeed"}).headers["location"] == "/sign-in?said=password-set"
    assert signed_in.get("/account").status == 303
    assert stranger.post(link, {"password": "yet another four words"}).status == 410
    assert Visitor(door).sign_in(BOSS).status == 401
    assert Visitor(door).sign_in(BOSS, "another four words indeed").status == 303


def test_a_link_is_void_after_an_hour(stranger: Visitor) -> None:
    link = reset_link(stranger, BOSS.email)
    assert stranger.get(link).status == 200
    stranger.door.clock.now += timedelta(hours=1)
    assert stranger.get(link).status == 410


def test_pages_are_in_the_language_of_the_account_or_the_browser(door: Door) -> None:
    emma = Visitor(door)
    emma.sign_in(EMMAS)
    assert '<html lang="fr">' in emma.get("/account").text
    assert '<html lang="de">' in Visitor(door).get("/sign-in", Accept_Language="it, de;q=0.8, en;q=0.5").text
    assert '<html lang="en">' in Visitor(door).get("/sign-in", Accept_Language="it;q=x").text


def test_an_administrator_of_one_company_is_nobody_in_another(door: Door) -> None:
    rival = Visitor(door)
    rival.sign_in(RIVAL)
    page = rival.get("/account").text
    assert "Other Company" in page
    assert "Demo Company" not in page


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "password123", "admin@example.com", "x" * 201])
def test_a_password_that_is_easy_to_guess_is_refused(password: str) -> None:
    with pytest.raises(Invalid):
        passwords.hashed(password, BOSS.email)


def test_a_password_fits_itself_alone() -> None:
    kept = passwords.hashed(PASSWORD)
    assert passwords.fits(kept, PASSWORD)
    assert not passwords.fits(kept, PASSWORD + " ")
    assert not passwords.fits("", "")
    assert not passwords.fits("no hash", PASSWORD)
    assert not passwords.stale(kept)
