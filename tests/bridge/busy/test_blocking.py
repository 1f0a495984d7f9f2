"""A staff member's other calendars block: through the public doors, at both providers (bridge.md §4, 49; product.md W12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gateway.bridge import orders
from gateway.errors import Conflict, Invalid, Lost, Reason
from gateway.links import Access, Provider
from gateway.model import Span
from tests.bridge.accounts.office import OFFICE
from tests.bridge.busy.desk import AT, POLL, TAKEN, Desk
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, HOUR, JOHN


def test_a_strangers_event_in_another_calendar_makes_a_booking_there_impossible(desk: Desk) -> None:
    desk.event()
    desk.choose()
    desk.work()
    assert desk.busy() == [TAKEN]
    refused = desk.refused()
    assert refused is not None
    assert refused[0] is Reason.TAKEN
    assert desk.refused(AT + HOUR) is None


def test_nothing_blocks_that_nobody_has_chosen(desk: Desk) -> None:
    desk.event()
    desk.work()
    assert desk.refused() is None
    assert not [address for _, address in desk.office.wires[desk.provider].sent if "freeBusy" in address]


def test_deselecting_frees_at_once_and_asks_nobody(desk: Desk) -> None:
    desk.event()
    desk.choose()
    desk.work()
    desk.choose_none()
    assert desk.refused() is None
    with desk.office.store.read(DEMO) as snapshot:
        assert snapshot.foreign_origins(JOHN.id).keys() == {f"link:{desk.link}"}
    before = len(desk.office.wires[desk.provider].sent)
    desk.work()
    assert not [each for _, each in desk.office.wires[desk.provider].sent[before:] if "freeBusy" in each or "startDateTime" in each]


def test_deselecting_one_calendar_leaves_the_others(desk: Desk) -> None:
    club = desk.act("calendar", title="Club")["calendar"]
    desk.event()
    desk.event(Span(AT + 3 * HOUR, AT + 4 * HOUR), club)
    desk.choose(desk.private, club)
    desk.work()
    desk.choose(club)
    assert desk.busy() == [Span(AT + 3 * HOUR, AT + 4 * HOUR)]


def test_the_main_calendar_blocks_like_any_other(desk: Desk) -> None:
    primary = desk.primary
    desk.event(calendar=primary)
    desk.choose(primary)
    desk.work()
    assert desk.refused() is not None


def test_what_changes_there_is_known_after_the_next_look(desk: Desk) -> None:
    event = desk.event()
    desk.choose()
    desk.work()
    desk.act("move", id=event, start=(AT + 5 * HOUR).isoformat(), end=(AT + 6 * HOUR).isoformat())
    desk.work()
    assert desk.busy() == [Span(AT + 5 * HOUR, AT + 6 * HOUR)]
    desk.act("delete", id=event)
    desk.work()
    assert desk.busy() == []


def test_the_next_weeks_are_asked_for_often_and_everything_once_an_hour(desk: Desk) -> None:
    """Google answers no more than two months at once: 400 days are seven questions."""
    far = Span(AT + 200 * DAY, AT + 200 * DAY + HOUR)
    event = desk.event(far)
    desk.event()
    desk.choose()
    desk.work()
    questions = []
    for _ in range(11):
        before = len(desk.office.wires[desk.provider].sent)
        desk.work(timedelta(minutes=4))
        sent = desk.office.wires[desk.provider].sent[before:]
        questions.append(len([each for _, each in sent if "freeBusy" in each or "startDateTime" in each]))
        assert desk.busy() == [TAKEN, far]
    assert sum(questions) <= (18 if desk.provider is Provider.GOOGLE else 24)
    desk.act("delete", id=event)
    desk.work(HOUR)
    assert desk.busy() == [TAKEN]


def test_a_free_event_blocks_nobody(desk: Desk) -> None:
    desk.event(busy=False)
    desk.choose()
    desk.work()
    assert desk.busy() == []


def test_a_whole_day_blocks_the_day_of_the_persons_zone(desk: Desk) -> None:
    desk.act("create", calendar=desk.private, title="Holiday", start="2026-12-01", end="2026-12-02")
    desk.choose()
    desk.work()
    midnight = datetime(2026, 11, 30, 23, tzinfo=UTC)  # in Paris
    assert desk.busy() == [Span(midnight, midnight + DAY)]


def test_an_hour_stays_an_hour_of_the_persons_clock_across_the_change_of_time(desk: Desk) -> None:
    """Weekly at 10:00 in Paris over 28 March 2027, when clocks there go forward."""
    wish = {"start": "2027-03-24T10:00:00+01:00", "end": "2027-03-24T11:00:00+01:00", "zone": "Europe/Paris"}
    desk.act("create", calendar=desk.private, title="Choir", recurrence=["RRULE:FREQ=WEEKLY;COUNT=2"], **wish)
    desk.choose()
    desk.work()
    starts = [datetime(2027, 3, 24, 9, tzinfo=UTC), datetime(2027, 3, 31, 8, tzinfo=UTC)]
    assert desk.busy() == [Span(start, start + HOUR) for start in starts]


def test_our_own_events_double_nothing(desk: Desk) -> None:
    """Not even when the calendar we write to is asked for: it cannot be chosen, and it is left out when it becomes ours."""
    entry = desk.office.book(AT)
    desk.event(Span(AT + 3 * HOUR, AT + 4 * HOUR))
    ours = next(each for each in desk.offers().calendars if each.written)
    assert not ours.may_block
    with pytest.raises(Invalid):
        desk.choose(ours.id)
    desk.choose()
    desk.work()
    assert desk.busy() == [Span(AT, AT + timedelta(minutes=30)), Span(AT + 3 * HOUR, AT + 4 * HOUR)]
    assert len(desk.office.there(provider=desk.provider)) == 1
    assert entry


def test_a_calendar_that_shows_the_appointments_from_now_on_blocks_by_its_link(desk: Desk) -> None:
    if desk.provider is Provider.GOOGLE:
        desk.office.connect(desk.provider, primary=True)
        club = desk.act("calendar", title="Club")["calendar"]
    else:
        club = desk.private
    desk.event(calendar=club)
    desk.choose(club)
    desk.work()
    live = next(each for each in desk.office.live() if each.account == desk.account)
    desk.office.accounts.choose(DEMO, live.id, club)
    booked = AT + 3 * HOUR
    desk.office.book(booked)
    for _ in range(3):
        desk.work()
    assert desk.busy() == [TAKEN, Span(booked, booked + timedelta(minutes=30))]
    with desk.office.store.read(DEMO) as snapshot:
        assert not [each for each in snapshot.foreign_origins(JOHN.id) if each.startswith("account:")]
    assert not next(each for each in desk.offers().calendars if each.id == club).may_block


class TestTrouble:
    @pytest.mark.parametrize("kind", ["status:503", "status:500", "reset", "truncate", "status:429"])
    def test_a_provider_that_does_not_answer_makes_nobody_free(self, desk: Desk, kind: str) -> None:
        event = desk.event()
        desk.choose()
        desk.work()
        desk.act("delete", id=event)
        desk.fault(kind, times=100)
        desk.work()
        assert desk.busy() == [TAKEN]
        assert desk.refused() is not None
        assert desk.age() >= POLL
        assert desk.kept().trouble
        assert desk.kept().failing is not None
        desk.fake.faults.rules.clear()
        desk.work(3 * HOUR)
        assert desk.busy() == []
        assert (desk.kept().trouble, desk.kept().failing) == ("", None)
        assert desk.age() < POLL

    def test_a_provider_that_fails_for_long_is_asked_more_and_more_rarely(self, desk: Desk) -> None:
        desk.choose()
        desk.work()
        desk.fault("status:503", times=10_000)
        asked = []
        for _ in range(60):
            before = len(desk.office.wires[desk.provider].sent)
            desk.work(timedelta(minutes=5))
            asked.append(any("freeBusy" in each or "startDateTime" in each for _, each in desk.office.wires[desk.provider].sent[before:]))
        assert 5 <= sum(asked) <= 15
        assert sum(asked[30:]) <= 6

    def test_access_that_was_taken_back_keeps_the_last_copy_and_says_so(self, desk: Desk) -> None:
        desk.event()
        desk.choose()
        desk.work()
        desk.office.revoke(desk.provider)
        desk.work(2 * HOUR)
        desk.work(2 * HOUR)
        assert desk.busy() == [TAKEN]
        account = desk.office.account(desk.link)
        assert account.access is Access.NEEDS_REAUTH
        assert "connect the account again" in account.trouble.lower()
        assert desk.age() > 3 * HOUR

    def test_a_calendar_that_was_deleted_there_leaves_the_others_alone(self, desk: Desk) -> None:
        club = desk.act("calendar", title="Club")["calendar"]
        event = desk.event()
        desk.event(Span(AT + 3 * HOUR, AT + 4 * HOUR), club)
        desk.choose(desk.private, club)
        desk.work()
        desk.act("delete", id=event)
        desk.act("delete_calendar", id=club)
        desk.work()
        assert desk.busy() == [Span(AT + 3 * HOUR, AT + 4 * HOUR)]
        with desk.office.store.read(DEMO) as snapshot:
            troubles = {each.title: each.trouble for each in snapshot.blocking(desk.account)}
        assert troubles["Private life"] == ""
        assert "does not exist any more" in troubles["Club"]
        assert desk.office.account(desk.link).access is Access.OK
        gone = next(each for each in desk.offers().calendars if each.id == club)
        assert (gone.gone, gone.title, gone.blocks) == (True, "Club", True)
        desk.choose(desk.private)
        assert desk.busy() == []


class TestSwitches:
    def test_a_provider_that_is_switched_off_blocks_nobody_and_is_asked_nothing(self, desk: Desk) -> None:
        desk.event()
        desk.choose()
        desk.work()
        name = "google" if desk.provider is Provider.GOOGLE else "office365"
        desk.office.policy(**{name: False})
        before = len(desk.office.wires[desk.provider].sent)
        assert desk.refused() is None
        desk.work(DAY / 24)
        assert desk.office.wires[desk.provider].sent[before:] == []
        with pytest.raises(Conflict, match="switched off"):
            desk.offers()
        with pytest.raises(Conflict, match="switched off"):
            desk.choose()
        desk.office.policy(**{name: True})
        desk.work(HOUR)
        assert desk.busy() == [TAKEN]

    def test_disconnecting_ends_it(self, desk: Desk) -> None:
        desk.event()
        desk.choose()
        desk.work()
        with desk.office.store.write(DEMO, OFFICE) as tx:
            orders.disconnect(tx, desk.link, desk.office.clock.now, remove=True)
            assert tx.blocking(desk.account) == []
        assert desk.refused() is None

    def test_an_account_may_block_without_showing_anything(self, desk: Desk) -> None:
        desk.event()
        desk.choose()
        desk.work()
        with desk.office.store.write(DEMO, OFFICE) as tx:
            orders.disconnect(tx, desk.link, desk.office.clock.now, remove=True, blocking_too=False)
        desk.work()
        assert desk.office.live() == []
        desk.event(Span(AT + 3 * HOUR, AT + 4 * HOUR))
        desk.work()
        assert desk.busy() == [TAKEN, Span(AT + 3 * HOUR, AT + 4 * HOUR)]
        desk.office.revoke(desk.provider)
        desk.work(2 * HOUR)
        desk.work(2 * HOUR)
        assert desk.busy() == [TAKEN, Span(AT + 3 * HOUR, AT + 4 * HOUR)]
        assert desk.office.account(desk.link).access is Access.NEEDS_REAUTH

    def test_a_paused_link_reads_nothing_and_forgets_nothing(self, desk: Desk) -> None:
        event = desk.event()
        desk.choose()
        desk.work()
        with desk.office.store.write(DEMO, OFFICE) as tx:
            orders.change(tx, desk.link, desk.office.clock.now, paused=True)
        desk.act("delete", id=event)
        before = len(desk.office.wires[desk.provider].sent)
        for _ in range(3):
            desk.work()
        assert desk.office.wires[desk.provider].sent[before:] == []
        assert desk.busy() == [TAKEN]
        with desk.office.store.write(DEMO, OFFICE) as tx:
            orders.change(tx, desk.link, desk.office.clock.now, paused=False)
        desk.work()
        desk.work()
        assert desk.busy() == []


class TestMeanwhile:
    """What happens while the provider is being asked."""

    def during(self, desk: Desk, deed: Callable[[], object]) -> None:
        """Do it once, in the middle of the next question about busy times."""
        wire, done = desk.office.wires[desk.provider], list[bool]()

        def cut(number: int, method: str, address: str) -> None:
            if not done and ("freeBusy" in address or "startDateTime" in address):
                done.append(True)
                deed()

        wire.cut = cut
        desk.work()
        assert done

    def test_what_is_deselected_then_is_not_kept(self, desk: Desk) -> None:
        desk.event()
        desk.choose()
        self.during(desk, desk.choose_none)
        assert desk.busy() == []
        with desk.office.store.read(DEMO) as snapshot:
            assert snapshot.foreign_origins(JOHN.id).keys() <= {f"link:{desk.link}"}

    def test_a_provider_that_is_switched_off_then_tells_nothing(self, desk: Desk) -> None:
        desk.event()
        desk.choose()
        self.during(desk, lambda: desk.office.policy(google=False, office365=False))
        assert desk.busy() == []

    def test_an_account_that_is_removed_then_leaves_nothing(self, desk: Desk) -> None:
        desk.event()
        desk.choose()

        def remove() -> None:
            with desk.office.store.write(DEMO, OFFICE) as tx:
                tx.remove_account(account)

        account = desk.account
        with pytest.raises(Lost):
            self.during(desk, remove)
        assert desk.busy() == []

    def test_whoever_has_lost_the_account_keeps_nothing(self, desk: Desk) -> None:
        desk.event()
        desk.choose()
        account, now = desk.account, desk.office.clock.now + DAY

        def take_over() -> None:
            assert desk.office.store.claim(DEMO, account, now, now + HOUR) is not None

        with pytest.raises(Lost):
            self.during(desk, take_over)
        assert desk.busy() == []


class TestScopes:
    def test_the_default_consent_offers_the_main_calendar_only(self, at_google: Desk) -> None:
        office = at_google.office
        with office.store.write(DEMO, OFFICE) as tx:
            orders.disconnect(tx, at_google.link, office.clock.now, remove=False)
        at_google.link = office.connect().link
        found = at_google.offers()
        assert (found.listed, found.busy, found.everywhere) == (False, True, False)
        assert {each.id: each.may_block for each in found.calendars} == {JOHN.email: True, office.link(at_google.link).calendar: False}
        at_google.event(calendar=JOHN.email)
        at_google.choose(JOHN.email)
        at_google.work()
        assert at_google.refused() is not None

    def test_only_a_calendar_of_ours_is_written_without_leave_for_more(self, at_google: Desk) -> None:
        found = at_google.offers()
        assert (found.listed, found.everywhere) == (True, False)
        assert {each.title: each.writable for each in found.calendars if each.writable} == {"Demo Company: John Smith": True}
        with pytest.raises(Conflict, match="ask for your own calendar"):
            at_google.office.accounts.choose(DEMO, at_google.link, at_google.private)

    def test_what_was_not_granted_is_said_and_harms_nothing_else(self, at_google: Desk) -> None:
        office = at_google.office
        at_google.event()
        at_google.choose()
        at_google.work()
        office.google.world.knobs.untick = ["calendar.freebusy"]
        office.connect(others=True)
        at_google.work()
        assert "not allowed us to see when you are busy" in at_google.kept().trouble
        assert at_google.busy() == [TAKEN]
        assert office.account(at_google.link).access is Access.OK
        assert not any(each.may_block for each in at_google.offers().calendars)
        assert office.status(at_google.link)[0] == "green"

    def test_a_new_consent_asks_again_for_what_is_in_use(self, at_google: Desk) -> None:
        assert "calendar.calendarlist.readonly" in at_google.office.begin()
        assert "calendar.events.owned" not in at_google.office.begin()
        at_google.office.connect(primary=True)
        assert "calendar.events.owned" in at_google.office.begin()


def test_what_is_kept_is_times_and_nothing_else(desk: Desk) -> None:
    desk.event()
    desk.choose()
    desk.work()
    with desk.office.store.read(DEMO) as snapshot:
        assert "Dentist" not in repr(
            [snapshot.blocking(), snapshot.history(desk.link), snapshot.foreign_busy(JOHN.id, Span(NOW, NOW + DAY))]
        )
