"""Rights, guesses and the pin on Radicale's signatures."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta

import pytest
import radicale.app
import radicale.auth
import radicale.rights
import radicale.storage
from radicale import config

from plugins.guesses import Guesses
from plugins.rights import READ_ONLY, Rights


@pytest.mark.parametrize(
    ("path", "letters"),
    [
        ("/", "R"),
        ("/john-smith/", "RW"),
        ("/john-smith/appointments/", "rw"),
        ("/john-smith/appointments/a.ics", "rw"),
        ("/john-smith/home/", "rwD"),
        ("/john-smith/company/", "r"),
        ("/john-smith/group-front/", "r"),
        ("/emma-morris/", ""),
        ("/emma-morris/appointments/", ""),
        ("/john-smith-2/appointments/a.ics", ""),
    ],
)
def test_rights_are_what_may_be_done(path: str, letters: str) -> None:
    rights = Rights(config.load())
    assert rights.authorization("john-smith", set(), path) == letters
    assert rights.authorization("john-smith", {READ_ONLY}, path) == letters.replace("w", "").replace("W", "").replace("D", "")
    assert rights.authorization("", set(), path) == ""


def test_ten_wrong_guesses_a_minute_are_free() -> None:
    now = [datetime(2026, 11, 24, 8, tzinfo=UTC)]
    guesses = Guesses(lambda: now[0])
    for _ in range(10):
        guesses.wrong("John", "192.0.2.1")
    assert guesses.wait("john", "192.0.2.1") is None
    guesses.wrong("john", "192.0.2.1")
    assert guesses.wait("john", "192.0.2.1") == 61
    assert guesses.wait("john", "192.0.2.2") is None
    assert guesses.wait("emma", "192.0.2.1") is None
    now[0] += timedelta(seconds=61)
    assert guesses.wait("john", "192.0.2.1") is None


def test_guesses_do_not_fill_the_memory() -> None:
    guesses = Guesses(lambda: datetime(2026, 11, 24, 8, tzinfo=UTC), remembered=100)
    for number in range(1000):
        guesses.wrong(f"name-{number}", "192.0.2.1")
    assert len(guesses._wrong) == 100


def overridden() -> list[tuple[type, type, str]]:
    from plugins.application import Application
    from plugins.auth import Auth
    from plugins.shelf import Node, Shelf
    from plugins.storage import Storage

    pairs: list[tuple[type, type]] = [
        (Application, radicale.app.Application),
        (Auth, radicale.auth.BaseAuth),
        (Rights, radicale.rights.BaseRights),
        (Storage, radicale.storage.BaseStorage),
        (Node, radicale.storage.BaseCollection),
        (Shelf, radicale.storage.BaseCollection),
    ]
    return [
        (ours, theirs, name)
        for ours, theirs in pairs
        for name in vars(ours)
        if name in dir(theirs) and inspect.isfunction(vars(ours)[name])
    ]


def test_what_we_override_takes_what_radicale_gives() -> None:
    """Radicale changes these between minor versions without a word (house.md §5)."""
    found = overridden()
    assert len(found) > 40
    for ours, theirs, name in found:
        if name in ("__init__", "__module__"):
            continue
        mine, stock = (list(inspect.signature(getattr(of, name)).parameters.values()) for of in (ours, theirs))
        assert [(each.name, each.kind) for each in mine] == [(each.name, each.kind) for each in stock], f"{ours.__name__}.{name}"


def test_every_method_radicale_offers_is_ours() -> None:
    from plugins.application import Application

    offered = {name for name in dir(radicale.app.Application) if name.startswith("do_")}
    assert offered <= set(vars(Application))


def test_this_is_the_radicale_the_plugins_were_made_for() -> None:
    from importlib.metadata import version

    assert version("radicale").startswith("3.9.")
