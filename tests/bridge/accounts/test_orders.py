"""What people do with their links, and what is said about how they stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.bridge import orders
from gateway.errors import Conflict, Missing
from gateway.links import Access, Condition, Direction, Item, Key, Link, LinkId, Owned, Provider, Standing
from gateway.model import EntryId, Level, OnDelete, Span
from gateway.store import Transaction
from tests.bridge.accounts.office import OFFICE, Office
from tests.bridge.wire import NOW
from tests.bridge.world import DAY, DEMO, HOUR, JOHN

Deed = Callable[[Transaction, LinkId], object]


def done(office: Office, deed: Deed, link: LinkId) -> object:
    with office.store.write(DEMO, OFFICE) as tx:
        return deed(tx, link)


def change(office: Office, link: LinkId, **more: object) -> Link:
    with office.store.write(DEMO, OFFICE) as tx:
        return orders.change(tx, link, office.clock.now, **more)  # type: ignore[arg-type]  # names and values as the caller gives them


def disconnect(office: Office, link: LinkId, *, remove: bool) -> Link:
    with office.store.write(DEMO, OFFICE) as tx:
        return orders.disconnect(tx, link, office.clock.now, remove=remove)


def item(link: LinkId, name: str, condition: Condition, *, remote: str = "r", base: bool = True) -> Item:
    owned = Owned(span=Span(NOW + DAY, NOW + DAY + HOUR), zone="Europe/Paris", title="Advice")
    key = Key(entry=EntryId(name))
    return Item(link=link, key=key, remote=remote, etag="e", base=owned if base else None, draft=owned, condition=condition, trouble="No.")


def put(office: Office, *items: Item) -> None:
    with office.store.write(DEMO, OFFICE) as tx:
        for each in items:
            tx.save_item(each, NOW)


def test_a_paused_link_writes_nothing_and_goes_on_when_it_is_resumed(office: Office) -> None:
    link = office.connect().link
    office.work()
    change(office, link, paused=True)
    office.book(NOW + DAY)
    office.work()
    assert office.there() == []
    assert office.status(link) == ("grey", "Paused.", "Resume it whenever you like.")
    change(office, link, paused=False)
    office.work()
    assert len(office.there()) == 1
    assert office.history(link)[-1] == "connected"
    assert {"paused", "resumed"} <= set(office.history(link))


def test_pausing_twice_is_pausing_once(office: Office) -> None:
    link = office.connect().link
    for _ in range(2):
        change(office, link, paused=True)
    assert office.history(link).count("paused") == 1


def test_a_brake_can_be_paused_but_not_resumed_without_a_decision(office: Office) -> None:
    link = office.connect().link
    office.save(link, standing=Standing.GUARD, trouble="Many.")
    with pytest.raises(Conflict, match="whether what is held back was meant"):
        change(office, link, paused=False)
    assert change(office, link, paused=True).standing is Standing.PAUSED


def test_a_suspended_link_is_tried_again_from_the_beginning(office: Office) -> None:
    link = office.connect().link
    office.save(link, standing=Standing.SUSPENDED, failures=5, trouble="Gone.")
    resumed = change(office, link, paused=False)
    assert (resumed.standing, resumed.failures, resumed.cursor, resumed.trouble) == (Standing.ACTIVE, 0, None, "")


def test_s21_a_link_becomes_two_way_when_the_staff_member_says_so_and_not_before(office: Office) -> None:
    office.policy(two_way=False)
    link = office.connect().link
    with pytest.raises(Conflict, match="An administrator can switch that on"):
        change(office, link, direction=Direction.BOTH)
    office.policy(two_way=True)
    assert office.link(link).direction is Direction.OUT
    assert change(office, link, direction=Direction.BOTH).direction is Direction.BOTH
    assert "direction" in office.history(link)
    assert change(office, link, direction=Direction.OUT).direction is Direction.OUT


def test_another_amount_of_detail_is_written_into_every_event(office: Office) -> None:
    office.book(NOW + DAY)
    link = office.connect().link
    office.work()
    assert "Ann Canaryname" in office.there()[0]["title"]
    change(office, link, level=Level.BUSY)
    office.work()
    [event] = office.there()
    assert "Ann" not in event["title"]


def test_what_deletions_mean_can_be_said_for_each_link(office: Office) -> None:
    link = office.connect().link
    assert change(office, link, on_delete=OnDelete.RESTORE).on_delete is OnDelete.RESTORE


@pytest.mark.parametrize("provider", [Provider.GOOGLE, Provider.OFFICE365])
def test_w10_disconnecting_removes_what_we_wrote_and_nothing_else(office: Office, provider: Provider) -> None:
    for days in (1, 2, 3, 4, 5):
        office.book(NOW + days * DAY)
    link = office.connect(provider).link
    office.work()
    office.fake(provider).act(
        {"account": JOHN.email, "op": "create", "title": "Dentist", "start": "2026-11-26T09:00:00Z", "end": "2026-11-26T10:00:00Z"}
    )
    assert len(office.there(provider=provider)) == 5
    assert disconnect(office, link, remove=True).standing is Standing.ENDING
    assert office.status(link)[:2] == ("grey", "Being disconnected: our events are removed first.")
    office.work()
    assert office.there(provider=provider) == []
    assert office.link(link).standing is Standing.ENDED
    left = [each["title"] for each in office.fake(provider).events(JOHN.email) if not each["cancelled"]]
    assert left == ["Dentist"]
    assert office.fake(provider).mails == []


def test_with_the_last_link_the_access_is_given_back(office: Office) -> None:
    office.book(NOW + DAY)
    link = office.connect().link
    office.work()
    disconnect(office, link, remove=True)
    office.work()
    given_back = [path for method, path in office.wires[Provider.GOOGLE].sent if method == "POST" and path.endswith("/revoke")]
    assert len(given_back) == 1
    again = office.connect()  # whoever connects again agrees anew
    office.work()
    assert len(office.there()) == 1
    assert office.account(again.link).access is Access.OK


def test_w10_disconnecting_can_leave_our_events(office: Office) -> None:
    office.book(NOW + DAY)
    link = office.connect().link
    office.work()
    assert disconnect(office, link, remove=False).standing is Standing.ENDED
    office.work()
    assert len(office.there()) == 1
    assert office.status(link) == ("grey", "Disconnected.", "Connect the account again to go on.")


def test_w10_after_the_consent_was_taken_back_it_is_said_what_could_not_be_removed(office: Office) -> None:
    office.book(NOW + DAY)
    link = office.connect().link
    office.work()
    office.revoke()
    office.clock.forward(2 * HOUR)
    office.work()
    ended = disconnect(office, link, remove=True)
    assert ended.standing is Standing.ENDED
    assert ended.trouble == "1 events could not be removed, because the access has ended. Please delete the calendar there."


def test_nobody_is_asked_to_delete_a_calendar_of_their_own(office: Office) -> None:
    office.book(NOW + DAY)
    link = office.connect(primary=True).link
    office.work()
    office.revoke()
    office.clock.forward(2 * HOUR)
    office.work()
    assert "delete the calendar" not in disconnect(office, link, remove=True).trouble


def test_with_the_provider_switched_off_a_link_ends_at_once_and_says_what_is_left(office: Office) -> None:
    office.book(NOW + DAY)
    link = office.connect().link
    office.work()
    office.policy(google=False)
    ended = disconnect(office, link, remove=True)
    assert ended.standing is Standing.ENDED
    assert ended.trouble.startswith("1 events could not be removed")


def test_what_was_left_can_be_removed_later(office: Office) -> None:
    office.book(NOW + DAY)
    link = office.connect().link
    office.work()
    disconnect(office, link, remove=False)
    disconnect(office, link, remove=True)
    office.work()
    assert office.there() == []
    said = office.history(link)
    assert disconnect(office, link, remove=True).standing is Standing.ENDED  # nothing is left to be done
    assert office.history(link) == said


def test_busy_times_of_a_link_end_with_it(office: Office) -> None:
    link = office.connect().link
    with office.store.write(DEMO, OFFICE) as tx:
        tx.put_busy(JOHN.id, f"link:{link}", [Span(NOW, NOW + HOUR)], NOW)
        orders.disconnect(tx, link, NOW, remove=False)
        assert tx.foreign_busy(JOHN.id, Span(NOW, NOW + DAY)) == []


DEEDS: list[Deed] = [
    lambda tx, link: orders.change(tx, link, NOW, paused=True),
    lambda tx, link: orders.decide(tx, link, NOW, meant=True),
    lambda tx, link: orders.retry(tx, link, NOW),
    lambda tx, link: orders.settle(tx, link, EntryId("x"), NOW, keep=True),
]


@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_is_done_with_a_link_that_has_ended(office: Office, deed: Deed) -> None:
    link = office.connect().link
    disconnect(office, link, remove=False)
    with pytest.raises(Conflict, match="Connect it again to go on"):
        done(office, deed, link)


@pytest.mark.parametrize("deed", [*DEEDS, lambda tx, link: orders.disconnect(tx, link, NOW, remove=True)])
def test_a_link_that_does_not_exist_is_missing(office: Office, deed: Deed) -> None:
    with pytest.raises(Missing):
        done(office, deed, LinkId("nobody"))


def test_deciding_needs_something_that_waits(office: Office) -> None:
    link = office.connect().link
    with pytest.raises(Conflict, match="Nothing waits"):
        done(office, DEEDS[1], link)


def braked(office: Office) -> LinkId:
    """Six of ten events were deleted over there at once."""
    for days in range(10):
        office.book(NOW + days * DAY + HOUR)
    link = office.connect().link
    office.work()
    for each in office.there()[:6]:
        office.google.act({"account": JOHN.email, "op": "delete", "id": each["id"]})
    office.work()
    assert office.link(link).standing is Standing.GUARD
    assert office.status(link)[::2] == ("red", "Say whether it was meant.")
    return link


def test_t9_one_word_that_it_was_not_meant_puts_everything_back(office: Office) -> None:
    link = braked(office)
    with office.store.write(DEMO, OFFICE) as tx:
        orders.decide(tx, link, office.clock.now, meant=False)
    office.work(3)
    assert len(office.there()) == 10
    assert office.link(link).standing is Standing.ACTIVE


def test_t9_one_word_that_it_was_meant_carries_it_out(office: Office) -> None:
    office.policy(on_delete=OnDelete.CANCEL)
    link = braked(office)
    with office.store.write(DEMO, OFFICE) as tx:
        orders.decide(tx, link, office.clock.now, meant=True)
    office.work(3)
    assert len(office.there()) == 4
    assert "decided" in office.history(link)


def test_what_a_provider_refused_for_good_is_tried_again_on_request(office: Office) -> None:
    link = office.connect().link
    put(office, *(item(link, name, state) for name, state in zip("abcd", (*orders.OPEN, Condition.SYNCED), strict=True)))
    assert done(office, lambda tx, one: orders.retry(tx, one, NOW), link) == 3
    assert {each.condition for each in office.items(link)} == {Condition.SYNCED}
    assert [each.draft is None for each in office.items(link)] == [True, True, True, False]
    assert office.link(link).seen == 0
    assert done(office, lambda tx, one: orders.retry(tx, one, NOW), link) == 0


def test_what_never_came_to_be_is_made_under_a_new_generation(office: Office) -> None:
    link = office.connect().link
    put(office, item(link, "a", Condition.DEAD, remote="", base=False))
    done(office, lambda tx, one: orders.retry(tx, one, NOW), link)
    assert [each.condition for each in office.items(link)] == [Condition.GONE]


@pytest.mark.parametrize(("keep", "draft_stays"), [(True, True), (False, False)])
def test_one_appointment_that_waits_is_left_or_written_again(office: Office, keep: bool, draft_stays: bool) -> None:
    link = office.connect().link
    put(office, item(link, "a", Condition.CONFLICT), item(link, "b", Condition.CONFLICT))
    assert done(office, lambda tx, one: orders.settle(tx, one, EntryId("a"), NOW, keep=keep), link) == 1
    [a, b] = office.items(link)
    assert (a.condition, a.trouble, a.draft is not None) == (Condition.SYNCED, "", draft_stays)
    assert b.condition is Condition.CONFLICT
    with pytest.raises(Missing):
        done(office, lambda tx, one: orders.settle(tx, one, EntryId("a"), NOW, keep=keep), link)


def test_s24_a_switch_pauses_its_links_says_so_and_forgets_nothing(office: Office) -> None:
    office.book(NOW + DAY)
    link = office.connect().link
    office.work()
    office.policy(google=False)
    office.book(NOW + 2 * DAY)
    office.work()
    assert office.status(link)[:2] == ("grey", "Paused by your administrator.")
    assert len(office.there()) == 1
    office.policy(google=True)
    office.work()
    assert len(office.there()) == 2
    assert office.status(link)[0] == "green"


def test_i16_green_is_only_said_after_a_look_that_is_not_old(office: Office) -> None:
    link = office.connect().link
    assert office.status(link) == ("yellow", "", "The first filling is on its way.")
    office.work()
    assert office.status(link) == ("green", "", "")
    office.clock.forward(orders.OLD + timedelta(seconds=1))
    status, trouble, step = office.status(link)
    assert (status, trouble) == ("red", "It has not been read to its end for more than an hour.")
    assert step


@pytest.mark.parametrize(
    ("access", "step"),
    [
        (Access.NEEDS_REAUTH, "Connect the account again: nothing is lost, and nothing is doubled."),
        (Access.NEEDS_ADMIN, "Ask the administrator of your organisation to allow this app, then connect again."),
        (Access.SUSPENDED, "Connect the account again: nothing is lost, and nothing is doubled."),
    ],
)
def test_every_kind_of_broken_access_has_a_next_step(office: Office, access: Access, step: str) -> None:
    link = office.connect().link
    with office.store.write(DEMO, OFFICE) as tx:
        tx.save_account(replace(tx.account(tx.link(link).account), access=access, trouble="It says so."))
    assert office.status(link) == ("red", "It says so.", step)


@pytest.mark.parametrize("standing", list(Standing))
def test_every_standing_has_a_colour_and_all_but_green_a_sentence(office: Office, standing: Standing) -> None:
    link = office.connect().link
    office.save(link, standing=standing, trouble="It says so.")
    status, trouble, step = office.status(link)
    assert status in {"green", "yellow", "red", "grey"}
    assert trouble
    assert step
