"""The pages of administrators and staff: what they show, what their forms change, and what the record says about it."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from gateway.model import CompanyId, OnDelete
from tests.web.house import EMMA, JOHN, NOW, SETUP, connected
from tests.web.site.people import BOSS, Visitor

SYNC = "/settings/external-services/calendar-sync"
DEMO = CompanyId("demo")


def made_feed(boss: Visitor) -> str:
    """A feed of Emma's, made on the page; its address below our own."""
    answer = boss.fill(SYNC, {"scope": "staff", "of": EMMA.id}, to="/feed")
    return answer.headers["location"].partition("?")[0]


def test_s05_s06_the_page_has_its_four_sections_and_breadcrumb(boss: Visitor) -> None:
    page = boss.get(SYNC).text
    for shown in (
        "View appointments in Outlook, Google Calendar, Lotus Notes and more",
        "Bidirectional synchronization",
        "Google Calendar",
        "Microsoft (Outlook.com / Microsoft 365)",
        "External Services",
    ):
        assert shown in page


def test_s08_s12_every_row_has_its_address_and_the_exact_links(boss: Visitor) -> None:
    feed = made_feed(boss)
    page = boss.get(feed).text
    address = re.search(r"https://calendar\.example\.com/feeds/[\w-]+\.ics", page)
    assert address is not None
    webcal = quote("webcal" + address[0].removeprefix("https"), safe="")
    assert f"https://calendar.google.com/calendar/r?cid={webcal}" in page
    assert f"https://outlook.live.com/calendar/0/addfromweb/?url={webcal}&amp;name=Emma%20Morris" in page
    assert f"https://outlook.office.com/calendar/0/addfromweb/?url={webcal}&amp;name=Emma%20Morris" in page
    assert 'href="webcal://calendar.example.com/feeds/' in page
    assert address[0] in boss.get(SYNC).text


def test_s12_android_gets_https_and_no_webcal(boss: Visitor) -> None:
    page = boss.get(made_feed(boss), User_Agent="Mozilla/5.0 (Linux; Android 15)").text
    assert 'href="webcal:' not in page


def test_s13_notes_gets_its_two_lines(boss: Visitor) -> None:
    page = boss.get(made_feed(boss)).text
    assert "AddCalendarURL=https://calendar.example.com/feeds/" in page
    assert "FeedRefreshInterval=900" in page


def test_s15_the_tabs_show_groups_and_the_company(boss: Visitor) -> None:
    assert "Front desk" in boss.get(f"{SYNC}?tab=groups").text
    assert "Demo Company" in boss.get(f"{SYNC}?tab=company").text
    assert "Nobody is called “xyz”" in boss.get(f"{SYNC}?q=xyz").text


def test_s20_s28_one_save_changes_the_policy_and_is_recorded(boss: Visitor) -> None:
    form: dict[str, str | list[str]] = {
        "bidirectional": "on",
        "google": "on",
        "on_delete": "cancel",
        "hold_minutes": "5",
        "notice_hours": "36",
    }
    assert boss.fill(SYNC, form).headers["location"] == f"{SYNC}?said=saved"
    with boss.door.store.read(DEMO) as snapshot:
        policy = snapshot.company.policy
        [deed] = snapshot.deeds(before=NOW + timedelta(days=1), limit=5)
    assert (policy.two_way, policy.google, policy.outlook, policy.on_delete, policy.hold) == (
        True,
        True,
        False,
        OnDelete.CANCEL,
        timedelta(minutes=5),
    )
    assert (policy.self_service, policy.notice) == (False, timedelta(hours=36))  # a box that is not ticked is not sent
    assert (deed.who, deed.what, deed.before["google"], deed.after["google"]) == (BOSS.email, "settings", False, True)
    assert boss.fill(SYNC, form).headers["location"] == f"{SYNC}?said=unchanged#bidirectional"


@pytest.mark.parametrize(
    "form", [{"hold_minutes": "-1"}, {"hold_minutes": "soon"}, {"on_delete": "explode"}, {"notice_hours": "nan"}, {"notice_hours": "9000"}]
)
def test_what_cannot_be_saved_is_said_and_changes_nothing(boss: Visitor, form: dict[str, str | list[str]]) -> None:
    before = boss.door.store.companies()
    answer = boss.fill(SYNC, form)
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert boss.door.store.companies() == before


def test_s23_the_page_shows_a_sample_of_the_customers_letter(boss: Visitor) -> None:
    assert f"{SYNC}/letter" in boss.get(SYNC).text
    letter = boss.get(f"{SYNC}/letter")
    assert "Your appointment has a new time" in letter.text
    assert "Accept or choose another time" in letter.text
    assert letter.headers["content-security-policy"].startswith("sandbox;")


def test_f03_a_new_address_ends_the_former_one(boss: Visitor) -> None:
    feed = made_feed(boss)
    former = re.search(r"/feeds/[\w-]+\.ics", boss.get(feed).text)
    assert former is not None
    assert boss.door.ask("GET", former[0]).status == 200
    fresh = boss.fill(feed, to=f"{feed}/renew").headers["location"].partition("?")[0]
    assert boss.door.ask("GET", former[0]).status == 410
    later = re.search(r"/feeds/[\w-]+\.ics", boss.get(fresh).text)
    assert later is not None
    assert boss.door.ask("GET", later[0]).status == 200
    assert boss.fill(fresh, to=f"{fresh}/revoke").status == 303
    assert boss.door.ask("GET", later[0]).status == 410


def test_f02_a_feeds_privacy_and_window_are_changed(boss: Visitor) -> None:
    feed = made_feed(boss)
    form: dict[str, str | list[str]] = {"label": "For the wall", "level": "busy", "past_days": "1", "future_days": "30", "alarm": "15"}
    assert boss.fill(feed, form).headers["location"] == f"{feed}?said=saved"
    page = boss.get(feed).text
    assert 'value="busy" checked' in page
    assert "For the wall" in page
    assert boss.fill(feed, {**form, "past_days": "many"}).status == 422


def test_a_qr_code_is_a_picture(boss: Visitor) -> None:
    code = boss.get(f"{made_feed(boss)}/code.svg")
    assert code.headers["content-type"] == "image/svg+xml"
    assert b"<svg" in code.body


def test_groups_are_made_and_their_members_chosen(boss: Visitor) -> None:
    group = boss.fill("/groups", {"name": "Évening team"}).headers["location"].partition("?")[0]
    assert boss.fill(group, {"name": "Evening team", "member": [JOHN.id, EMMA.id]}).status == 303
    with boss.door.store.read(DEMO) as snapshot:
        made = next(each for each in snapshot.groups() if each.name == "Evening team")
    assert (made.slug, set(made.members)) == ("evening-team", {JOHN.id, EMMA.id})
    assert boss.fill("/groups", {"name": " "}).status == 422


def test_s29_a_new_member_of_the_staff_gets_a_letter(boss: Visitor) -> None:
    there = boss.fill("/staff", {"name": "Juan Sanchez", "email": "juan@example.com"}).headers["location"].partition("?")[0]
    assert "Juan Sanchez" in boss.get(there).text
    [letter] = boss.door.store.claim_letters(NOW, lease=timedelta(minutes=1))
    assert (letter.recipient, letter.kind) == ("juan@example.com", "reset")
    assert boss.fill("/staff", {"name": "Another", "email": JOHN.email}).status == 422
    assert boss.fill("/staff", {"name": "", "email": "x"}).status == 422


def test_working_hours_are_put_by_weekday(boss: Visitor) -> None:
    page = f"/staff/{JOHN.id}"
    form: dict[str, str | list[str]] = {"from-0-0": "09:00", "to-0-0": "12:30", "from-0-1": "14:00", "to-0-1": "00:00"}
    assert boss.fill(page, form, to=f"{page}/hours").status == 303
    with boss.door.store.read(DEMO) as snapshot:
        assert snapshot.hours(JOHN.id).weekly == {0: ((540, 750), (840, 1440))}
    for wrong in ({"from-1-0": "12:00", "to-1-0": "09:00"}, {**form, "to-0-0": "15:00"}, {"from-1-0": "9", "to-1-0": "10:00"}):
        assert boss.fill(page, dict(wrong), to=f"{page}/hours").status == 422


def test_w10_links_are_paused_resumed_decided_and_ended(boss: Visitor) -> None:
    connected(boss.door.store)
    page = f"/staff/{JOHN.id}"
    assert "5 of 6 are missing." in boss.get(page).text
    for what, standing in (("pause", "paused"), ("resume", "active"), ("leave", "ended")):
        assert boss.fill(page, {"link": "link", "do": what}, to=f"{page}/link").status == 303
        with boss.door.store.read(DEMO) as snapshot:
            assert {link.id: link.standing for link in snapshot.links()}["link"] == standing
    assert boss.fill(page, {"link": "braked", "do": "not-meant"}, to=f"{page}/link").status == 303
    assert boss.fill(page, {"link": "braked", "do": "meant"}, to=f"{page}/link").status == 409
    assert boss.fill(page, {"link": "braked", "do": "explode"}, to=f"{page}/link").status == 400
    assert boss.fill(page, {"link": "none", "do": "pause"}, to=f"{page}/link").status == 404


def test_d02_an_app_password_is_shown_once_and_revoked_at_once(john: Visitor) -> None:
    page = john.fill("/me", {"label": "Phone"}, to="/me/password")
    secret = re.search(r'value="((?:\w{4}-){7}\w{4})"', page.text)
    assert secret is not None
    assert john.door.store.login_by_app_password(JOHN.handle, secret[1], NOW) is not None
    assert secret[1] not in john.get("/me").text
    password = re.search(r'name="password" value="(\w+)"', john.get("/me").text)
    assert password is not None
    assert john.fill("/me", {"password": password[1]}, to="/me/password/revoke").status == 303
    assert john.door.store.login_by_app_password(JOHN.handle, secret[1], NOW) is None


def test_d03_the_profile_is_one_that_an_iphone_takes(john: Visitor) -> None:
    profile = john.get("/me/profile.mobileconfig")
    assert profile.headers["content-type"] == "application/x-apple-aspen-config"
    assert b"com.apple.caldav.account" in profile.body
    assert b"CalDAVPassword" not in profile.body


def test_activity_tells_a_move_and_undoes_it(boss: Visitor) -> None:
    made = boss.door.book()
    boss.door.api("PATCH", f"/appointments/{made['id']}", {"start": "2026-11-25T15:00:00+01:00"}, If_Match=made["etag"])
    page = boss.get("/activity").text
    assert "moved from" in page
    undo = re.search(r"/activity/\d+/undo", page)
    assert undo is not None
    assert "gets one letter" in boss.get(undo[0]).text
    assert boss.fill(undo[0]).status == 303
    assert boss.door.api("GET", f"/appointments/{made['id']}").json["start"] == made["start"]
    assert boss.get(undo[0]).status == 409


def test_activity_is_filtered_and_exported(boss: Visitor) -> None:
    boss.door.book()
    assert "booked for" in boss.get("/activity?door=rest").text
    assert "booked for" not in boss.get("/activity?door=dav").text
    assert "booked for" not in boss.get(f"/activity?staff={EMMA.id}").text
    text = boss.get("/activity/export").text
    assert text.startswith("\ufeffat,who,door,staff,what")
    assert boss.get("/activity/export?format=json").json[0]["door"] == "rest"


def test_health_says_what_is_missing(boss: Visitor) -> None:
    page = boss.get("/health").text
    assert "The database answers" in page
    assert "no client id is set" in page


def test_names_are_shown_as_text_and_never_as_markup(boss: Visitor) -> None:
    with boss.door.store.write(DEMO, SETUP) as tx:
        from dataclasses import replace

        tx.save_staff(replace(JOHN, name="<script>alert(1)</script>"))
    for page in (SYNC, "/staff", f"/staff/{JOHN.id}", "/activity", "/groups", f"/staff/{JOHN.id}/invite"):
        assert "<script>alert(1)" not in boss.get(page).text
