"""External calendars from the command line: given, tried, shown and ended (product.md S32)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bridge.feed.site import Site, serving
from tests.cli.house import Shell

NEAR = {"GATEWAY_EXTERNAL_ICS__ALLOW_PRIVATE_ADDRESSES": "true"}
COMMAND = ("staff", "external-ics", "john-smith")


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


def test_s32_an_address_is_given_shown_and_ended(gateway: Shell, site: Site) -> None:
    assert gateway.json(*COMMAND) == {"external_ics": None}
    given = gateway.json(*COMMAND, site.url)
    assert (given["fetched"], given["failing_since"], given["trouble"]) == (None, None, "")
    assert "canary" not in str(gateway.json(*COMMAND))
    assert gateway.json(*COMMAND, "--remove") == {"external_ics": None}
    assert gateway.json(*COMMAND) == {"external_ics": None}


def test_s32_trying_one_says_what_would_block_and_changes_nothing(gateway: Shell, site: Site) -> None:
    tried = gateway.json(*COMMAND, site.url, "--test", **NEAR)
    assert (tried["reachable"], tried["events"], tried["time_zone"]) == (True, 1, "Europe/Paris")
    assert gateway.json(*COMMAND) == {"external_ics": None}


def test_s32_without_an_address_the_kept_one_is_tried(gateway: Shell, site: Site) -> None:
    gateway.json(*COMMAND, site.url)
    assert gateway.json(*COMMAND, "--test", **NEAR)["reachable"] is True
    gateway.json(*COMMAND, "--remove")
    assert "give the address" in gateway.json(*COMMAND, "--test", **NEAR)["trouble"]


def test_w11_what_counts_as_busy_can_be_said(gateway: Shell) -> None:
    gateway.json(*COMMAND, "https://example.com/a.ics", "--tentative", "free")
    shown = gateway.json(*COMMAND, "--working-elsewhere", "busy")
    assert (shown["tentative_is_busy"], shown["working_elsewhere_is_busy"]) == (False, True)
    shown = gateway.json(*COMMAND, "--tentative", "usual")
    assert (shown["tentative_is_busy"], shown["working_elsewhere_is_busy"]) == (None, True)
    gateway.json(*COMMAND, "--remove")
    assert gateway(*COMMAND, "--tentative", "busy").code == 1


def test_our_own_network_is_left_alone_unless_it_is_allowed(gateway: Shell, site: Site) -> None:
    tried = gateway.json(*COMMAND, site.url, "--test")
    assert tried["reachable"] is False
    assert tried["trouble"]
    assert site.asked == []


def test_b8_an_address_that_is_none_is_one_sentence(gateway: Shell) -> None:
    ran = gateway(*COMMAND, "example.com")
    assert (ran.code, ran.out) == (1, "")
    assert "https://" in ran.err
