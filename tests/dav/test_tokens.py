"""Access tokens: the issuer's open the calendars of whom they were given to, and nothing that only looks like one opens anything."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Misconfigured
from gateway.store import Store
from gateway.tokens import Tokens, Untrusted
from gateway.web import gate
from gateway.web.problems import Problem
from plugins.application import build
from tests.dav.house import DEMO, EMMA, JOHN, NOW, OTHER, SETUP, TAYLOR, Clock, furnish
from tests.dav.test_guesses import Door

ISSUER, AUDIENCE = "https://login.example.com/", "https://calendar.example.com"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
STRANGER = ec.generate_private_key(ec.SECP256R1())
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "1", "email": JOHN.email, "iat": NOW.timestamp(), "exp": NOW.timestamp() + 3600}

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def packed(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def number(value: int) -> str:
    return packed(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwk(key: Key, id: str, **more: str) -> dict[str, str]:
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {"kty": "RSA", "kid": id, "n": number(numbers.n), "e": number(numbers.e), **more}
    point = key.public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "kid": id,
        "x": packed(point.x.to_bytes(32, "big")),
        "y": packed(point.y.to_bytes(32, "big")),
        **more,
    }


def signed(key: Key, text: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(key: Key = EC, head: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """With a claim that is None left out."""
    usual = {"alg": "RS256", "kid": "r"} if isinstance(key, rsa.RSAPrivateKey) else {"alg": "ES256", "kid": "e"}
    told = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    text = f"{packed(json.dumps(usual | dict(head or {})).encode())}.{packed(json.dumps(told).encode())}"
    return f"{text}.{packed(signed(key, text.encode()))}"


@dataclass(frozen=True)
class Issuer:
    file: Path

    def publish(self, *keys: Mapping[str, str]) -> None:
        self.file.write_text(json.dumps({"keys": keys}))

    def tokens(self, claim: str = "email") -> Tokens:
        return Tokens(issuer=ISSUER, audience=AUDIENCE, keys=self.file, claim=claim)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    made = Issuer(tmp_path_factory.mktemp("issuer") / "jwks.json")
    made.publish(jwk(RSA, "r", use="sig", alg="RS256"), jwk(EC, "e"), {"kty": "oct", "k": "c2VjcmV0", "kid": "o"})
    return made


class TestProof:
    @pytest.mark.parametrize("key", [RSA, EC])
    @pytest.mark.parametrize("head", [{}, {"typ": "JWT"}, {"typ": "at+jwt"}])
    def test_a_token_of_the_issuer_says_whose_it_is(self, issuer: Issuer, key: Key, head: dict[str, str]) -> None:
        assert issuer.tokens().address_in(token(key, head), NOW) == JOHN.email
        assert issuer.tokens("upn").address_in(token(key, head, upn="x@example.com"), NOW) == "x@example.com"
        assert issuer.tokens().address_in(token(key, head, aud=["other", AUDIENCE]), NOW) == JOHN.email

    def test_a_key_needs_no_name(self, issuer: Issuer) -> None:
        text = token(head={"kid": None})
        assert issuer.tokens().address_in(text, NOW) == JOHN.email

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": None},
            {"iss": ISSUER.rstrip("/")},
            {"aud": None},
            {"aud": "https://calendar.example.com/"},
            {"aud": []},
            {"aud": {"x": AUDIENCE}},
            {"exp": None},
            {"exp": NOW.timestamp() - 60},
            {"exp": str(NOW.timestamp() + 3600)},
            {"exp": True},
            {"exp": float("nan")},
            {"exp": float("inf")},
            {"exp": 10**400},
            {"nbf": NOW.timestamp() + 61},
            {"iat": NOW.timestamp() + 61},
            {"iat": "now"},
            {"email": None},
            {"email": ""},
            {"email": "john"},
            {"email": [JOHN.email]},
            {"email_verified": False},
        ],
    )
    def test_claims_that_do_not_hold_are_not_believed(self, issuer: Issuer, claims: dict[str, Any]) -> None:
        with pytest.raises(Untrusted):
            issuer.tokens().address_in(token(**claims), NOW)

    def test_clocks_may_differ_by_less_than_a_minute(self, issuer: Issuer) -> None:
        at = NOW.timestamp()
        assert issuer.tokens().address_in(token(exp=at - 59, nbf=at + 59, iat=at + 59), NOW) == JOHN.email

    @pytest.mark.parametrize(
        "head",
        [
            {"alg": "none"},
            {"alg": "None"},
            {"alg": "HS256"},
            {"alg": "RS256"},
            {"alg": "ES384"},
            {"alg": None},
            {"alg": ["ES256"]},
            {"kid": "r"},
            {"kid": "unknown"},
            {"kid": 1},
            {"typ": "logout+jwt"},
            {"typ": "dpop+jwt"},
            {"crit": ["exp"]},
        ],
    )
    def test_a_head_that_says_something_else_is_not_believed(self, issuer: Issuer, head: dict[str, Any]) -> None:
        with pytest.raises(Untrusted):
            issuer.tokens().address_in(token(head=head), NOW)

    def test_keys_of_others_prove_nothing(self, issuer: Issuer) -> None:
        own = {"jwk": jwk(STRANGER, "e"), "jku": "https://evil.invalid/jwks.json", "x5u": "https://evil.invalid/"}
        for head in ({}, own):
            with pytest.raises(Untrusted):
                issuer.tokens().address_in(token(STRANGER, head), NOW)

    def test_the_public_key_is_no_password(self, issuer: Issuer) -> None:
        """The confusion of algorithms: HMAC with what everybody knows."""
        pem = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        for secret in (pem, b"secret", b""):
            head = packed(b'{"alg":"HS256","kid":"r"}')
            text = f"{head}.{packed(json.dumps(CLAIMS).encode())}"
            with pytest.raises(Untrusted):
                issuer.tokens().address_in(f"{text}.{packed(hmac.digest(secret, text.encode(), hashlib.sha256))}", NOW)

    def test_no_octet_can_be_changed(self, issuer: Issuer) -> None:
        good, tokens = token(RSA), issuer.tokens()
        for place in range(0, len(good) - 1, 7):  # the last one carries bits that mean nothing
            with pytest.raises(Untrusted):
                tokens.address_in(good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :], NOW)

    def test_a_signature_of_zeros_or_of_another_form_is_none(self, issuer: Issuer) -> None:
        head, body, _ = token().split(".")
        r, s = decode_dss_signature(EC.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256())))
        for signature in (
            bytes(64),
            bytes(63),
            bytes(65),
            b"\xff" * 64,
            r.to_bytes(32, "big"),
            r.to_bytes(33, "big") + s.to_bytes(33, "big"),
        ):
            with pytest.raises(Untrusted):
                issuer.tokens().address_in(f"{head}.{body}.{packed(signature)}", NOW)

    def test_two_equal_names_are_not_believed(self, issuer: Issuer) -> None:
        head = packed(b'{"alg":"ES256","kid":"e"}')
        body = packed(json.dumps(CLAIMS)[:-1].encode() + b', "email": "emma.morris@example.com"}')
        text = f"{head}.{body}"
        with pytest.raises(Untrusted):
            issuer.tokens().address_in(f"{text}.{packed(signed(EC, text.encode()))}", NOW)

    @given(st.text(alphabet="abcXYZ0129-_.=e{} ", max_size=60) | st.binary(max_size=60).map(lambda octets: f"{packed(octets)}.e30.e30"))
    def test_whatever_is_sent_is_only_untrusted(self, issuer: Issuer, text: str) -> None:
        with pytest.raises(Untrusted):
            issuer.tokens().address_in(text, NOW)

    @pytest.mark.parametrize("text", ["", ".", "..", "a.b", "a.b.c.d", "eyJhbGciOiJub25lIn0.e30.", "x" * 10_000, f"{'ab' * 4000}.ab.ab"])
    def test_what_has_another_shape_is_untrusted(self, issuer: Issuer, text: str) -> None:
        with pytest.raises(Untrusted):
            issuer.tokens().address_in(text, NOW)


class TestKeys:
    def test_new_keys_count_at_once_and_old_ones_no_more(self, tmp_path: Path) -> None:
        issuer = Issuer(tmp_path / "jwks.json")
        issuer.publish(jwk(EC, "e"))
        tokens = issuer.tokens()
        assert tokens.address_in(token(EC), NOW) == JOHN.email
        issuer.publish(jwk(RSA, "r"))
        assert tokens.address_in(token(RSA), NOW) == JOHN.email
        with pytest.raises(Untrusted):
            tokens.address_in(token(EC), NOW)

    def test_a_file_that_is_away_or_half_written_leaves_the_keys_in_force(self, tmp_path: Path) -> None:
        issuer = Issuer(tmp_path / "jwks.json")
        issuer.publish(jwk(EC, "e"))
        tokens = issuer.tokens()
        issuer.file.write_text('{"keys": [{"kty"')
        assert tokens.address_in(token(EC), NOW) == JOHN.email
        issuer.file.unlink()
        assert tokens.address_in(token(EC), NOW) == JOHN.email

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            '{"keys": []}',
            '{"keys": [{"kty": "oct", "k": "AAAA"}]}',
            '{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}',
        ],
    )
    def test_a_file_without_a_key_stops_the_start(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "jwks.json").write_text(text)
        with pytest.raises(Misconfigured, match=r"oidc\.jwks_file"):
            Issuer(tmp_path / "jwks.json").tokens()

    def test_a_weak_key_and_one_for_another_use_do_not_count(self, tmp_path: Path) -> None:
        weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  that is the point
        issuer = Issuer(tmp_path / "jwks.json")
        issuer.publish(jwk(weak, "r"), jwk(EC, "e", use="enc"), jwk(RSA, "other"))
        for key in (weak, EC):
            with pytest.raises(Untrusted):
                issuer.tokens().address_in(token(key), NOW)


class TestAtTheDoor:
    @pytest.fixture
    def door(self, tmp_path: Path, issuer: Issuer) -> Iterator[Door]:
        store, clock = Store(f"sqlite:///{tmp_path}/gateway.db"), Clock()
        store.migrate()
        furnish(store)
        try:
            yield Door(build(store, clock=clock, tokens=issuer.tokens()), store, clock)
        finally:
            store.close()

    def test_a_token_opens_the_calendars_of_whom_it_was_given_to(self, door: Door) -> None:
        for address in (JOHN.email, JOHN.email.upper()):
            assert door.show(f"Bearer {token(email=address)}", "/john-smith/appointments/").status == 207
        assert door.show(f"bearer  {token(RSA, email=EMMA.email)}", "/emma-morris/appointments/").status == 207
        assert door.show(f"Bearer {token()}", "/emma-morris/appointments/").status == 404

    def test_app_passwords_go_on_as_ever(self, door: Door) -> None:
        assert door.knock("john-smith", "correct-horse-battery-john").status == 207

    def test_a_bad_token_is_told_so(self, door: Door) -> None:
        for bad in (token(STRANGER), token(exp=0), token(email="nobody@example.com"), "x.y.z", "x"):
            reply = door.show(f"Bearer {bad}")
            assert reply.status == 401
            assert reply.headers["WWW-Authenticate"] == 'Bearer realm="Calendar gateway", error="invalid_token"'

    def test_who_has_left_and_who_shares_an_address_gets_in_by_no_token(self, door: Door) -> None:
        with door.store.write(DEMO, SETUP) as tx:
            tx.save_staff(replace(EMMA, active=False))
        assert door.show(f"Bearer {token(email=EMMA.email)}").status == 401
        with door.store.write(OTHER, SETUP) as tx:
            tx.save_staff(replace(TAYLOR, email=JOHN.email))
        assert door.show(f"Bearer {token()}").status == 401

    def test_bad_tokens_are_counted_by_address_and_good_ones_always_pass(self, door: Door) -> None:
        statuses = [door.show(f"Bearer {token(STRANGER)}").status for _ in range(62)]
        assert statuses == [401] * 60 + [429] * 2
        assert door.show(f"Bearer {token()}").status == 207

    def test_without_an_issuer_no_token_is_looked_at(self, door: Door) -> None:
        plain = Door(build(door.store, clock=door.clock), door.store, door.clock)
        assert plain.show(f"Bearer {token()}").status == 401


class TestGate:
    class Head(dict[str, str]):
        def getall(self, key: str, default: list[str]) -> list[str]:
            return [self[key]] if key in self else default

    def told(self, authorization: str, *, bearer: bool) -> str:
        with pytest.raises(Problem) as turned_away:
            gate.admit("PROPFIND", "/dav/", self.Head(Authorization=authorization), bearer=bearer)  # type: ignore[arg-type]
        assert turned_away.value.status == 401
        return turned_away.value.headers["WWW-Authenticate"]

    def test_tokens_are_offered_behind_passwords_and_only_where_they_are_taken(self) -> None:
        basic = 'Basic realm="Calendar gateway", charset="UTF-8"'
        assert self.told("", bearer=False) == basic
        assert self.told("", bearer=True) == f'{basic}, Bearer realm="Calendar gateway"'
        assert self.told(f"Bearer {token()}", bearer=False) == basic
        assert gate.admit("PROPFIND", "/dav/", self.Head(Authorization=f"Bearer {token()}"), bearer=True) == "/dav/"  # type: ignore[arg-type]

    @pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer a b", "Bearer ä", "Bearer " + "x" * 7000, "Bearer a, Basic YTpi"])
    def test_what_is_no_token_does_not_come_in(self, value: str) -> None:
        self.told(value, bearer=True)
