"""Letters reach the mail server, each one once: however often it is away, refuses, breaks off, or forgets to answer."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from gateway import observe
from gateway.post.sender import BEGUN, GIVEN_UP, LEASE
from gateway.seal import Seal
from gateway.store import Store, Waiting
from tests.journey.demo import free_port
from tests.post.house import ANN, COMPANY, NOW, ORGANIZER
from tests.post.outbox import Outbox
from tests.post.server import DROP, Server, listening

MINUTE = timedelta(minutes=1)


def test_letters_are_sent_once_over_one_connection(outbox: Outbox, server: Server, url: str) -> None:
    ids = outbox.put(5)
    sender = outbox.sender(url)
    assert sender.run(outbox.now) is None
    assert server.ids == ids
    assert server.visits == 1
    assert {(taken.sender, *taken.recipients) for taken in server.taken} == {(ORGANIZER, ANN.email)}
    assert sender.run(outbox.now) is None
    assert len(server.taken) == 5


def test_what_is_sent_is_what_was_written(outbox: Outbox, server: Server, url: str) -> None:
    outbox.put(1)
    outbox.sender(url).run(outbox.now)
    [taken] = server.taken
    assert taken.octets.replace(b"\r\n", b"\n").startswith(b"Message-ID: ")
    assert taken.mail["Subject"] == "Your appointment on Wednesday, November 25 at 10:00 AM"
    assert [part.get_content_type() for part in taken.mail.walk()][-1] == "application/ics"


def test_without_a_mail_server_letters_wait(outbox: Outbox) -> None:
    outbox.put(3)
    assert outbox.sender("").run(outbox.now) is None
    assert outbox.store.outbox() == (3, NOW)
    assert outbox.store.next_letter() == NOW


def test_a_server_that_is_away_is_one_setback_and_is_asked_again_later(outbox: Outbox, server: Server) -> None:
    outbox.put(3, entry="")
    port = free_port()
    sender = outbox.sender(f"smtp://127.0.0.1:{port}")
    assert sender.run(outbox.now) == NOW + MINUTE
    with listening(server, port):
        outbox.now += MINUTE / 2
        assert sender.run(outbox.now) == NOW + MINUTE, "it rests"
        assert server.visits == 0
        outbox.now = NOW + MINUTE
        assert sender.run(outbox.now) is None
    assert len(server.taken) == 3
    assert server.visits == 1


def test_a_server_that_stays_away_is_asked_every_five_minutes(outbox: Outbox, server: Server) -> None:
    outbox.put(1)
    port = free_port()
    sender = outbox.sender(f"smtp://127.0.0.1:{port}")
    pauses = []
    for _ in range(5):
        again = sender.run(outbox.now)
        assert again is not None
        pauses.append(again - outbox.now)
        outbox.now = again
    assert pauses == [MINUTE, 2 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE]
    with listening(server, port):
        assert sender.run(outbox.now) is None
    assert len(server.taken) == 1


@pytest.mark.parametrize("verb", ["RCPT", "DATA"])
def test_a_letter_refused_for_now_is_tried_again_with_growing_pauses(outbox: Outbox, server: Server, url: str, verb: str) -> None:
    ids = outbox.put(1, entry="e")
    server.says[verb] = ["451 4.7.1 greylisted"] * 3
    sender = outbox.sender(url)
    for minutes in (1, 2, 5):
        again = sender.run(outbox.now)
        assert again is not None
        assert minutes * MINUTE <= again - outbox.now <= 1.2 * minutes * MINUTE
        assert sender.run(again - timedelta(seconds=1)) == again, "not before"
        outbox.now = again
    assert outbox.posted("e")[0].failure == "451 4.7.1 greylisted"
    assert sender.run(outbox.now) is None
    assert server.ids[-1] == ids[0]
    assert outbox.posted("e")[0].sent == outbox.now


@pytest.mark.parametrize("verb", ["RCPT", "DATA"])
def test_a_letter_refused_for_good_is_given_up_and_the_next_one_goes(outbox: Outbox, server: Server, url: str, verb: str) -> None:
    _, second = outbox.put(2, entry="e")
    server.says[verb] = ["550 5.1.1 no such user here"]
    sender = outbox.sender(url)
    assert sender.run(outbox.now) == outbox.now, "there is more: the next letter about the same entry"
    assert sender.run(outbox.now) is None
    given_up, sent = outbox.posted("e")
    assert (given_up.failed, given_up.sent, given_up.failure) == (outbox.now, None, "550 5.1.1 no such user here")
    assert sent.sent == outbox.now
    assert server.ids[-1] == second


def test_one_refused_recipient_does_not_keep_the_others(outbox: Outbox, server: Server, url: str) -> None:
    ids = outbox.put(4)
    server.says["RCPT"] = ["250 OK", "550 no", "450 later", "250 OK"]
    outbox.sender(url).run(outbox.now)
    assert server.ids == [ids[0], ids[3]]
    assert server.visits == 1


@pytest.mark.parametrize("answer", ["554 5.7.1 relay access denied", "530 5.7.0 must issue STARTTLS first", "535 no"])
def test_a_server_that_does_not_know_us_yet_costs_no_letter(outbox: Outbox, server: Server, url: str, answer: str) -> None:
    outbox.put(1, entry="e")
    server.says["RCPT"] = [answer]
    assert outbox.sender(url).run(outbox.now) is not None
    assert outbox.posted("e")[0].failed is None


@pytest.mark.parametrize("answer", ["550 we take no mail from you", "451 not now", "421 too busy"])
def test_a_sender_that_is_refused_is_a_setback_for_all(outbox: Outbox, server: Server, url: str, answer: str) -> None:
    outbox.put(5)
    server.says["MAIL"] = [answer] * 2
    sender = outbox.sender(url)
    again = sender.run(outbox.now)
    assert again is not None
    assert server.taken == [] or answer.startswith("421")
    while again is not None:
        outbox.now = again
        again = sender.run(outbox.now)
    assert len(server.taken) == 5
    assert len(set(server.ids)) == 5


def test_after_a_break_behind_the_last_line_the_same_letter_comes_again_and_nothing_else(outbox: Outbox, server: Server, url: str) -> None:
    ids = outbox.put(3)
    server.says["DATA"] = ["250 OK", DROP]
    sender = outbox.sender(url)
    again = sender.run(outbox.now)
    assert again is not None
    assert server.ids == ids
    outbox.now = again
    assert sender.run(outbox.now) is None
    assert server.ids == [*ids, ids[1]]
    assert server.taken[3].octets == server.taken[1].octets


@pytest.mark.parametrize("answer", [DROP, "421 enough on this connection"])
def test_a_server_that_takes_so_many_letters_on_a_connection_gets_the_rest_on_another(
    outbox: Outbox, server: Server, url: str, answer: str
) -> None:
    ids = outbox.put(4)
    server.says["MAIL"] = ["250 OK", "250 OK", answer]
    assert outbox.sender(url).run(outbox.now) is None
    assert server.ids == ids
    assert server.visits == 2


def test_a_server_that_breaks_every_connection_is_left_alone(outbox: Outbox, server: Server, url: str) -> None:
    outbox.put(10)
    server.says["DATA"] = [DROP] * 10
    sender = outbox.sender(url)
    assert sender.run(outbox.now) == NOW + MINUTE
    assert len(server.taken) == 2


def test_a_letter_nobody_takes_is_given_up_after_five_days(outbox: Outbox, server: Server, url: str) -> None:
    outbox.put(1, entry="e")
    server.says["RCPT"] = ["450 mailbox busy"] * 1000
    sender = outbox.sender(url)
    again = sender.run(outbox.now)
    while again is not None:
        assert again <= NOW + GIVEN_UP
        outbox.now = again
        again = sender.run(outbox.now)
    assert outbox.posted("e")[0].failed == outbox.now
    assert GIVEN_UP - timedelta(hours=2) < outbox.now - NOW <= GIVEN_UP
    assert server.taken == []
    assert outbox.store.outbox() == (0, None)


def test_letters_for_a_server_that_never_comes_back_are_given_up_as_well(outbox: Outbox) -> None:
    outbox.put(2)
    sender = outbox.sender(f"smtp://127.0.0.1:{free_port()}")
    outbox.now = NOW + GIVEN_UP - MINUTE / 2
    assert sender.run(outbox.now) is None
    assert outbox.store.outbox() == (0, None)


def test_several_senders_at_once_send_each_letter_once(each_store: Store, server: Server, url: str) -> None:
    each_store.found(COMPANY)
    outbox = Outbox(each_store)
    ids = outbox.put(60)

    def work() -> None:
        sender = outbox.sender(url)
        while sender.run(outbox.now) is not None:
            pass

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    outbox.sender(url).run(outbox.now)
    assert sorted(server.ids) == sorted(ids)


def test_a_sender_that_died_with_letters_in_hand_is_followed_by_another(outbox: Outbox, server: Server, url: str) -> None:
    ids = outbox.put(3)
    assert len(outbox.store.claim_letters(outbox.now, lease=LEASE)) == 3
    sender = outbox.sender(url)
    assert sender.run(outbox.now) == NOW + LEASE
    outbox.now += LEASE
    sender.run(outbox.now)
    assert server.ids == ids


def test_a_sender_that_lost_its_claim_notes_nothing(outbox: Outbox, server: Server, url: str) -> None:
    """The server takes longer over the letter than the claim lasts; somebody else has taken it up by then."""
    outbox.put(1, entry="e")
    taken_up: list[Waiting] = []

    def overtaken() -> None:
        outbox.now += LEASE
        taken_up.extend(outbox.store.claim_letters(outbox.now, lease=LEASE))

    server.meanwhile = overtaken
    outbox.sender(url).run(outbox.now)
    [theirs] = taken_up
    assert outbox.posted("e")[0].sent is None
    assert outbox.store.letter_sent(theirs, outbox.now)


def test_stop_ends_after_the_letter_in_hand_and_gives_the_others_back(outbox: Outbox, server: Server, url: str) -> None:
    ids = outbox.put(3)
    sender = outbox.sender(url)
    server.meanwhile = sender.stop
    assert sender.run(outbox.now) is None
    assert server.ids == ids[:1]
    assert sender.run(outbox.now) is None
    outbox.sender(url).run(outbox.now)
    assert server.ids == ids


def test_letters_that_cannot_be_begun_in_time_are_given_back(outbox: Outbox, server: Server, url: str) -> None:
    ids = outbox.put(3)
    sender = outbox.sender(url)

    def slowly() -> None:
        outbox.now += BEGUN

    server.meanwhile = slowly
    for sent in (1, 2, 3):
        sender.run(outbox.now)
        assert server.ids == ids[:sent]


def test_a_letter_sealed_with_another_key_waits_for_it(outbox: Outbox, server: Server, url: str) -> None:
    outbox.put(1, entry="e")
    stranger = outbox.sender(url, Seal("B" * 43 + "="))
    again = stranger.run(outbox.now)
    assert again is not None
    assert outbox.posted("e")[0].failed is None
    outbox.now = again
    outbox.sender(url).run(outbox.now)
    assert len(server.taken) == 1


def test_what_waits_is_measured(outbox: Outbox) -> None:
    outbox.put(2)
    outbox.now += MINUTE
    outbox.sender("").run(outbox.now)
    shown = observe.metrics_text()
    assert "gateway_outbox_waiting 2.0" in shown
    assert "gateway_outbox_oldest_seconds 60.0" in shown
