"""What every way of carrying turns keeps: one worker for an account, takeover, fences, wake-ups, and nobody who waits for others."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from gateway.errors import Lost
from gateway.links import AccountId, LinkId
from tests.bridge.runner.house import LEASE, SOON, Rig, Work, clock
from tests.store.house import DEMO

MOMENT = timedelta(seconds=1)


def test_whoever_is_due_has_a_turn_and_then_rests(rig: Rig) -> None:
    accounts = rig.connect(12)
    work = Work(rig.store)
    with rig.carried(work) as carrier:
        work.until(lambda: work.counts(accounts, 1))
        assert carrier.troubles() == []
    assert sorted(work.done) == accounts, "nobody twice"
    assert rig.store.accounts_due(clock()) == []


def test_two_processes_never_work_on_one_account_at_once(rig: Rig) -> None:
    accounts = rig.connect(6)
    work = Work(rig.store, during=lambda account: time.sleep(0.02))
    with rig.carried(work) as one, rig.carried(work) as other:
        for turns in range(1, 4):
            work.until(lambda turns=turns: work.counts(accounts, turns))  # type: ignore[misc]
            for account in accounts:
                rig.wake(account)
                rig.wake(account)
            one.wake()
            other.wake()
        work.until(lambda: work.counts(accounts, 4))
    assert work.overlaps == []
    assert work.failed == []
    for account in accounts:
        fences = [int(line.removeprefix("fence ")) for line in rig.noted(account)]
        assert fences == sorted(set(fences)), "every turn had a claim of its own"


def test_a_wake_during_a_turn_causes_another_turn(rig: Rig) -> None:
    [account] = rig.connect(1)
    entered, leave = threading.Event(), threading.Event()

    def during(_: AccountId) -> None:
        entered.set()
        assert leave.wait(SOON)

    work = Work(rig.store, during=during)
    with rig.carried(work) as carrier:
        assert entered.wait(SOON)
        rig.wake(account)
        carrier.wake()
        leave.set()
        work.until(lambda: len(work.done) == 2)


def test_one_account_that_hangs_delays_nobody(rig: Rig) -> None:
    hanging, *others = rig.connect(10)
    leave = threading.Event()
    work = Work(rig.store, during=lambda account: None if account != hanging else _wait(leave))
    with rig.carried(work, count=2):
        work.until(lambda: work.counts(others, 1))
        assert hanging not in work.done
        leave.set()
        work.until(lambda: hanging in work.done)


def test_even_when_all_hands_hang_others_have_their_turn_after_the_deadline(rig: Rig) -> None:
    first, second, *others = rig.connect(5)
    leave = threading.Event()
    work = Work(rig.store, during=lambda account: None if account in others else _wait(leave))
    with rig.carried(work, count=2, longest=MOMENT) as carrier:
        work.until(lambda: work.counts(others, 1))
        assert {first, second} & set(work.done) == set()
        assert carrier.troubles() == []
        leave.set()
        work.until(lambda: {first, second} <= {*work.done, *(account for account, _ in work.failed)})


def test_a_hung_turn_gives_the_account_free_and_cannot_commit_any_more(rig: Rig) -> None:
    [account] = rig.connect(1)
    leave = threading.Event()
    slow, quick = Work(rig.store, during=lambda _: _wait(leave)), Work(rig.store)
    with rig.carried(slow, longest=MOMENT):
        slow.until(lambda: slow.begun == [account])
        with rig.carried(quick):
            quick.until(lambda: quick.done == [account])
            leave.set()
            slow.until(lambda: len(slow.failed) == 1)
    [(_, error)] = slow.failed
    assert isinstance(error, Lost)
    assert rig.noted(account) == ["fence 2"], "what the slow one wanted to write is not written"


def test_a_claim_is_renewed_as_long_as_the_turn_goes_on(rig: Rig) -> None:
    [account] = rig.connect(1)
    leave = threading.Event()
    slow, other = Work(rig.store, during=lambda _: _wait(leave)), Work(rig.store)
    with rig.carried(slow):
        slow.until(lambda: slow.begun == [account])
        with rig.carried(other):
            assert not leave.wait(LEASE.total_seconds() * 2.5), "two and a half leases go by"
            leave.set()
            slow.until(lambda: slow.done == [account])
    assert other.begun == []
    assert rig.noted(account) == ["fence 1"]


def test_what_fails_is_tried_again_and_holds_up_nobody(rig: Rig) -> None:
    broken, *others = rig.connect(4)
    failures = iter([RuntimeError("no"), RuntimeError("no")])

    def during(account: AccountId) -> None:
        if account == broken and (error := next(failures, None)):
            raise error

    work = Work(rig.store, during=during)
    with rig.carried(work):
        work.until(lambda: work.counts(others, 1))
        work.until(lambda: broken in work.done)
    assert len(work.failed) == 2


def test_the_oldest_due_comes_first(rig: Rig) -> None:
    accounts = rig.connect(8)
    work = Work(rig.store)
    with rig.carried(work, count=1):
        work.until(lambda: work.counts(accounts, 1))
    assert work.begun == accounts


def test_what_another_process_wrote_is_found_without_a_bell(rig: Rig) -> None:
    accounts = rig.connect(2, ahead=timedelta(hours=2))
    work = Work(rig.store)
    with rig.carried(work):
        rig.wake(accounts[1])
        work.until(lambda: work.done == [accounts[1]])
    assert accounts[0] not in work.begun


def test_stopping_gives_free_at_once_what_hangs(rig: Rig) -> None:
    [account] = rig.connect(1)
    leave = threading.Event()
    work = Work(rig.store, during=lambda _: _wait(leave))
    began = 0.0
    try:
        with rig.carried(work, lease=timedelta(minutes=5)):
            work.until(lambda: work.begun == [account])
            began = time.monotonic()
        assert time.monotonic() - began < 5
        claim = rig.store.claim(DEMO, account, clock(), clock() + LEASE)
        assert claim is not None, "nobody has to wait for the lease"
    finally:
        leave.set()
    work.until(lambda: len(work.failed) == 1)
    assert isinstance(work.failed[0][1], Lost)


def test_stopping_lets_the_step_in_hand_be_finished(rig: Rig) -> None:
    [account] = rig.connect(1)
    leave = threading.Event()
    work = Work(rig.store, during=lambda _: _wait(leave))
    with rig.carried(work) as carrier:
        work.until(lambda: work.begun == [account])
        threading.Timer(0.2, leave.set).start()
        assert carrier.stop(4.0)
    assert work.done == [account]
    with rig.store.read(DEMO) as snapshot:
        assert snapshot.link(LinkId(account)).pulled is not None


def _wait(leave: threading.Event) -> None:
    assert leave.wait(2 * SOON)
