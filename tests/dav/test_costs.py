"""What no report costs, however its objects repeat and whatever it asks: counted, not timed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.errors import Invalid, TooLarge
from gateway.model import EntryId, Occurrence, Personal, Shape, Span
from plugins.reading import INSTANCES, SEARCHED, TOTAL, Allowance, Reading
from tests.dav.asking import ABSENT, calendar, comp, component, filtered, match, names_in, prop
from tests.dav.asking import span as range_of
from tests.dav.house import DEMO, HERE, JOHN, NOW, SETUP, SPACES, Client, D, House, event

WEEK = ("20261123T000000", "20261130T000000")
LIMITS = f"{D}number-of-matches-within-limits"
HOSTILE = (
    "FREQ=SECONDLY",
    "FREQ=SECONDLY;COUNT=1000000000",
    "FREQ=MINUTELY;BYHOUR=3;BYSECOND=0,1,2,3,4,5,6,7,8,9",
    "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYSECOND=0,10,20,30,40,50",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=1,2,3;BYMINUTE=1,2,3;BYSETPOS=300",
    "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=0,1,2,3,4,5;BYMINUTE=0,1,2,3;BYSETPOS=-1;COUNT=9000",
)


def hostile(rule: str, *, start: str = "16010101T000000Z", more: tuple[str, ...] = ()) -> str:
    return calendar(component("VEVENT", f"DTSTART:{start}", "DURATION:PT1S", f"RRULE:{rule}", "SUMMARY:All the time", *more))


def expand(start: str, end: str) -> str:
    return f"<C:calendar-data>{range_of(start, end, name='expand')}</C:calendar-data>"


@pytest.mark.parametrize("rule", HOSTILE)
@pytest.mark.parametrize(
    "inner",
    [
        range_of(*WEEK),
        range_of("21900101T000000"),
        range_of(*WEEK) + prop("SUMMARY", match("time")),
        comp("VALARM", range_of(*WEEK)),
        comp("VALARM", range_of("19000101T000000", "21990101T000000")),
        prop("DTEND", range_of("21900101T000000")),
    ],
)
def test_a_filter_looks_no_further_than_its_budget(rule: str, inner: str) -> None:
    """Whatever it answers: a rule that takes too long to follow is found rather than hidden."""
    alarm = ("BEGIN:VALARM", "TRIGGER:-PT15M", "REPEAT:999999", "DURATION:PT1S", "END:VALARM")
    allowance, text = Allowance(), hostile(rule, more=alarm)
    reading = Reading(text, UTC, allowance)
    reading.occurs((datetime(2190, 1, 1, tzinfo=UTC), None))
    assert TOTAL - allowance.steps < 60_000
    assert filtered(comp("VEVENT", inner), text) in (True, False)


@pytest.mark.parametrize("rule", HOSTILE[:4])
def test_more_instances_than_three_thousand_are_refused(john: Client, rule: str) -> None:
    assert john.put(HERE + "one.ics", hostile(rule, start="20261101T000000Z")).status == 201
    answer = john.query(comp("VEVENT"), props=expand("20261101T000000", "20270101T000000"))
    assert (answer.status, answer.condition) == (403, LIMITS)
    assert names_in(john.query(comp("VEVENT", range_of(*WEEK)))) == ["one.ics"]
    assert john.get(HERE + "one.ics").status == 200


@pytest.mark.parametrize("rule", HOSTILE[4:7])
def test_a_rule_that_never_comes_true_costs_nothing(john: Client, rule: str) -> None:
    assert john.put(HERE + "one.ics", hostile(rule, start="20261101T000000Z")).status == 201
    assert names_in(john.query(comp("VEVENT"), props=expand("20261102T000000", "20310101T000000"))) == ["one.ics"]
    assert names_in(john.query(comp("VEVENT", range_of("20300101T000000", "20310101T000000")))) == []


def test_three_thousand_instances_are_given_and_not_one_more(john: Client) -> None:
    hourly = "FREQ=HOURLY;COUNT={}"
    assert john.put(HERE + "one.ics", hostile(hourly.format(INSTANCES - 1), start="20261101T000000Z")).status == 201
    assert john.put(HERE + "two.ics", event("two")).status == 201
    window = ("20261101T000000", "20280101T000000")
    answer = john.query(comp("VEVENT"), props=expand(*window))
    assert answer.body.count(b"BEGIN:VEVENT") == INSTANCES
    assert john.put(HERE + "three.ics", event("three")).status == 201
    refused = john.query(comp("VEVENT"), props=expand(*window))
    assert (refused.status, refused.condition) == (403, LIMITS)
    paths = [HERE + name for name in ("one.ics", "two.ics", "three.ics")]
    assert john.multiget(*paths, props=expand(*window)).condition == LIMITS


def test_many_objects_share_one_allowance() -> None:
    allowance, text = Allowance(), hostile("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30;INTERVAL=7")
    window = (datetime(2026, 1, 1, tzinfo=UTC), None)
    for _ in range(100):
        Reading(text, UTC, allowance).occurs(window)
    assert allowance.spent
    assert allowance.steps > -30_000 - 100 * len(text)
    assert Reading(text, UTC, allowance).occurs(window)  # in doubt it is there


def test_a_long_text_is_made_comparable_once(john: Client) -> None:
    """However many conditions ask for it, and whatever it is full of."""
    text = event("one", summary="\\n\\,é" * 40_000)
    assert john.put(HERE + "one.ics", text).status == 201
    inner = prop("SUMMARY", match("x", collation="i;unicode-casemap", negate="yes")) * 48
    assert names_in(john.query(comp("VEVENT", inner))) == ["one.ics"]


def test_a_filter_looks_at_so_much_text_and_no_more() -> None:
    allowance = Allowance()
    allowance.look(SEARCHED)
    with pytest.raises(TooLarge) as refused:
        allowance.look(1)
    assert refused.value.condition == "number-of-matches-within-limits"


def test_a_name_has_an_end() -> None:
    text = calendar(component("VEVENT", "DTSTART:20261126T090000Z", f"{'X' * 255}:1"))
    assert filtered(comp("VEVENT", prop("X" * 255)), text)
    with pytest.raises(Invalid) as invalid:
        filtered(comp("VEVENT", prop("X" * 256)), text)
    assert invalid.value.condition == "valid-filter"
    many = "".join(prop(f"X-{number:0200}", ABSENT) for number in range(45))
    assert filtered(comp("VEVENT", many + prop("UID")), text)


def test_an_answer_of_repeated_texts_has_an_end(john: Client) -> None:
    text = hostile("FREQ=HOURLY", start="20261101T000000Z", more=("DESCRIPTION:" + "long " * 10_000,))
    assert john.put(HERE + "one.ics", text).status == 201
    assert names_in(john.query(comp("VEVENT"), props=expand("20261101T000000", "20261102T000000"))) == ["one.ics"]
    refused = john.query(comp("VEVENT"), props=expand("20261101T000000", "20261201T000000"))
    assert (refused.status, refused.condition) == (403, LIMITS)


def test_busy_times_that_cannot_be_counted_are_not_called_free(john: Client) -> None:
    assert john.put(HERE + "one.ics", hostile("FREQ=SECONDLY", start="20261101T000000Z")).status == 201
    for window, status in ((range_of("20261101T000000", "20261101T001000"), 200), (range_of("20400101T000000", "20400201T000000"), 403)):
        answer = john.report(f"<C:free-busy-query {SPACES}>{window}</C:free-busy-query>", Depth="1")
        assert answer.status == status, answer.text
    assert answer.condition == LIMITS


def test_an_object_nobody_can_read_any_more_spoils_no_answer(house: House, john: Client) -> None:
    """Somebody, sometime, may have let it in."""
    assert john.put(HERE + "good.ics", event("good")).status == 201
    broken = event("bad").replace("DTSTART:20261126T090000Z", "DTSTART:soon")
    with house.store.write(DEMO, SETUP) as tx:
        calendar = tx.appointments_of(JOHN.id).id
        entry = Personal(
            id=EntryId("bad"), calendar=calendar, name="bad.ics", uid="bad", component="VEVENT", text=broken, created=NOW, changed=NOW
        )
        span = Span(datetime(2026, 11, 26, 9, tzinfo=UTC), datetime(2026, 11, 26, 10, tzinfo=UTC))
        occurrence = Occurrence(span.start, span, span, True)
        shape = Shape(text=broken, team_text="", occurrences=(occurrence,), indexed_until=span.end, floor=span.start, ceil=None)
        tx.record(None, entry, shape, NOW)
    for inner in (range_of(*WEEK), range_of("20400101T000000"), prop("DTSTART", range_of(*WEEK))):
        found = names_in(john.query(comp("VEVENT", inner)))
        assert "bad.ics" in found
    answer = john.query(comp("VEVENT", range_of(*WEEK)), props=expand(*WEEK))
    assert names_in(answer) == ["bad.ics", "good.ics"]
    assert "DTSTART:soon" in answer.text
    window = range_of(*WEEK)
    assert "20261126T100000Z" in john.report(f"<C:free-busy-query {SPACES}>{window}</C:free-busy-query>").text
    assert john.ask("DELETE", HERE + "bad.ics").status == 204
