"""Rights and the pin on Radicale's signatures."""

from __future__ import annotations

import inspect

import pytest
import radicale.app
import radicale.auth
import radicale.rights
import radicale.storage
from radicale import config

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


@pytest.mark.parametrize(
    ("path", "letters"),
    [
        ("/", "R"),
        ("/john-smith/", "R"),
        ("/john-smith/appointments/", ""),
        ("/john-smith/appointments/a.ics", ""),
        ("/john-smith/home/", "rw"),
        ("/john-smith/home/a.ics", "rw"),
        ("/john-smith/homework/", ""),
        ("/john-smith/company/", ""),
        ("/emma-morris/home/", ""),
    ],
)
def test_a_password_for_one_calendar_has_rights_there_only(path: str, letters: str) -> None:
    rights = Rights(config.load())
    assert rights.authorization("john-smith", {"only:home"}, path) == letters
    assert rights.authorization("john-smith", {"only:home", READ_ONLY}, path) == letters.replace("w", "")


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
