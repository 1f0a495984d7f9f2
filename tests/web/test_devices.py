"""Profiles, links and codes that set up a telephone: what Apple and DAVx⁵ ask of them, and names that mean harm."""

from __future__ import annotations

import base64
import plistlib
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Misconfigured
from gateway.signing import Signer
from gateway.web import devices
from gateway.web.devices import PROFILE_TYPE, Account, account_link, code_as_svg, code_as_text, profile
from tests.web.house import Door

ACCOUNT = Account(public_url="https://calendar.example.com", handle="john-smith", name="John Smith", company="Demo Company")
FEED = "https://calendar.example.com/feeds/a-token.ics"
HOSTILE = [
    "</string><key>PayloadRemovalDisallowed</key><true/>",
    "A & B <b>\"'",
    "]]>",
    "\x00\x01\x1b[31m",
    "Zoë 🗓 \u202eevil",
    "\ud800",
    "\ufffe\uffff",
    "",
    " \n\t ",
    "x" * 10_000,
]


class TestProfile:
    def test_it_has_what_apple_asks_of_a_profile(self) -> None:
        whole = plistlib.loads(profile(ACCOUNT))
        assert set(whole) == {
            "PayloadContent",
            "PayloadDescription",
            "PayloadDisplayName",
            "PayloadIdentifier",
            "PayloadOrganization",
            "PayloadRemovalDisallowed",
            "PayloadType",
            "PayloadUUID",
            "PayloadVersion",
        }
        assert (whole["PayloadType"], whole["PayloadVersion"]) == ("Configuration", 1)
        assert whole["PayloadIdentifier"] == "com.example.calendar.john-smith"
        assert (whole["PayloadDisplayName"], whole["PayloadOrganization"]) == ("Demo Company", "Demo Company")
        assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", whole["PayloadUUID"])

    def test_it_sets_up_the_calendars_and_nothing_else(self) -> None:
        [calendars] = plistlib.loads(profile(ACCOUNT))["PayloadContent"]
        identifier = calendars.pop("PayloadUUID")
        assert calendars == {
            "PayloadType": "com.apple.caldav.account",
            "PayloadVersion": 1,
            "PayloadIdentifier": "com.example.calendar.john-smith.caldav",
            "PayloadDisplayName": "Demo Company",
            "CalDAVAccountDescription": "Demo Company",
            "CalDAVHostName": "calendar.example.com",
            "CalDAVPort": 443,
            "CalDAVUseSSL": True,
            "CalDAVUsername": "john-smith",
            "CalDAVPrincipalURL": "https://calendar.example.com/dav/john-smith/",
        }
        assert type(calendars["CalDAVPort"]) is int
        assert identifier != plistlib.loads(profile(ACCOUNT))["PayloadUUID"]

    def test_no_password_is_in_it(self) -> None:
        assert b"Password" not in profile(ACCOUNT, feed_url=FEED)

    def test_a_subscription_can_come_along(self) -> None:
        _, feed = plistlib.loads(profile(ACCOUNT, feed_url=FEED))["PayloadContent"]
        assert feed["PayloadType"] == "com.apple.subscribedcalendar.account"
        assert (feed["SubCalAccountHostName"], feed["SubCalAccountUseSSL"]) == (FEED, True)
        assert feed["SubCalAccountDescription"] == "Demo Company"

    def test_the_same_account_gives_the_same_octets_and_another_one_other_names(self) -> None:
        assert profile(ACCOUNT) == profile(replace(ACCOUNT))

        def names(account: Account) -> set[str]:
            whole = plistlib.loads(profile(account, feed_url=FEED))
            return {each[key] for each in (whole, *whole["PayloadContent"]) for key in ("PayloadUUID", "PayloadIdentifier")}

        assert len(names(ACCOUNT)) == 6
        assert not names(ACCOUNT) & names(replace(ACCOUNT, handle="emma-morris"))
        assert names(ACCOUNT) == names(replace(ACCOUNT, name="John A. Smith", company="Demo Ltd"))

    @pytest.mark.parametrize(
        ("url", "host", "port", "secure"),
        [
            ("https://calendar.example.com:8443", "calendar.example.com", 8443, True),
            ("http://127.0.0.1:8080", "127.0.0.1", 8080, False),
            ("http://calendar.example.com", "calendar.example.com", 80, False),
            ("https://[2001:db8::1]", "2001:db8::1", 443, True),
        ],
    )
    def test_host_and_port_are_those_of_the_public_address(self, url: str, host: str, port: int, secure: bool) -> None:
        [calendars] = plistlib.loads(profile(replace(ACCOUNT, public_url=url)))["PayloadContent"]
        assert (calendars["CalDAVHostName"], calendars["CalDAVPort"], calendars["CalDAVUseSSL"]) == (host, port, secure)
        assert calendars["CalDAVPrincipalURL"] == f"{url}/dav/john-smith/"

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_hostile_name_is_only_a_name(self, name: str) -> None:
        whole = plistlib.loads(profile(replace(ACCOUNT, name=name, company=name), feed_url=FEED))
        assert whole["PayloadRemovalDisallowed"] is False
        assert set(whole) == set(plistlib.loads(profile(ACCOUNT)))
        assert 0 < len(whole["PayloadDisplayName"]) <= 100
        assert whole["PayloadDisplayName"].isprintable()

    @given(st.text(), st.text())
    def test_any_name_gives_a_profile_that_can_be_read(self, name: str, company: str) -> None:
        whole = plistlib.loads(profile(replace(ACCOUNT, name=name, company=company)))
        assert whole["PayloadContent"][0]["CalDAVUsername"] == "john-smith"
        ElementTree.fromstring(profile(replace(ACCOUNT, name=name, company=company)))


class TestLinks:
    @pytest.mark.parametrize(
        ("url", "link"),
        [
            ("https://calendar.example.com", "caldavs://john-smith@calendar.example.com/dav/"),
            ("https://calendar.example.com:8443", "caldavs://john-smith@calendar.example.com:8443/dav/"),
            ("http://127.0.0.1:8080", "caldav://john-smith@127.0.0.1:8080/dav/"),
            ("https://[2001:db8::1]:8443", "caldavs://john-smith@[2001:db8::1]:8443/dav/"),
        ],
    )
    def test_davx5_is_told_user_host_and_path(self, url: str, link: str) -> None:
        assert account_link(replace(ACCOUNT, public_url=url)) == link

    @pytest.mark.parametrize("handle", ["a@b", "a/b", "a:b", "ä ö", "a?b#c", "%41"])
    def test_a_handle_is_only_a_user_name(self, handle: str) -> None:
        link = urlsplit(account_link(replace(ACCOUNT, handle=handle)))
        assert (unquote(link.username or ""), link.hostname, link.path) == (handle, "calendar.example.com", "/dav/")
        assert link.password is None

    def test_a_code_is_a_picture_that_stands_alone(self) -> None:
        picture = ElementTree.fromstring(code_as_svg(account_link(ACCOUNT)))
        assert picture.tag == "{http://www.w3.org/2000/svg}svg"
        assert "viewBox" in picture.attrib
        assert b"script" not in code_as_svg("<script>alert(1)</script>")

    def test_a_code_can_be_shown_in_a_terminal(self) -> None:
        lines = code_as_text(account_link(ACCOUNT)).splitlines()
        assert len({len(line) for line in lines if line}) == 1
        assert set("".join(lines)) <= set("█▀▄ ")

    def test_a_link_as_long_as_they_come_fits_a_code(self) -> None:
        account = replace(ACCOUNT, public_url=f"https://{'a' * 63}.{'b' * 63}.example.com:65535", handle="h" * 200)
        assert code_as_svg(account_link(account))


Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
KEYS: list[Callable[[], Key]] = [
    lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    lambda: ec.generate_private_key(ec.SECP256R1()),
]


def certificate(key: Key, name: str = "calendar.example.com", *, by: Key | None = None) -> x509.Certificate:
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + timedelta(days=3650))
    signer = by or key
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def files(folder: Path, key: Key, *certificates: x509.Certificate, password: bytes | None = None) -> tuple[Path, Path]:
    kept, secret = folder / "certificate.pem", folder / "key.pem"
    kept.write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates))
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    return kept, secret


class TestSigning:
    @pytest.mark.parametrize("make", KEYS)
    def test_a_signed_profile_holds_the_profile_and_the_certificates(self, tmp_path: Path, make: Callable[[], Key]) -> None:
        key, authority = make(), make()
        own, above = certificate(key), certificate(authority, "Authority")
        signed = Signer(*files(tmp_path, key, own, above)).sign(profile(ACCOUNT))
        assert signed[0] == 0x30  # a SEQUENCE: DER, as Apple takes it, and not PEM
        assert profile(ACCOUNT) in signed
        assert set(pkcs7.load_der_pkcs7_certificates(signed)) == {own, above}

    @pytest.mark.parametrize("make", KEYS)
    @pytest.mark.skipif(shutil.which("openssl") is None, reason="another implementation is asked, where there is one")
    def test_another_implementation_finds_the_signature_good(self, tmp_path: Path, make: Callable[[], Key]) -> None:
        key = make()
        kept, secret = files(tmp_path, key, certificate(key))
        (tmp_path / "signed").write_bytes(Signer(kept, secret).sign(profile(ACCOUNT)))
        command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", "signed", "-CAfile", str(kept), "-purpose", "any", "-binary"]
        command += ["-attime", "1790000000"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout == profile(ACCOUNT)

    def test_a_signer_that_cannot_sign_says_so_at_once(self, tmp_path: Path) -> None:
        key, other = KEYS[1](), KEYS[1]()
        kept, secret = files(tmp_path, other, certificate(key))
        with pytest.raises(Misconfigured, match="does not belong"):
            Signer(kept, secret)
        with pytest.raises(Misconfigured, match="PEM"):
            Signer(*files(tmp_path, key, certificate(key), password=b"locked"))
        with pytest.raises(Misconfigured, match="PEM"):
            Signer(tmp_path / "missing.pem", secret)
        unusual = ed25519.Ed25519PrivateKey.generate()
        with pytest.raises(Misconfigured, match="neither"):
            Signer(*files(tmp_path, unusual, certificate(unusual)))


class TestRest:
    def test_a_platform_can_show_its_staff_how_to_set_up_a_device(self, door: Door) -> None:
        answer = door.api("GET", "/staff/john/devices")
        assert answer.status == 200
        told = answer.json
        assert (told["staff"], told["user_name"], told["profile_signed"]) == ("john", "john-smith", False)
        assert told["caldav_url"] == "https://calendar.example.com/dav/"
        assert told["principal_url"] == "https://calendar.example.com/dav/john-smith/"
        assert told["davx5_url"] == account_link(ACCOUNT)
        assert told["davx5_code"].encode() == code_as_svg(told["davx5_url"])
        assert (told["profile_type"], told["profile_name"]) == (PROFILE_TYPE, "john-smith.mobileconfig")
        assert base64.b64decode(told["profile"]) == profile(ACCOUNT)

    def test_of_another_company_nothing_is_told(self, door: Door) -> None:
        assert door.api("GET", "/staff/taylor/devices").status == 404
        assert door.ask("GET", "/api/v1/staff/john/devices").status == 401


def test_the_type_is_the_one_an_iphone_knows() -> None:
    assert devices.PROFILE_TYPE == "application/x-apple-aspen-config"
