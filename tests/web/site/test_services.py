"""What can be booked, as administrators change it; and what becomes of what is booked already."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.model import CompanyId, Service
from tests.web.house import ADVICE, NOW
from tests.web.site.people import Visitor

DEMO = CompanyId("demo")
FACTS: dict[str, str | list[str]] = {"name": "Advice", "minutes": "30", "before": "0", "after": "0"}


def services(visitor: Visitor) -> dict[str, Service]:
    with visitor.door.store.read(DEMO) as snapshot:
        return {each.name: each for each in snapshot.services()}


def test_a_service_is_added_and_changed_and_recorded(boss: Visitor) -> None:
    assert (
        boss.fill("/services", FACTS | {"name": "Workshop", "minutes": "90", "after": "15"}).headers["location"] == "/services?said=saved"
    )
    made = services(boss)["Workshop"]
    assert (made.duration, made.buffer_before, made.buffer_after) == (timedelta(minutes=90), timedelta(), timedelta(minutes=15))
    boss.fill("/services", {"service": made.id, "name": "Workshop", "minutes": "120", "before": "5", "after": "15"})
    assert services(boss)["Workshop"].duration == timedelta(hours=2)
    with boss.door.store.read(DEMO) as snapshot:
        last, first = snapshot.deeds(before=NOW + timedelta(days=1), limit=9)
    assert (first.what, last.what, last.before, last.after) == (
        "service-made",
        "service",
        {"minutes": 90, "minutes_before": 0},
        {"minutes": 120, "minutes_before": 5},
    )


def test_what_had_not_changed_is_not_saved(boss: Visitor) -> None:
    assert boss.fill("/services", FACTS | {"service": ADVICE.id}).headers["location"] == "/services?said=unchanged"


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "ADVICE"}, {"minutes": "0"}, {"minutes": "soon"}, {"after": "-5"}, {"before": "1441"}, {"minutes": "٣٠٠٠٠"}],
)
def test_what_makes_no_sense_is_said_and_changes_nothing(boss: Visitor, wrong: dict[str, str]) -> None:
    before = services(boss)
    answer = boss.fill("/services", FACTS | {"name": "New"} | wrong)
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert services(boss) == before


def test_what_is_booked_shows_the_new_name_and_keeps_its_length(boss: Visitor) -> None:
    door = boss.door
    made = door.book()
    boss.fill("/services", {"service": ADVICE.id, "name": "Counsel", "minutes": "60", "before": "0", "after": "0"})
    assert "SUMMARY:Counsel" in door.feed("service").text
    now = door.api("GET", f"/appointments/{made['id']}").json
    assert (now["start"], now["end"]) == (made["start"], made["end"])


def test_new_buffers_are_kept_free_around_what_is_booked(boss: Visitor) -> None:
    door = boss.door
    door.book("2026-11-25T10:00:00+01:00")
    boss.fill("/services", FACTS | {"service": ADVICE.id, "after": "15"})
    body = {"staff": "john", "service": "advice", "customer_id": "ann", "start": "2026-11-25T10:30:00+01:00"}
    assert door.api("POST", "/appointments", body).status == 409
    assert door.api("POST", "/appointments", body | {"start": "2026-11-25T10:45:00+01:00"}).status == 201


def test_a_service_of_nobody_is_not_changed(boss: Visitor) -> None:
    assert boss.fill("/services", FACTS | {"service": "repair", "name": "Taken over"}).status == 404
