"""The settings: config/gateway.toml tells the whole truth, and mistakes stop the start, all of them in one message."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Misconfigured
from gateway.settings import Settings, load

FILE = Path(__file__).parents[2] / "config" / "gateway.toml"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration file in the working folder, and nothing in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    return file


def documented() -> dict[str, Any]:
    return flat(tomllib.loads(FILE.read_text()))


def flat(sections: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {f"{section}.{key}": value for section, keys in sections.items() for key, value in keys.items()}


def defaults() -> dict[str, Any]:
    return flat(load().model_dump(mode="json", by_alias=True))


def test_every_setting_is_in_the_file_and_the_file_has_no_other() -> None:
    assert set(documented()) == set(defaults())


def test_the_file_shows_the_defaults() -> None:
    assert documented() == defaults()


def test_every_setting_has_a_reason_above_it() -> None:
    explained = False
    for line in FILE.read_text().splitlines():
        if re.match(r"\[\w+\]$|$", line):
            explained = False
        elif line.startswith("#"):
            explained = True
        else:
            assert explained, f"nothing explains {line!r}"


def test_the_file_can_be_loaded() -> None:
    assert load(FILE) == load()


def test_the_environment_overrules_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, '[server]\nport = 1111\nhost = "127.0.0.2"\n')
    monkeypatch.setenv("GATEWAY_SERVER__PORT", "2222")
    settings = load(file)
    assert (settings.server.host, settings.server.port) == ("127.0.0.2", 2222)


def test_the_file_can_be_named_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_CONFIG", str(written(tmp_path, "[server]\nport = 1111\n")))
    assert load().server.port == 1111


def test_a_list_in_the_environment_is_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SERVER__TRUSTED_PROXIES", "127.0.0.1, ::1")
    assert load().server.trusted_proxies == ("127.0.0.1", "::1")


def test_a_name_that_is_a_keyword_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_MAIL__FROM", "Example Ltd <calendar@example.com>")
    assert load().mail.sender == "Example Ltd <calendar@example.com>"


def test_every_mistake_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, '[server]\nport = 70000\nhots = "x"\n[mail]\nsmtp_url = "mail.example.com"\n[lunch]\ntime = 12\n')
    monkeypatch.setenv("GATEWAY_SERVER__THREADS", "many")
    monkeypatch.setenv("GATEWAY_SEVER__PORT", "1")
    monkeypatch.setenv("GATEWAY_PORT", "1")
    with pytest.raises(Misconfigured) as caught:
        load(file)
    message = str(caught.value)
    names = ["server.port", "server.hots", "mail.smtp_url", "lunch", "server.threads", "GATEWAY_SEVER__PORT", "GATEWAY_PORT"]
    assert [name for name in names if name not in message] == []
    assert len(message.splitlines()) == 1 + len(names)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE__URL", "mysql://localhost/x"),
        ("SERVER__PUBLIC_URL", "calendar.example.com"),
        ("SERVER__PORT", "-1"),
        ("MAIL__SMTP_URL", "http://mail.example.com"),
        ("MAIL__FROM", "nobody"),
        ("LOG__LEVEL", "loud"),
        ("POLICY__ON_DELETE", "perhaps"),
        ("LIMITS__REQUEST_OCTETS", "0"),
    ],
)
def test_a_bad_value_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"GATEWAY_{name}", value)
    with pytest.raises(Misconfigured, match=f"GATEWAY_{name}"):
        load()


@pytest.mark.parametrize(
    "name", ["SECRETS__PROFILE_CERTIFICATE", "SECRETS__PROFILE_KEY", "OIDC__ISSUER", "OIDC__AUDIENCE", "OIDC__JWKS_FILE"]
)
def test_settings_that_mean_nothing_alone_go_together(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"GATEWAY_{name}", "something")
    with pytest.raises(Misconfigured, match="go together"):
        load()


def test_a_secret_is_neither_in_a_complaint_nor_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_MAIL__SMTP_URL", "imap://me:canary-password@mail.example.com")
    with pytest.raises(Misconfigured) as caught:
        load()
    assert "canary" not in str(caught.value)
    monkeypatch.setenv("GATEWAY_MAIL__SMTP_URL", "smtp://me:canary-password@mail.example.com")
    monkeypatch.setenv("GATEWAY_SECRETS__KEY", "canary-key")
    settings = load()
    assert "canary" not in repr(settings)
    assert set(settings.secrets_in_use()) == {"canary-password", "canary-key"}


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(written(tmp_path, "server: port: 8080\n"))


def test_a_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(tmp_path / "missing.toml")


def test_the_public_address_is_never_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().public_url == "http://127.0.0.1:8080"
    monkeypatch.setenv("GATEWAY_SERVER__PUBLIC_URL", "https://calendar.example.com/")
    assert load().public_url == "https://calendar.example.com"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().server.port = 1  # type: ignore[misc]
