"""What holds for every command: settings, JSON, and errors in one sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.errors import Unavailable
from tests.cli.house import Shell

LISTS = [("company", "list"), ("staff", "list"), ("group", "list"), ("service", "list"), ("customer", "list")]
LISTS += [("appointment", "list"), ("api-key", "list"), ("feed", "list"), ("app-password", "list", "john-smith")]
PROMISED = """demo serve worker migrate check explain version
company: add list show
staff: add list show
group: add list show
service: add list show
customer: add list show
appointment: add list show
app-password: add list revoke
api-key: add list revoke
feed: add list revoke"""


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_every_list_is_for_programs_and_for_people(gateway: Shell, words: tuple[str, ...]) -> None:
    assert isinstance(gateway.json(*words), list)
    assert gateway(*words).code == 0


@pytest.mark.parametrize("line", PROMISED.splitlines())
def test_every_command_of_the_contract_is_there(shell: Shell, line: str) -> None:
    group, colon, names = line.rpartition(":")
    told = shell(*([group] if colon else []), "--help")
    for name in names.split():
        assert re.search(rf"^  {name} ", told.out, re.MULTILINE), name


def test_an_unprepared_database_is_told_with_the_next_step(shell: Shell) -> None:
    for words in (("staff", "list"), ("serve",), ("worker",)):
        told = shell(*words)
        assert told.code == 1
        assert "gateway migrate" in told.err
        assert "Traceback" not in told.err


def test_a_company_has_to_be_founded_first(shell: Shell) -> None:
    shell.json("migrate")
    assert "gateway company add" in shell("staff", "list").err


def test_migrating_twice_changes_nothing(gateway: Shell) -> None:
    before = gateway.json("staff", "list")
    gateway.json("migrate")
    assert gateway.json("staff", "list") == before


def test_after_a_restore_the_epoch_can_be_renewed(gateway: Shell) -> None:
    with gateway.store() as store:
        before = store.epoch
    gateway.json("migrate", "--renew-epoch")
    with gateway.store() as store:
        assert store.epoch != before


def test_wrong_settings_are_all_told_at_once(shell: Shell) -> None:
    told = shell("staff", "list", GATEWAY_SERVER__PORT="high", GATEWAY_NONSENSE="1", GATEWAY_MAIL__SMTP_URL="carrier pigeon")
    assert told.code == 1
    for name in ("GATEWAY_SERVER__PORT", "GATEWAY_NONSENSE", "GATEWAY_MAIL__SMTP_URL"):
        assert name in told.err
    assert "Traceback" not in told.err


def test_the_settings_file_is_the_one_that_is_named(gateway: Shell, tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("[feeds]\npast_days = 3\nfuture_days = 4\n")
    made = gateway.json("feed", "add", "--config", str(file), GATEWAY_FEEDS__FUTURE_DAYS="5")
    assert (made["past_days"], made["future_days"]) == (3, 5), "the environment overrules the file"
    missing = gateway("staff", "list", "--config", str(tmp_path / "missing.toml"))
    assert missing.code == 1
    assert "missing.toml" in missing.err


def test_the_key_lies_beside_the_embedded_database_and_is_nobody_elses(gateway: Shell) -> None:
    (gateway.folder / "secret.key").unlink()
    gateway.json("staff", "list", GATEWAY_SECRETS__KEY_FILE="")
    key = gateway.folder / "secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    told = gateway("staff", "list")
    assert told.code == 1
    assert "chmod 600" in told.err


def test_on_postgresql_the_key_has_to_be_given(shell: Shell) -> None:
    told = shell("staff", "list", GATEWAY_DATABASE__URL="postgresql+psycopg://127.0.0.1:1/nothing", GATEWAY_SECRETS__KEY_FILE="")
    assert told.code == 1
    assert "secrets.key" in told.err


def test_with_debug_an_error_shows_where_it_comes_from(shell: Shell) -> None:
    assert isinstance(shell("staff", "list").error, SystemExit)
    assert isinstance(shell("staff", "list", "--debug").error, Unavailable)


def test_an_answer_for_programs_is_one_json_document(gateway: Shell) -> None:
    told = gateway("staff", "list", "--json")
    assert told.err == ""
    assert [person["name"] for person in json.loads(told.out)] == ["Emma Morris", "John Smith"]
