"""What a company has switched on: shown, changed one by one, and written down."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.cli.house import Shell


def test_a_new_company_mirrors_to_nobody(gateway: Shell) -> None:
    told = gateway.json("settings", "show")
    assert told == {
        "bidirectional": True,
        "google": False,
        "outlook": False,
        "office365": False,
        "on_delete": "ask",
        "on_conflict": "refuse",
        "refusal": "restore",
        "self_service": True,
        "notice_minutes": 0,
        "resize": False,
        "hold_seconds": 120,
    }


def test_what_is_not_named_stays(gateway: Shell) -> None:
    before = gateway.json("settings", "show")
    after = gateway.json("settings", "set", "--google", "--hold-seconds", "30")
    assert after == {**before, "google": True, "hold_seconds": 30}
    assert gateway.json("settings", "set", "--no-google", "--on-delete", "cancel") == {**after, "google": False, "on_delete": "cancel"}
    assert gateway.json("settings", "show") == {**after, "google": False, "on_delete": "cancel"}


def test_a_change_is_written_down_with_its_author_and_no_change_is_not(gateway: Shell) -> None:
    gateway.json("settings", "set", "--office365")
    gateway.json("settings", "set", "--office365")
    with gateway.store() as store:
        [company] = store.companies()
        with store.read(company.id) as snapshot:
            [deed] = snapshot.deeds(before=datetime(2100, 1, 1, tzinfo=UTC), limit=10, what="settings")
    assert (deed.door, deed.before["office365"], deed.after["office365"]) == ("cli", False, True)
