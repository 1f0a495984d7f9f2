"""What is known of calendars elsewhere is read back as it was written, is known once, and is gone when it is removed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import Conflict, Missing
from gateway.links import (
    Access,
    Account,
    AccountId,
    Condition,
    Cursor,
    Direction,
    Link,
    LinkId,
    Owned,
    Provider,
    Standing,
    Todo,
)
from gateway.model import EntryId, Level, OnDelete, Revision, Span
from tests.store.elsewhere import OWNED, SEALED, account_of, connect, happening, item_of, link_of, writing
from tests.store.house import DAY, DEMO, EMMA, HOUR, JOHN, NOW, TAYLOR, Place

LAW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9998, 12, 31)).map(lambda naive: naive.replace(tzinfo=UTC))
SPANS = st.builds(lambda start, length: Span(start, start + length), INSTANTS, st.timedeltas(timedelta(0), timedelta(300)))
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=20)  # half characters and the one with number 0 too
OWNEDS = st.builds(
    Owned,
    span=SPANS,
    zone=WORDS,
    title=ANYTHING,
    text=ANYTHING,
    place=ANYTHING,
    tentative=st.booleans(),
    rule=WORDS,
    all_day=st.booleans(),
)
CURSORS = st.builds(Cursor, value=WORDS, fingerprint=WORDS, window=SPANS, obtained=INSTANTS)


def accounts_and_links() -> tuple[Account, Link]:
    account = account_of()
    return account, link_of(account)


class TestAccounts:
    def test_an_account_is_found_by_its_id_its_owner_and_its_subject(self, place: Place) -> None:
        johns, emmas = account_of(), account_of(EMMA.id, "two", created=NOW + HOUR)
        with writing(place) as tx:
            tx.add_account(emmas, SEALED)
            tx.add_account(johns, SEALED)
        with place.store.read(DEMO) as snapshot:
            assert snapshot.account(johns.id) == johns
            assert list(snapshot.accounts()) == [johns, emmas]
            assert list(snapshot.accounts(EMMA.id)) == [emmas]
            assert snapshot.account_of(EMMA.id, emmas.provider, emmas.subject) == emmas
            assert snapshot.account_of(EMMA.id, Provider.OUTLOOK, emmas.subject) is None
            assert snapshot.account_of(EMMA.id, emmas.provider, johns.subject) is None
            with pytest.raises(Missing):
                snapshot.account(AccountId("none"))

    def test_a_person_has_the_same_account_once(self, place: Place) -> None:
        account = account_of()
        with writing(place) as tx:
            tx.add_account(account, SEALED)
        for twin in (replace(account, login="new@example.com"), replace(account, id=AccountId("another"))):
            with pytest.raises(Conflict), writing(place) as tx:
                tx.add_account(twin, b"other")
        with writing(place) as tx:
            tx.add_account(replace(account, id=AccountId("hers"), staff=EMMA.id), SEALED)
            assert len(tx.accounts()) == 2

    def test_nobody_of_another_company_has_an_account_here(self, place: Place) -> None:
        with pytest.raises(Conflict), writing(place) as tx:
            tx.add_account(account_of(TAYLOR.id), SEALED)

    def test_whose_an_account_is_never_changes(self, place: Place) -> None:
        account = account_of()
        with writing(place) as tx:
            tx.add_account(account, SEALED)
            tx.save_account(replace(account, staff=EMMA.id, provider=Provider.OUTLOOK, subject="x", created=NOW + DAY, login="y"))
            assert tx.account(account.id) == replace(account, login="y")
            with pytest.raises(Missing):
                tx.save_account(account_of(name="none"))

    @LAW
    @given(
        login=WORDS,
        scopes=st.lists(st.from_regex(r"[!-~]+", fullmatch=True)).map(tuple),
        access=st.sampled_from(Access),
        trouble=WORDS,
        instants=st.tuples(st.none() | INSTANTS, st.none() | INSTANTS),
    )
    def test_an_account_is_read_as_it_was_written(
        self, place: Place, login: str, scopes: tuple[str, ...], access: Access, trouble: str, instants: tuple[datetime | None, ...]
    ) -> None:
        account = account_of()
        since, probed = instants
        changed = replace(account, login=login, scopes=scopes, access=access, trouble=trouble, since=since, probed=probed)
        with writing(place) as tx:
            for former in tx.accounts():
                tx.remove_account(former.id)
            tx.add_account(changed, SEALED)
            assert tx.account(account.id) == changed
            tx.save_account(account)
            assert tx.account(account.id) == account
            tx.save_account(changed)
            assert tx.account(account.id) == changed


class TestCredentials:
    def test_a_credential_is_handed_out_as_it_was_sealed(self, place: Place) -> None:
        link = connect(place)
        with place.store.read(DEMO) as snapshot:
            assert snapshot.credential(link.account) == (SEALED, 1)
            with pytest.raises(Missing):
                snapshot.credential(AccountId("none"))

    def test_whoever_has_read_an_older_one_does_not_replace_it(self, place: Place) -> None:
        link = connect(place)
        with writing(place) as tx:
            assert tx.keep_credential(link.account, b"second", 1) == 2
        with pytest.raises(Conflict), writing(place) as tx:
            tx.keep_credential(link.account, b"late", 1)
        with writing(place) as tx:
            assert tx.keep_credential(link.account, b"third", 2) == 3
            assert tx.credential(link.account) == (b"third", 3)

    def test_of_two_who_renew_at_once_one_is_told(self, place: Place) -> None:
        """Both have read the same version; a provider that rotates has given both a new credential."""
        link = connect(place)

        def renew(mine: bytes) -> bytes | None:
            try:
                with writing(place) as tx:
                    tx.keep_credential(link.account, mine, 1)
                    return mine
            except Conflict:
                return None

        with ThreadPoolExecutor(2) as pool:
            kept = [each for each in pool.map(renew, (b"a", b"b")) if each is not None]
        with place.store.read(DEMO) as snapshot:
            assert [snapshot.credential(link.account)] == [(kept[0], 2)]
            assert len(kept) == 1

    def test_what_is_told_of_an_account_leaves_its_credential_alone(self, place: Place) -> None:
        link = connect(place)
        with writing(place) as tx:
            tx.save_account(replace(tx.account(link.account), access=Access.NEEDS_REAUTH))
            assert tx.credential(link.account) == (SEALED, 1)


class TestLinks:
    def test_links_are_found_by_id_by_person_and_by_account(self, place: Place) -> None:
        johns, emmas = connect(place), connect(place, EMMA.id, "two", created=NOW + HOUR)
        with writing(place) as tx:
            second = link_of(tx.account(johns.account), "second", created=NOW + 2 * HOUR, standing=Standing.ENDED)
            tx.add_link(second)
        with place.store.read(DEMO) as snapshot:
            assert snapshot.link(emmas.id) == emmas
            assert list(snapshot.links()) == [johns, emmas, second]
            assert list(snapshot.links(staff=JOHN.id)) == list(snapshot.links(account=johns.account)) == [johns, second]
            assert list(snapshot.links(staff=EMMA.id, account=johns.account)) == []
            with pytest.raises(Missing):
                snapshot.link(LinkId("none"))

    def test_a_link_belongs_to_whom_its_account_belongs(self, place: Place) -> None:
        link = connect(place)
        with writing(place) as tx:
            with pytest.raises(Conflict):
                tx.add_link(replace(link, id=LinkId("hers"), staff=EMMA.id))
            with pytest.raises(Missing):
                tx.add_link(replace(link, id=LinkId("lost"), account=AccountId("none")))
            with pytest.raises(Missing):
                tx.save_link(replace(link, id=LinkId("none")))

    @LAW
    @given(
        facts=st.fixed_dictionaries(
            {
                "calendar": WORDS,
                "title": WORDS,
                "own": st.booleans(),
                "direction": st.sampled_from(Direction),
                "level": st.sampled_from(Level),
                "on_delete": st.none() | st.sampled_from(OnDelete),
                "standing": st.sampled_from(Standing),
                "trouble": WORDS,
                "since": st.none() | INSTANTS,
                "seen": st.integers(0, 2**62).map(Revision),
                "cursor": st.none() | CURSORS,
                "due": INSTANTS,
                "pulled": st.none() | INSTANTS,
                "listed": st.none() | INSTANTS,
                "failures": st.integers(0, 10**6),
                "allowed": st.none() | INSTANTS,
            }
        )
    )
    def test_a_link_is_read_as_it_was_written(self, place: Place, facts: dict[str, Any]) -> None:
        account, link = accounts_and_links()
        changed = replace(link, **facts)
        with writing(place) as tx:
            for former in tx.accounts():
                tx.remove_account(former.id)
            tx.add_account(account, SEALED)
            tx.add_link(changed)
            assert tx.link(link.id) == changed
            tx.save_link(link)
            assert tx.link(link.id) == link
            tx.save_link(changed)
            assert tx.link(link.id) == changed

    def test_what_a_provider_says_never_stops_its_being_written_down(self, place: Place) -> None:
        """Signs that PostgreSQL does not keep, such as half a character, are told as unreadable."""
        link = connect(place)
        with writing(place) as tx:
            tx.save_link(replace(link, trouble="no\x00 such \ud800 thing"))
            tx.note(link.id, happening("\udfff"))
            assert tx.link(link.id).trouble == "no\N{REPLACEMENT CHARACTER} such \N{REPLACEMENT CHARACTER} thing"
            assert [line.sentence for line in tx.history(link.id)] == ["\N{REPLACEMENT CHARACTER}"]


class TestItems:
    @LAW
    @given(
        at=st.none() | INSTANTS,
        facts=st.fixed_dictionaries(
            {
                "remote": WORDS,
                "etag": WORDS,
                "base": st.none() | OWNEDS,
                "apart": st.booleans(),
                "todo": st.none() | st.sampled_from(Todo),
                "draft": st.none() | OWNEDS,
                "attempts": st.integers(0, 10**6),
                "due": st.none() | INSTANTS,
                "condition": st.sampled_from(Condition),
                "trouble": WORDS,
            }
        ),
    )
    def test_an_item_is_read_as_it_was_written(self, place: Place, at: datetime | None, facts: dict[str, Any]) -> None:
        account, link = accounts_and_links()
        plain = item_of(link, at=at)
        full = replace(plain, **facts)
        with writing(place) as tx:
            for former in tx.accounts():
                tx.remove_account(former.id)
            tx.add_account(account, SEALED)
            tx.add_link(link)
            tx.save_item(full, NOW)
            assert list(tx.items(link.id)) == [full]
            tx.save_item(plain, NOW)
            assert list(tx.items(link.id)) == [plain]
            tx.save_item(full, NOW)
            assert list(tx.items_of(link.id, [full.key.entry])) == [full]
            assert tx.items_by_remote(link.id, [full.remote]) == {full.remote: full}
            assert list(tx.intents(link.id)) == ([full] if full.todo else [])
            tx.drop_item(link.id, full.key)
            assert list(tx.items(link.id)) == []

    def test_every_occurrence_and_every_generation_is_an_item_of_its_own(self, place: Place) -> None:
        link = connect(place)
        several = [
            item_of(link, "a", None, 0),
            item_of(link, "a", None, 1),
            item_of(link, "a", NOW, 0),
            item_of(link, "a", NOW + DAY, 0),
            item_of(link, "b", None, 0),
        ]
        with writing(place) as tx:
            for item in reversed(several):
                tx.save_item(item, NOW)
            assert list(tx.items(link.id)) == several
            assert list(tx.items_of(link.id, [EntryId("b"), EntryId("c")])) == several[4:]
            tx.drop_item(link.id, several[2].key)
            assert list(tx.items_of(link.id, [EntryId("a")])) == [several[0], several[1], several[3]]

    def test_an_id_over_there_stands_for_the_newest_generation(self, place: Place) -> None:
        link = connect(place)
        former, newest = item_of(link, remote="far", generation=1), item_of(link, remote="far", generation=2)
        with writing(place) as tx:
            for item in (newest, former, item_of(link, "other")):
                tx.save_item(item, NOW)
            assert tx.items_by_remote(link.id, ["far", "", "unknown"])["far"] == newest

    def test_items_of_other_links_are_not_asked(self, place: Place) -> None:
        mine, other = connect(place), connect(place, EMMA.id, "two")
        with writing(place) as tx:
            tx.save_item(item_of(mine, remote="far", todo=Todo.CREATE, draft=OWNED), NOW)
            assert list(tx.items(other.id)) == list(tx.intents(other.id)) == list(tx.items_of(other.id, [EntryId("entry")])) == []
            assert tx.items_by_remote(other.id, ["far"]) == {}

    def test_any_number_of_entries_and_ids_may_be_asked_for(self, place: Place) -> None:
        link = connect(place)
        several = [item_of(link, f"{number:04}", remote=f"far{number:04}") for number in range(1203)]
        with writing(place) as tx:
            for item in several:
                tx.save_item(item, NOW)
            assert list(tx.items_of(link.id, [item.key.entry for item in several])) == several
            assert tx.items_by_remote(link.id, [item.remote for item in several]) == {item.remote: item for item in several}
            assert list(tx.items_of(link.id, [])) == []

    def test_an_item_outlives_the_entry_it_shows(self, place: Place) -> None:
        """What was erased here has still to be taken away there."""
        link, entry = connect(place), place.note()
        with writing(place) as tx:
            tx.save_item(item_of(link, entry.id, remote="far", base=OWNED), NOW)
        place.remove(entry)
        with place.store.read(DEMO) as snapshot:
            assert snapshot.items_by_remote(link.id, ["far"])["far"].key.entry == entry.id
