"""Filters agree with brute force over what other libraries read and expand, on single texts and over the wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.store import Store
from tests.dav.asking import filtered, names_in
from tests.dav.house import Client, furnish, opened
from tests.dav.oracle import FILTERS, ZONES, Filter, objects


@settings(max_examples=200, deadline=None)
@given(objects(), FILTERS, st.sampled_from(ZONES))
def test_a_filter_finds_what_brute_force_finds(text: str, wanted: Filter, floating: str) -> None:
    assert filtered(wanted.xml, text, floating=floating) is wanted.finds(text, floating)


@pytest.fixture(scope="module")
def john(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('laws')}/gateway.db")
    store.migrate()
    furnish(store)
    try:
        with opened(store) as house:
            yield house.client()
    finally:
        store.close()


@settings(max_examples=10, deadline=None)
@given(texts=st.lists(objects(), min_size=3, max_size=8), wanted=st.lists(FILTERS, min_size=6, max_size=6))
def test_a_calendar_answers_what_brute_force_answers(john: Client, texts: list[str], wanted: list[Filter]) -> None:
    """With the index and without it: the zone of floating times is the owner's once, and another one once."""
    path = "/dav/john-smith/tried/"
    assert john.ask("MKCALENDAR", path).status == 201
    try:
        for number, text in enumerate(texts):
            assert john.put(f"{path}{number}.ics", text.replace("one@example.com", f"{number}@example.com")).status == 201
        for each in wanted:
            for floating, more in (("Europe/Paris", ""), ("America/New_York", "<C:timezone-id>America/New_York</C:timezone-id>")):
                found = names_in(john.query(each.xml, path, more=more))
                assert found == [f"{number}.ics" for number, text in enumerate(texts) if each.finds(text, floating)]
    finally:
        assert john.ask("DELETE", path).status == 204
