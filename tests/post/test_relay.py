"""The conversation with the mail server: encryption, credentials, addresses beyond ASCII."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.errors import Misconfigured, Unavailable
from gateway.post.sender import Sender, probe
from gateway.store import Store
from tests.journey.demo import free_port
from tests.post.house import NOW
from tests.post.office import SEAL
from tests.post.outbox import Outbox
from tests.post.server import FAR, Server, knows, listening, own_certificate

MINUTE = timedelta(minutes=1)


def test_starttls_is_used_whenever_it_is_offered(outbox: Outbox, server: Server, tmp_path: Path) -> None:
    outbox.put(2)
    with listening(server, tls_context=own_certificate(tmp_path), require_starttls=True) as port:
        assert "encrypted" in probe(f"smtp://127.0.0.1:{port}")
        outbox.sender(f"smtp://127.0.0.1:{port}").run(outbox.now)
    assert server.encrypted == len(server.taken) == 2


def test_smtps_is_encrypted_from_the_first_octet(outbox: Outbox, server: Server, tmp_path: Path) -> None:
    outbox.put(1)
    with listening(server, ssl_context=own_certificate(tmp_path)) as port:
        outbox.sender(f"smtps://localhost:{port}").run(outbox.now)
    assert len(server.taken) == 1


def test_credentials_are_taken_from_the_address_and_never_repeated(outbox: Outbox, server: Server, tmp_path: Path) -> None:
    outbox.put(1, entry="e")
    with listening(server, tls_context=own_certificate(tmp_path), authenticator=knows("us@er", "pa:ss/word"), auth_required=True) as port:
        wrong = f"smtp://us%40er:wrong-password@127.0.0.1:{port}"
        assert outbox.sender(wrong).run(outbox.now) == NOW + MINUTE
        [posted] = outbox.posted("e")
        assert posted.failure.startswith("535")
        assert "wrong-password" not in posted.failure
        with pytest.raises(Unavailable, match="535") as caught:
            probe(wrong)
        assert "wrong-password" not in str(caught.value)
        outbox.now += MINUTE
        outbox.sender(f"smtp://us%40er:pa%3Ass%2Fword@127.0.0.1:{port}").run(outbox.now)
    assert len(server.taken) == 1


def test_a_distant_server_needs_a_certificate_that_somebody_vouches_for(outbox: Outbox, server: Server, tmp_path: Path) -> None:
    outbox.put(1, entry="e")
    with listening(server, tls_context=own_certificate(tmp_path)) as port:
        url = f"smtp://{FAR}:{port}"
        assert outbox.sender(url).run(outbox.now) == NOW + MINUTE
        assert "certificate" in outbox.posted("e")[0].failure
        assert server.taken == []
        outbox.now += MINUTE
        bundle = str(tmp_path / "server.pem")
        Sender(outbox.store, SEAL, smtp_url=url, clock=outbox.clock, ca_bundle=bundle).run(outbox.now)
    assert server.encrypted == 1


def test_a_password_does_not_travel_unencrypted(server: Server) -> None:
    with listening(server) as port, pytest.raises(Unavailable, match="offers no encryption"):
        probe(f"smtp://user:password@{FAR}:{port}")


@pytest.mark.parametrize("able", [True, False])
def test_an_address_beyond_ascii_is_sent_to_or_given_up_with_a_sentence(outbox: Outbox, server: Server, able: bool) -> None:
    outbox.put(1, recipient="jürgen@example.com", entry="e")
    ids = outbox.put(1)
    with listening(server, enable_SMTPUTF8=able) as port:
        outbox.sender(f"smtp://127.0.0.1:{port}").run(outbox.now)
    [posted] = outbox.posted("e")
    assert (posted.sent is not None, posted.failed is not None) == (able, not able)
    assert ("jürgen@example.com" in server.asked) == able
    assert "SMTPUTF8" in posted.failure or able
    assert server.ids[-1:] == ids


def test_a_probe_tells_about_the_server(url: str) -> None:
    assert probe(url) == f"The mail server {url.removeprefix('smtp://')} answers; the connection is not encrypted."
    with pytest.raises(Unavailable, match="cannot be used"):
        probe(f"smtp://127.0.0.1:{free_port()}")


@pytest.mark.parametrize("wrong", ["http://127.0.0.1", "smtp://", "127.0.0.1:25", "smtp://127.0.0.1:mail"])
def test_an_address_that_is_none_stops_the_start(store: Store, wrong: str) -> None:
    with pytest.raises(Misconfigured):
        Sender(store, SEAL, smtp_url=wrong, clock=lambda: NOW)
