"""Messages that only the device can read, and the proof of who sends them: the examples of the RFCs, and a device of the tests' own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Invalid
from gateway.webpush import LONGEST, VALID, Recipient, Vapid, decoded, encoded, sealed_for
from tests.push.house import Device, Given, unpadded

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
URL = "https://push.example.com/1"

# RFC 8291 §5 and appendix A.
TEXT = b"When I grow up, I want to be a watermelon"
UA_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH_SECRET = "BTBZMqHH6r4Tts7J_aSIgg"
AS_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def to(device: Device, url: str = URL) -> Recipient:
    return Recipient(url=url, key=device.public, secret=device.secret)


class TestMessages:
    def test_the_example_of_rfc_8291_is_met_octet_for_octet(self) -> None:
        recipient = Recipient(url=URL, key=decoded(UA_PUBLIC), secret=decoded(AUTH_SECRET))
        assert encoded(sealed_for(recipient, TEXT, salt=decoded(SALT), ephemeral=decoded(AS_PRIVATE))) == BODY

    @given(st.binary(max_size=LONGEST))
    @settings(max_examples=30, deadline=None)
    def test_a_device_reads_what_was_written_to_it(self, text: bytes) -> None:
        device = Device()
        assert device.read(sealed_for(to(device), text)) == text

    def test_the_longest_message_fills_the_record_and_a_longer_one_is_refused(self) -> None:
        device = Device()
        assert len(sealed_for(to(device), b"x" * LONGEST)) == 4096
        with pytest.raises(ValueError, match="octets at most"):
            sealed_for(to(device), b"x" * (LONGEST + 1))

    def test_the_same_message_never_looks_the_same(self) -> None:
        device = Device()
        assert len({sealed_for(to(device), b"x") for _ in range(20)}) == 20

    def test_nobody_else_reads_it_and_nobody_can_change_it(self) -> None:
        device, body = Device(), bytearray(sealed_for(to(Device()), b"x"))
        with pytest.raises(InvalidTag):
            device.read(bytes(body))
        body = bytearray(sealed_for(to(device), b"x"))
        body[-1] ^= 1
        with pytest.raises(InvalidTag):
            device.read(bytes(body))
        with pytest.raises(InvalidTag):
            Device(device.private, b"another secret..").read(sealed_for(to(device), b"x"))

    @pytest.mark.parametrize(
        "key",
        [
            b"",
            b"\x04" + b"\0" * 64,
            b"\x04" + b"\xff" * 64,
            b"\x00",
            b"x" * 65,
            decoded(UA_PUBLIC)[:-1],
            b"\x02" + decoded(UA_PUBLIC)[1:33],
        ],
    )
    def test_a_key_that_is_no_point_of_the_curve_is_refused(self, key: bytes) -> None:
        with pytest.raises(Invalid):
            Recipient(url=URL, key=key, secret=b"sixteen octets..")

    @pytest.mark.parametrize("secret", [b"", b"x" * 15, b"x" * 17])
    def test_a_secret_of_another_length_is_refused(self, secret: bytes) -> None:
        with pytest.raises(Invalid):
            Recipient(url=URL, key=Device().public, secret=secret)

    def test_a_recipient_is_kept_whole(self) -> None:
        recipient = to(Device())
        assert Recipient.read(recipient.written()) == recipient

    @pytest.mark.parametrize("text", ["AQID", "AQID==", "AQI", "AQI=", "-_-_", "+/+/", " AQID\n"])
    def test_base64_is_read_in_either_alphabet_with_and_without_padding(self, text: str) -> None:
        assert unpadded(decoded(text)) == text.strip().rstrip("=").translate(str.maketrans("+/", "-_"))

    @pytest.mark.parametrize("text", ["A", "é", "A*ID", "AQ ID", "AQIDA"])
    def test_what_is_no_base64_is_refused(self, text: str) -> None:
        with pytest.raises(Invalid):
            decoded(text)


class TestProof:
    def test_a_push_service_finds_out_who_sends_and_whom_to_ask(self) -> None:
        vapid = Vapid(Vapid.fresh())
        given = Given("/", {"authorization": vapid.authorization("https://push.example.com", "mailto:a@example.com", NOW)}, b"")
        claims = given.claims(vapid.public)
        assert claims == {"aud": "https://push.example.com", "sub": "mailto:a@example.com", "exp": int((NOW + VALID).timestamp())}
        assert timedelta() < VALID <= timedelta(hours=24)

    def test_the_key_stays_the_same_and_is_sixty_five_octets_in_the_open(self) -> None:
        private = Vapid.fresh()
        assert Vapid(private).public == Vapid(private).public
        assert len(decoded(Vapid(private).public)) == 65
        assert len(private) == 32

    def test_two_installations_have_different_keys(self) -> None:
        one, other = Vapid(Vapid.fresh()), Vapid(Vapid.fresh())
        said = one.authorization("https://push.example.com", "mailto:a@example.com", NOW)
        with pytest.raises(InvalidSignature):
            Given("/", {"authorization": said.replace(one.public, other.public)}, b"").claims(other.public)

    def test_every_proof_is_of_sixty_four_octets_however_small_its_numbers(self) -> None:
        vapid = Vapid(b"\0" * 31 + b"\1")
        for number in range(300):
            said = vapid.authorization("https://push.example.com", f"mailto:{number}@example.com", NOW)
            Given("/", {"authorization": said}, b"").claims(vapid.public)
