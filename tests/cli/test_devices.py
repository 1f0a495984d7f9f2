"""Setting up a telephone from the command line: a profile in a file, a link and its code in the terminal, and no password in either."""

from __future__ import annotations

import json
import plistlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cli.house import Shell


def test_a_profile_is_written_to_a_file(gateway: Shell, tmp_path: Path) -> None:
    out = tmp_path / "john.mobileconfig"
    told = gateway.json("device", "profile", "john.smith@example.com", "--out", str(out))
    assert (told["file"], told["signed"], told["user_name"]) == (str(out), False, "john-smith")
    assert told["content_type"] == "application/x-apple-aspen-config"
    [calendars] = plistlib.loads(out.read_bytes())["PayloadContent"]
    assert (calendars["CalDAVHostName"], calendars["CalDAVUsername"]) == ("calendar.example.com", "john-smith")
    assert calendars["CalDAVAccountDescription"] == "Example Ltd"


def test_a_feed_can_come_along_when_it_is_a_link(gateway: Shell, tmp_path: Path) -> None:
    out = tmp_path / "john.mobileconfig"
    gateway.json("device", "profile", "john-smith", "--out", str(out), "--feed", "https://calendar.example.com/feeds/x.ics")
    assert len(plistlib.loads(out.read_bytes())["PayloadContent"]) == 2
    refused = gateway("device", "profile", "john-smith", "--out", str(out), "--feed", "x.ics")
    assert refused.code == 2
    assert "https://" in refused.err


def test_a_profile_that_cannot_be_written_is_a_sentence(gateway: Shell, tmp_path: Path) -> None:
    refused = gateway("device", "profile", "john-smith", "--out", str(tmp_path / "nowhere" / "x.mobileconfig"))
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "cannot be written" in refused.err


def test_a_profile_is_signed_when_there_is_a_certificate(gateway: Shell, tmp_path: Path) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "calendar.example.com")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    (tmp_path / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    settings = {
        "GATEWAY_SECRETS__PROFILE_CERTIFICATE": str(tmp_path / "certificate.pem"),
        "GATEWAY_SECRETS__PROFILE_KEY": str(tmp_path / "key.pem"),
    }
    out = tmp_path / "john.mobileconfig"
    assert gateway.json("device", "profile", "john-smith", "--out", str(out), **settings)["signed"]
    assert out.read_bytes()[0] == 0x30
    assert b"com.apple.caldav.account" in out.read_bytes()
    check = {finding["what"]: finding for finding in json.loads(gateway("check", "--json", **settings).out)}
    assert (check["certificate"]["health"], "until" in check["certificate"]["sentence"]) == ("warning", True)  # for one day only
    (tmp_path / "key.pem").write_bytes(b"")
    check = {finding["what"]: finding for finding in json.loads(gateway("check", "--json", **settings).out)}
    assert check["certificate"]["health"] == "broken"
    half = gateway("device", "profile", "john-smith", "--out", str(out), GATEWAY_SECRETS__PROFILE_KEY="key.pem")
    assert half.code == 1
    assert "go together" in half.err


def test_the_doctor_looks_for_the_keys_of_the_issuer(gateway: Shell, tmp_path: Path) -> None:
    settings = {
        "GATEWAY_OIDC__ISSUER": "https://login.example.com/",
        "GATEWAY_OIDC__AUDIENCE": "https://calendar.example.com",
        "GATEWAY_OIDC__JWKS_FILE": str(tmp_path / "jwks.json"),
    }
    check = {finding["what"]: finding for finding in json.loads(gateway("check", "--json", **settings).out)}
    assert (check["tokens"]["health"], check["tokens"]["next_step"] is not None) == ("broken", True)
    half = gateway("check", "--json", GATEWAY_OIDC__ISSUER="https://login.example.com/")
    assert "go together" in half.out


def test_the_link_for_davx5_is_shown_with_its_code(gateway: Shell) -> None:
    told = gateway.json("device", "link", "john-smith")
    assert told["davx5_url"] == "caldavs://john-smith@calendar.example.com/dav/"
    shown = gateway("device", "link", "john-smith")
    assert told["davx5_url"] in shown.out
    assert "▀" in shown.out
    assert "app-password" in shown.err
