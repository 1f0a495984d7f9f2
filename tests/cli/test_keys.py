"""A change of the key: everything that was sealed with the former one is sealed with the new one, and the former one can go."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import Misconfigured
from gateway.model import Actor
from gateway.seal import Seal
from gateway.store import Letter, resealing
from tests.cli.house import Shell

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
FORMER, KEY = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
OLD = {"GATEWAY_SECRETS__KEY": FORMER}
BOTH = {"GATEWAY_SECRETS__KEY": KEY, "GATEWAY_SECRETS__RETIRED_KEYS": FORMER}
NEW = {"GATEWAY_SECRETS__KEY": KEY}


def filled(gateway: Shell, feeds: int = 3) -> list[str]:
    """Feeds, a letter that waits, and the key of the push services, all sealed with the former key; the feeds' links."""
    links = [gateway.json("feed", "add", "--staff", "john-smith", "--label", f"{number}", **OLD)["url"] for number in range(feeds)]
    with gateway.store() as store:
        seal = Seal(FORMER)
        store.push_key(lambda: seal.seal(b"vapid"))
        [company] = store.companies()
        with store.write(company.id, Actor("setup", "import")) as tx:
            letter = Letter(key="1", recipient="ann@example.com", message=seal.seal(b"Dear Ann"), entry=None, kind="booked")
            assert tx.queue(letter, NOW)
    return links


def test_after_the_rotation_the_former_key_is_not_needed_any_more(gateway: Shell) -> None:
    links = filled(gateway)
    assert gateway.json("secrets", "rotate", **BOTH) == {"looked_at": 5, "sealed_anew": 5, "lost": 0}
    with gateway.store() as store:
        seal = Seal(KEY)
        [company] = store.companies()
        with store.read(company.id) as snapshot:
            opened = [seal.unseal(sealed).decode() for sealed in snapshot.feed_tokens().values()]
        assert sorted(f"https://calendar.example.com/feeds/{token}.ics" for token in opened) == sorted(links)
        assert seal.unseal(store.push_key(lambda: b"")) == b"vapid"
        [waiting] = store.claim_letters(NOW, lease=timedelta(minutes=1))
        assert seal.unseal(waiting.message) == b"Dear Ann"
    with pytest.raises(Misconfigured):
        Seal(FORMER).unseal(waiting.message)


def test_a_second_rotation_finds_nothing_to_do(gateway: Shell) -> None:
    filled(gateway)
    gateway.json("secrets", "rotate", **BOTH)
    assert gateway.json("secrets", "rotate", **BOTH) == {"looked_at": 5, "sealed_anew": 0, "lost": 0}


def test_one_that_was_interrupted_goes_on_where_it_stopped(gateway: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "BATCH", 2)
    filled(gateway, feeds=5)
    with gateway.store() as store:
        step = next(store.reseal(Seal(KEY, [FORMER]).renewed))  # and then the process was gone
    assert step.renewed > 0
    told = gateway.json("secrets", "rotate", **BOTH)
    assert told == {"looked_at": 7, "sealed_anew": 7 - step.renewed, "lost": 0}


def test_what_no_key_opens_is_counted_and_left_alone(gateway: Shell) -> None:
    filled(gateway)
    told = gateway("secrets", "rotate", "--json", **NEW)
    assert told.json == {"looked_at": 5, "sealed_anew": 0, "lost": 5}
    told = gateway("secrets", "rotate", **NEW)
    assert "secrets.retired_keys" in told.err
    assert gateway.json("secrets", "rotate", **BOTH)["sealed_anew"] == 5
