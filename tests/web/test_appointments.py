"""REST appointments: booked, listed, moved, cancelled, and refused with a reason."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.model import CompanyId
from tests.journey.wire import Answer
from tests.web.house import ANN, NOW, OTHER_KEY, SECRET, Door

TEN = "2026-11-25T10:00:00+01:00"
NOON = "2026-11-25T12:00:00+01:00"


def problem(answer: Answer, status: int) -> dict[str, object]:
    """The problem details; fails unless they are well formed and carry a sentence (RFC 9457)."""
    assert answer.status == status, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/problem+json"
    body: dict[str, object] = answer.json
    assert body["status"] == status
    assert str(body["detail"]).endswith((".", "?"))
    assert "Traceback" not in answer.text
    return body


def test_a_booking_is_answered_as_it_stands_and_wakes_the_readers(door: Door) -> None:
    answer = door.api("POST", "/appointments", {"staff": "john", "service": "advice", "customer_id": "ann", "start": TEN, "notes": SECRET})

    assert answer.status == 201
    made = answer.json
    assert (made["start"], made["end"]) == (TEN, "2026-11-25T10:30:00+01:00")
    assert (made["staff"], made["service"], made["customer_id"], made["notes"]) == ("john", "advice", "ann", SECRET)
    assert (made["status"], made["time_zone"], made["recurrence"], made["sequence"]) == ("confirmed", "Europe/Paris", None, 0)
    assert made["customer"]["email"] == ANN.email
    assert answer.headers["location"] == f"/api/v1/appointments/{made['id']}"
    assert answer.etag == made["etag"]
    assert door.woken == [NOW]
    assert door.api("GET", f"/appointments/{made['id']}").json == made


def test_a_new_customer_is_booked_with_the_appointment_and_known_the_second_time(door: Door) -> None:
    person = {"name": "Bea Example", "email": "bea@example.com", "locale": "de", "time_zone": "Europe/Berlin"}
    first = door.api("POST", "/appointments", {"staff": "john-smith", "service": "advice", "customer": person, "start": TEN})
    second = door.api("POST", "/appointments", {"staff": "john", "service": "advice", "customer": person, "start": NOON})

    assert (first.status, second.status) == (201, 201)
    assert first.json["customer"] | {"id": ""} == person | {"id": "", "phone": ""}
    assert second.json["customer_id"] == first.json["customer_id"]


def test_a_weekly_series_is_booked_and_shown_with_its_rule(door: Door) -> None:
    made = door.book(recurrence={"rule": "FREQ=WEEKLY;COUNT=4", "excluded": ["2026-12-02T10:00:00+01:00"]})

    assert made["recurrence"]["rule"] == "FREQ=WEEKLY;COUNT=4"
    assert made["recurrence"]["excluded"] == ["2026-12-02T10:00:00+01:00"]
    third = {"from": "2026-12-09T00:00:00+01:00", "to": "2026-12-10T00:00:00+01:00"}
    assert [each["id"] for each in door.api("GET", "/appointments", query=third).json["items"]] == [made["id"]]
    second = {"from": "2026-12-02T00:00:00+01:00", "to": "2026-12-03T00:00:00+01:00"}
    assert door.api("GET", "/appointments", query=second).json["items"] == []


@pytest.mark.parametrize(
    ("start", "reason"), [(TEN, "taken"), ("2026-11-25T10:15:00+01:00", "taken"), ("2026-11-23T10:00:00+01:00", "past")]
)
def test_a_time_that_cannot_be_had_is_refused_with_its_reason(door: Door, start: str, reason: str) -> None:
    door.book(TEN)
    woken = len(door.woken)

    answer = door.api("POST", "/appointments", {"staff": "john", "service": "advice", "customer_id": "ann", "start": start})

    assert problem(answer, 409)["reason"] == reason
    assert len(door.woken) == woken
    assert len(door.api("GET", "/appointments").json["items"]) == 1


def test_two_people_may_be_booked_for_the_same_hour(door: Door) -> None:
    door.book(TEN)
    assert door.book(TEN, staff="emma")["staff"] == "emma"


def test_the_list_holds_what_overlaps_the_window_of_that_person(door: Door) -> None:
    mine, later, hers = door.book(TEN), door.book(NOON), door.book(TEN, staff="emma")

    def listed(**query: str) -> list[str]:
        return [each["id"] for each in door.api("GET", "/appointments", query=query).json["items"]]

    assert set(listed()) == {mine["id"], later["id"], hers["id"]}
    assert listed(staff="john") == [mine["id"], later["id"]]
    assert listed(staff="john-smith", **{"from": "2026-11-25T10:29:00+01:00", "to": NOON}) == [mine["id"]]
    assert listed(staff="john", **{"from": "2026-11-25T10:30:00+01:00", "to": NOON}) == []
    assert listed(staff="emma", **{"from": "2026-11-25T09:00:00Z"}) == [hers["id"]]


def test_a_long_list_comes_page_by_page_without_gap_or_double(door: Door) -> None:
    start = datetime.fromisoformat(TEN)
    made = {door.book((start + timedelta(hours=hour)).isoformat())["id"] for hour in range(5)}
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = door.api("GET", "/appointments", query={"limit": "2", **after}).json
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert len(seen) == 5
    assert set(seen) == made


def test_a_move_with_the_newest_etag_keeps_the_length_and_raises_the_sequence(door: Door) -> None:
    made = door.book(TEN)

    answer = door.api("PATCH", f"/appointments/{made['id']}", {"start": NOON}, If_Match=made["etag"])

    assert answer.status == 200, answer.text
    moved = answer.json
    assert (moved["start"], moved["end"]) == (NOON, "2026-11-25T12:30:00+01:00")
    assert (moved["sequence"], moved["version"]) == (made["sequence"] + 1, made["version"] + 1)
    assert moved["etag"] == answer.etag != made["etag"]


def test_a_move_that_moves_nothing_changes_nothing(door: Door) -> None:
    made = door.book(TEN)
    answer = door.api("PATCH", f"/appointments/{made['id']}", {"start": TEN, "end": made["end"]}, If_Match=made["etag"])
    assert (answer.status, answer.json) == (200, made)


def test_one_occurrence_of_a_series_is_moved_alone(door: Door) -> None:
    made = door.book(recurrence={"rule": "FREQ=WEEKLY;COUNT=4"})
    second, elsewhere = "2026-12-02T10:00:00+01:00", "2026-12-03T15:00:00+01:00"

    answer = door.api("PATCH", f"/appointments/{made['id']}", {"occurrence": second, "start": elsewhere}, If_Match=made["etag"])

    assert answer.status == 200, answer.text
    [override] = answer.json["recurrence"]["overrides"]
    assert override == {"occurrence": second, "start": elsewhere, "end": "2026-12-03T15:30:00+01:00"}
    assert answer.json["start"] == made["start"]


def test_notes_are_changed_without_telling_the_customer_anything_new(door: Door) -> None:
    made = door.book()
    answer = door.api("PATCH", f"/appointments/{made['id']}", {"notes": "Bring the papers.\nTwice."}, If_Match=made["etag"])
    assert (answer.status, answer.json["notes"]) == (200, "Bring the papers.\nTwice.")
    assert answer.json["sequence"] == made["sequence"]


def test_a_stale_etag_is_told_so_and_moves_nothing(door: Door) -> None:
    made = door.book(TEN)
    moved = door.api("PATCH", f"/appointments/{made['id']}", {"start": NOON}, If_Match=made["etag"]).json

    problem(door.api("PATCH", f"/appointments/{made['id']}", {"start": TEN}, If_Match=made["etag"]), 412)
    problem(door.api("POST", f"/appointments/{made['id']}/cancel", If_Match=made["etag"]), 412)

    assert door.api("GET", f"/appointments/{made['id']}").json == moved


def test_a_change_without_an_etag_is_not_made(door: Door) -> None:
    made = door.book()
    problem(door.api("PATCH", f"/appointments/{made['id']}", {"start": NOON}), 428)
    assert door.api("GET", f"/appointments/{made['id']}").json == made


def test_a_weak_etag_never_permits_a_change(door: Door) -> None:
    made = door.book()
    problem(door.api("PATCH", f"/appointments/{made['id']}", {"start": NOON}, If_Match=f"W/{made['etag']}"), 412)


def test_a_cancelled_appointment_leaves_the_list_and_can_still_be_looked_up(door: Door) -> None:
    made = door.book()

    first = door.api("POST", f"/appointments/{made['id']}/cancel")
    again = door.api("POST", f"/appointments/{made['id']}/cancel", {})

    assert (first.status, first.json["status"]) == (200, "cancelled")
    assert again.json == first.json
    assert door.api("GET", "/appointments").json["items"] == []
    assert [each["id"] for each in door.api("GET", "/appointments", query={"cancelled": "true"}).json["items"]] == [made["id"]]
    moved = door.api("PATCH", f"/appointments/{made['id']}", {"start": NOON}, If_Match=first.json["etag"])
    assert problem(moved, 409)["reason"] == "cancelled"


def test_the_platform_cancels_whatever_staff_may(door: Door) -> None:
    """Two-way and on_delete bind staff members' calendars, not the business itself."""
    assert door.api("PUT", "/settings", {"bidirectional": False, "on_delete": "restore"}).status == 200
    assert door.api("POST", f"/appointments/{door.book()['id']}/cancel").json["status"] == "cancelled"


def test_an_unchanged_appointment_is_not_sent_twice(door: Door) -> None:
    made = door.book()
    answer = door.api("GET", f"/appointments/{made['id']}", If_None_Match=made["etag"])
    assert (answer.status, answer.body) == (304, b"")


def test_the_same_idempotency_key_books_once(door: Door) -> None:
    body = {"staff": "john", "service": "advice", "customer_id": "ann", "start": TEN}
    first = door.api("POST", "/appointments", body, Idempotency_Key="k1")
    again = door.api("POST", "/appointments", dict(reversed(body.items())), Idempotency_Key="k1")

    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    assert again.headers["location"] == first.headers["location"]
    assert len(door.api("GET", "/appointments").json["items"]) == 1

    problem(door.api("POST", "/appointments", body | {"start": NOON}, Idempotency_Key="k1"), 422)
    assert len(door.api("GET", "/appointments").json["items"]) == 1


def test_a_refused_booking_may_be_tried_again_under_its_key(door: Door) -> None:
    taken = door.book(TEN)
    body = {"staff": "john", "service": "advice", "customer_id": "ann", "start": TEN}
    problem(door.api("POST", "/appointments", body, Idempotency_Key="k2"), 409)
    door.api("POST", f"/appointments/{taken['id']}/cancel")
    assert door.api("POST", "/appointments", body, Idempotency_Key="k2").status == 201


def test_another_company_sees_and_changes_nothing(door: Door) -> None:
    made = door.book()
    address = f"/appointments/{made['id']}"
    there = [
        door.api("GET", address, key=OTHER_KEY),
        door.api("PATCH", address, {"start": NOON}, key=OTHER_KEY, If_Match=made["etag"]),
        door.api("POST", f"{address}/cancel", key=OTHER_KEY),
    ]
    missing = [
        door.api("GET", "/appointments/none", key=OTHER_KEY),
        door.api("PATCH", "/appointments/none", {"start": NOON}, key=OTHER_KEY, If_Match=made["etag"]),
        door.api("POST", "/appointments/none/cancel", key=OTHER_KEY),
    ]
    for mine, none in zip(there, missing, strict=True):
        assert problem(mine, 404) | {"request_id": ""} == problem(none, 404) | {"request_id": ""}
    assert door.api("GET", "/appointments", key=OTHER_KEY).json["items"] == []
    assert door.api("GET", address).json == made


def test_a_booking_for_somebody_elses_people_is_refused_like_one_for_nobody(door: Door) -> None:
    for body in (
        {"staff": "taylor", "service": "advice", "customer_id": "ann", "start": TEN},
        {"staff": "john", "service": "repair", "customer_id": "ann", "start": TEN},
        {"staff": "john", "service": "advice", "customer_id": "bob", "start": TEN},
    ):
        problem(door.api("POST", "/appointments", body), 422)
    with door.store.read(CompanyId("demo")) as snapshot:
        assert snapshot.appointments(staff=None, window=None) == []
