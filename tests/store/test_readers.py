"""What readers of the log keep: cursors, customers to be told, and the outbox with its claims."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.model import EntryId, Revision
from gateway.store import Letter, Store, Waiting
from tests.store.house import DAY, DEMO, HOUR, NOW, OTHER, SETUP, TAYLOR, Place, booking, broken_off, span

LEASE = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


def letter(key: str, entry: str | None = None, **more: str) -> Letter:
    return Letter(
        key=key,
        recipient=more.get("recipient", "ann.canary@example.com"),
        message=b"\x00\xff sealed " + key.encode(),
        entry=EntryId(entry) if entry else None,
        kind=more.get("kind", "moved"),
    )


def queue(place: Place, *letters: Letter, at: datetime = NOW) -> list[bool]:
    with place.store.write(place.company, SETUP) as tx:
        return [tx.queue(each, at) for each in letters]


def claim(store: Store, now: datetime = NOW, limit: int = 20) -> Sequence[Waiting]:
    return store.claim_letters(now, lease=LEASE, limit=limit)


def keys(letters: Sequence[Waiting]) -> list[str]:
    """By the messages, which carry them."""
    return [each.message.removeprefix(b"\x00\xff sealed ").decode() for each in letters]


class TestCursors:
    def test_a_reader_begins_before_the_first_change(self, place: Place) -> None:
        with place.store.read(DEMO) as snapshot:
            assert snapshot.cursor("letters") == 0

    def test_a_cursor_moves_forward_only(self, place: Place) -> None:
        for day in range(3):
            place.book(NOW + day * DAY)
        for to, stands in ((2, 2), (1, 2), (2, 2), (3, 3), (0, 3)):
            with place.store.write(DEMO, SETUP) as tx:
                tx.advance("letters", Revision(to))
                assert tx.cursor("letters") == stands
            with place.store.read(DEMO) as snapshot:
                assert (snapshot.cursor("letters"), snapshot.cursor("mirror:7")) == (stands, 0)

    def test_who_is_behind_and_how_far(self, place: Place, neighbour: Place) -> None:
        place.book()
        neighbour.add(booking(neighbour.calendar(TAYLOR.id)))
        heads = place.store.revisions()
        assert place.store.lag("letters") == sum(heads.values())
        assert set(place.store.behind("letters")) == {DEMO, OTHER}
        with place.store.write(DEMO, SETUP) as tx:
            tx.advance("letters", tx.revision)
        assert list(place.store.behind("letters")) == [OTHER]
        assert place.store.lag("letters") == heads[OTHER]
        with place.store.write(OTHER, SETUP) as tx:
            tx.advance("letters", Revision(tx.revision - 1))
        assert (list(place.store.behind("letters")), place.store.lag("letters")) == ([OTHER], 1)
        with place.store.write(OTHER, SETUP) as tx:
            tx.advance("letters", tx.revision)
        assert (list(place.store.behind("letters")), place.store.lag("letters")) == ([], 0)
        place.book(NOW + 5 * DAY)
        assert (list(place.store.behind("letters")), place.store.lag("letters")) == ([DEMO], 1)

    def test_moving_a_cursor_is_no_change(self, place: Place) -> None:
        place.book()
        before = place.store.revisions()
        with place.store.write(DEMO, SETUP) as tx:
            tx.advance("letters", tx.revision)
        assert place.store.revisions() == before


class TestNotices:
    def test_the_first_state_stays_and_the_time_moves(self, place: Place) -> None:
        booked = place.book()
        moved = replace(booked, version=2, span=span(NOW + 3 * DAY))
        for base, due in ((booked, NOW + HOUR), (moved, NOW + 2 * HOUR)):
            with place.store.write(DEMO, SETUP) as tx:
                tx.await_notice(booked.id, base, due)
        with place.store.write(DEMO, SETUP) as tx:
            assert list(tx.notices_due(NOW + 2 * HOUR - SECOND)) == []
            assert list(tx.notices_due(NOW + 2 * HOUR)) == [(booked.id, booked, NOW + 2 * HOUR)]
            assert tx.next_notice() == NOW + 2 * HOUR
        assert place.store.next_notice() == NOW + 2 * HOUR
        assert list(place.store.notices_due(NOW + 2 * HOUR - SECOND)) == []
        assert list(place.store.notices_due(NOW + 2 * HOUR)) == [DEMO]

    def test_a_new_booking_has_no_state_before(self, place: Place) -> None:
        booked = place.book()
        with place.store.write(DEMO, SETUP) as tx:
            tx.await_notice(booked.id, None, NOW)
            tx.await_notice(booked.id, booked, NOW + SECOND)
            assert list(tx.notices_due(NOW + SECOND)) == [(booked.id, None, NOW + SECOND)]

    def test_who_was_told_waits_no_more(self, place: Place, neighbour: Place) -> None:
        first, second = place.book(), place.book(NOW + 2 * DAY)
        theirs = booking(neighbour.calendar(TAYLOR.id))
        neighbour.add(theirs)
        with place.store.write(DEMO, SETUP) as tx:
            tx.await_notice(first.id, first, NOW + SECOND)
            tx.await_notice(second.id, second, NOW + 2 * SECOND)
        with place.store.write(OTHER, SETUP) as tx:
            tx.await_notice(theirs.id, None, NOW)
        assert set(place.store.notices_due(NOW + DAY)) == {DEMO, OTHER}
        assert place.store.next_notice() == NOW
        with place.store.write(DEMO, SETUP) as tx:
            assert [entry for entry, _, _ in tx.notices_due(NOW + DAY)] == [first.id, second.id]
            tx.notice_done(first.id)
            assert [entry for entry, _, _ in tx.notices_due(NOW + DAY)] == [second.id]
            tx.notice_done(second.id)
            assert tx.next_notice() is None
        assert list(place.store.notices_due(NOW + DAY)) == [OTHER]

    def test_what_was_told_can_be_awaited_again_from_a_new_state(self, place: Place) -> None:
        booked = place.book()
        moved = replace(booked, version=2, span=span(NOW + 3 * DAY))
        with place.store.write(DEMO, SETUP) as tx:
            tx.await_notice(booked.id, booked, NOW)
            tx.notice_done(booked.id)
            tx.await_notice(booked.id, moved, NOW)
            assert list(tx.notices_due(NOW)) == [(booked.id, moved, NOW)]

    def test_nobody_waits_in_the_beginning(self, place: Place) -> None:
        assert place.store.next_notice() is None
        assert list(place.store.notices_due(NOW + 1000 * DAY)) == []


class TestQueueing:
    def test_a_letter_is_claimed_as_it_was_queued(self, place: Place) -> None:
        assert queue(place, letter("a", "e1", recipient="zoë@example.com", kind="booked")) == [True]
        [waiting] = claim(place.store)
        assert (waiting.company, waiting.kind, waiting.recipient) == (DEMO, "booked", "zoë@example.com")
        assert (waiting.message, waiting.queued, waiting.attempts) == (letter("a").message, NOW, 0)

    def test_the_same_key_is_queued_once_in_a_company(self, place: Place, neighbour: Place) -> None:
        first = letter("a", "e1")
        assert queue(place, first, replace(first, recipient="second@example.com")) == [True, False]
        assert queue(place, first) == [False]
        assert queue(neighbour, first) == [True]
        found = claim(place.store)
        assert sorted(each.company for each in found) == [DEMO, OTHER]
        assert {each.recipient for each in found} == {first.recipient}
        for each in found:
            place.store.letter_sent(each, NOW)
        assert queue(place, first) == [False]  # also after it was sent

    def test_an_empty_outbox_says_so(self, place: Place) -> None:
        assert list(claim(place.store)) == []
        assert (place.store.outbox(), place.store.next_letter()) == ((0, None), None)


class TestClaims:
    def test_a_claimed_letter_is_nobody_elses_until_the_lease_ends(self, place: Place) -> None:
        queue(place, letter("a", "e1"))
        assert place.store.next_letter() == NOW
        [first] = claim(place.store)
        assert list(claim(place.store, NOW + LEASE - SECOND)) == []
        assert place.store.next_letter() == NOW + LEASE
        [second] = claim(place.store, NOW + LEASE)
        assert second.id == first.id
        assert second.fence != first.fence

    def test_a_sender_that_lost_its_claim_cannot_settle_the_letter(self, place: Place) -> None:
        queue(place, letter("a", "e1"))
        [slow] = claim(place.store)
        [quick] = claim(place.store, NOW + LEASE)
        assert place.store.letter_sent(slow, NOW + LEASE) is False
        assert place.store.letter_failed(slow, NOW + LEASE, again=None, failure="gone") is False
        assert place.store.outbox()[0] == 1
        assert place.store.letter_sent(quick, NOW + LEASE) is True
        assert place.store.letter_sent(quick, NOW + LEASE) is False
        assert place.store.outbox() == (0, None)

    def test_letters_about_one_entry_are_sent_one_after_another(self, place: Place) -> None:
        queue(place, letter("a1", "a"), letter("a2", "a"))
        queue(place, letter("b1", "b"), letter("a3", "a"), at=NOW + SECOND)
        later = NOW + HOUR
        first = claim(place.store, later)
        assert keys(first) == ["a1", "b1"]
        assert list(claim(place.store, later)) == []
        place.store.letter_sent(first[1], later)
        assert list(claim(place.store, later)) == []  # a1 is still on its way
        place.store.letter_sent(first[0], later)
        second = claim(place.store, later)
        assert keys(second) == ["a2"]
        place.store.letter_failed(second[0], later, again=None, failure="550")
        assert keys(claim(place.store, later)) == ["a3"]

    def test_a_letter_that_is_tried_again_keeps_its_place(self, place: Place) -> None:
        queue(place, letter("a1", "a"), letter("a2", "a"))
        [first] = claim(place.store)
        again = NOW + 3 * HOUR
        assert place.store.letter_failed(first, NOW, again=again, failure="451 later") is True
        assert list(claim(place.store, again - SECOND)) == []
        assert place.store.next_letter() == again
        [once_more] = claim(place.store, again)
        assert (keys([once_more]), once_more.attempts) == (["a1"], 1)

    def test_letters_about_nothing_wait_for_nobody(self, place: Place) -> None:
        queue(place, letter("a"), letter("b"), letter("c"))
        assert keys(claim(place.store)) == ["a", "b", "c"]

    def test_the_same_entry_id_of_another_company_waits_for_nobody(self, place: Place, neighbour: Place) -> None:
        queue(place, letter("a", "same"))
        queue(neighbour, letter("b", "same"))
        assert sorted(keys(claim(place.store))) == ["a", "b"]

    def test_no_more_are_claimed_than_asked_for_the_oldest_first(self, place: Place) -> None:
        for number in range(5):
            queue(place, letter(str(number), f"e{number}"), at=NOW + number * SECOND)
        assert keys(claim(place.store, NOW + HOUR, limit=2)) == ["0", "1"]
        assert place.store.outbox() == (5, NOW)
        assert keys(claim(place.store, NOW + HOUR, limit=20)) == ["2", "3", "4"]

    def test_an_aborted_transaction_queues_nothing(self, place: Place) -> None:
        with broken_off(place) as tx:
            assert tx.queue(letter("a", "e"), NOW)
        assert list(claim(place.store)) == []
        assert queue(place, letter("a", "e")) == [True]

    def test_many_senders_claim_every_letter_once(self, place: Place) -> None:
        queue(place, *(letter(str(number), f"e{number % 30}") for number in range(60)))
        taken: list[Sequence[Waiting]] = []
        start = threading.Barrier(4)

        def send() -> None:
            start.wait()
            taken.extend([claim(place.store, limit=5) for _ in range(8)])

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        got = Counter(key for letters in taken for key in keys(letters))
        assert got == Counter(str(number) for number in range(30))  # the first about each entry, and each once


class TestPosted:
    def test_what_became_of_the_letters_about_an_entry(self, place: Place) -> None:
        queue(place, letter("1", "e", kind="booked"), letter("x", "other"), letter("2", "e", kind="moved"))
        queue(place, letter("3", "e", kind="cancelled"), at=NOW + SECOND)
        by_key = {keys([each])[0]: each for each in claim(place.store, NOW + SECOND)}
        place.store.letter_failed(by_key["1"], NOW + SECOND, again=NOW + 2 * SECOND, failure="451 busy")
        [again] = claim(place.store, NOW + 2 * SECOND)
        place.store.letter_sent(again, NOW + 3 * SECOND)
        [second] = claim(place.store, NOW + 3 * SECOND)
        place.store.letter_failed(second, NOW + 4 * SECOND, again=None, failure="550 no such box")
        with place.store.read(DEMO) as snapshot:
            booked, moved, cancelled = snapshot.letters_of(EntryId("e"))
            assert list(snapshot.letters_of(EntryId("nothing"))) == []
        assert (booked.kind, booked.recipient, booked.queued) == ("booked", "ann.canary@example.com", NOW)
        assert (booked.sent, booked.failed, booked.attempts) == (NOW + 3 * SECOND, None, 2)
        assert (moved.kind, moved.sent, moved.failed, moved.failure) == ("moved", None, NOW + 4 * SECOND, "550 no such box")
        assert moved.attempts == 1
        assert (cancelled.kind, cancelled.sent, cancelled.failed, cancelled.attempts) == ("cancelled", None, None, 0)
