"""Sealed values can be read with the key, with a former key, and with nothing else."""

from __future__ import annotations

import base64
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.errors import Misconfigured
from gateway.seal import Seal, key_from


def fresh_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def test_what_is_sealed_can_be_read_again_and_does_not_show() -> None:
    seal = Seal(fresh_key())
    sealed = seal.seal(b"feed-token")
    assert b"feed-token" not in sealed
    assert seal.unseal(sealed) == b"feed-token"
    assert seal.seal(b"feed-token") != sealed


def test_a_former_key_still_opens_what_it_sealed() -> None:
    former, key = fresh_key(), fresh_key()
    sealed = Seal(former).seal(b"secret")
    assert Seal(key, [former]).unseal(sealed) == b"secret"
    with pytest.raises(Misconfigured, match="retired_keys"):
        Seal(key).unseal(sealed)


def test_a_changed_octet_is_noticed() -> None:
    seal = Seal(fresh_key())
    sealed = bytearray(seal.seal(b"secret"))
    sealed[20] ^= 1
    with pytest.raises(Misconfigured):
        seal.unseal(bytes(sealed))


@pytest.mark.parametrize("key", ["", "short", "not base64 at all!", base64.b64encode(b"sixteen octets..").decode()])
def test_a_weak_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(Misconfigured, match="openssl rand") as caught:
        Seal(key)
    assert not key or key not in str(caught.value)


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "new" / "secret.key"
    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(lambda _: key_from(file), range(8)))
    assert keys == {key_from(file)}
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]
    assert Seal(key_from(file)).unseal(Seal(key_from(file)).seal(b"x")) == b"x"


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    key_from(file)
    file.chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        key_from(file)


def test_a_key_file_in_an_impossible_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="cannot be used"):
        key_from(tmp_path / "file" / "secret.key")
