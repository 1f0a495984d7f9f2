"""Inviting from the command line: the letter and the link are those of the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.seal import Seal
from gateway.users import Step
from tests.cli.house import Shell


def test_an_invitation_is_made_its_letter_waits_and_the_link_is_shown_once(gateway: Shell) -> None:
    before = datetime.now(UTC)
    told = gateway.json("invite", "john-smith")
    assert (told["staff"], told["to"]) == ("john-smith", "john.smith@example.com")
    assert told["link"].startswith("https://calendar.example.com/connect/")
    token = told["link"].rpartition("/")[2]
    seal = Seal((gateway.folder / "secret.key").read_text().strip())
    with gateway.store() as store:
        found = store.invitation(token)
        assert found is not None
        company, invitation = found
        assert invitation.step is Step.SENT
        assert timedelta(days=14) <= invitation.until - before <= timedelta(days=14, minutes=5)
        with store.read(company) as snapshot:
            [deed] = [each for each in snapshot.deeds(before=datetime.now(UTC) + timedelta(hours=1), limit=50) if each.what == "invitation"]
            assert (deed.subject, deed.door, deed.after["to"]) == (invitation.staff, "cli", "john.smith@example.com")
        [letter] = store.claim_letters(datetime.now(UTC), lease=timedelta(minutes=1))
        assert (letter.kind, letter.recipient) == ("invitation", "john.smith@example.com")
        assert token in seal.unseal(letter.message).decode().replace("=\r\n", "")


def test_a_second_one_revokes_the_first(gateway: Shell) -> None:
    first, second = (gateway.json("invite", "john.smith@example.com")["link"].rpartition("/")[2] for _ in range(2))
    with gateway.store() as store:
        found = [store.invitation(token) for token in (first, second)]
    assert [each[1].step for each in found if each is not None] == [Step.REVOKED, Step.SENT]


def test_what_is_missing_is_said_in_a_sentence(gateway: Shell) -> None:
    assert "server.public_url" in gateway("invite", "john-smith", GATEWAY_SERVER__PUBLIC_URL="").err
    assert gateway("invite", "nobody").err == "There is no staff member nobody.\n"
    waiting = gateway("invite", "john-smith", GATEWAY_MAIL__SMTP_URL="")
    assert waiting.code == 0
    assert "mail.smtp_url" in waiting.err
