"""Letters about a calendar elsewhere that has stopped: the staff member at once, the administrators after a day, each once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from gateway.links import Access, Account, AccountId, Blocking, Link, LinkId, Provider, Source, Standing
from gateway.model import StaffId
from gateway.post.alarms import ENGLISH, LANGUAGES, Kind
from gateway.post.alerts import EVERY, LATE, Alerts
from gateway.post.note import Desk
from gateway.seal import Seal
from gateway.store import Store, Transaction
from gateway.users import Role, User, UserId
from tests.post.house import COMPANY, DEMO, JOHN, NOW, URL
from tests.post.office import SETUP

SEAL = Seal("A" * 43 + "=")
EMMA = replace(JOHN, id=StaffId("emma"), handle="emma-morris", name="Emma Morris", email="emma.morris@example.com", locale="fr")
BOSS = User(id=UserId("boss"), role=Role.ADMIN, name="Demo administrator", email="admin@example.com")
ACCOUNT = Account(id=AccountId("a"), staff=JOHN.id, provider=Provider.GOOGLE, login="john@gmail.example", subject="1", created=NOW)
LINK = Link(id=LinkId("l"), account=ACCOUNT.id, staff=JOHN.id, calendar="c", title="Demo Company: John", own=True, due=NOW, created=NOW)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Deed = Callable[[Transaction], object]


@dataclass
class Watch:
    """Somebody who looks every minute, and a postman who opens what is written."""

    store: Store

    def __post_init__(self) -> None:
        self.alerts = self.anew()

    def anew(self) -> Alerts:
        """As after a restart."""
        return Alerts(self.store, Desk(sender="Calendar <calendar@example.com>", public_url=URL, seal=SEAL.seal))

    def do(self, deed: Deed) -> None:
        with self.store.write(DEMO, SETUP) as tx:
            deed(tx)

    def broken(self, access: Access = Access.NEEDS_REAUTH) -> None:
        self.do(lambda tx: tx.save_account(replace(ACCOUNT, access=access, trouble="It says so.", since=NOW, probed=NOW)))

    def link(self, **more: object) -> None:
        self.do(lambda tx: tx.save_link(replace(LINK, **more)))  # type: ignore[arg-type]  # names and values as the test gives them

    def letters(self, after: timedelta = timedelta()) -> list[tuple[str, EmailMessage]]:
        """What is new at that moment: to whom, and what."""
        now = NOW + after
        assert self.alerts.run(now) == now + EVERY
        found = []
        for each in self.store.claim_letters(now, lease=MINUTE, limit=100):
            mail = message_from_bytes(SEAL.unseal(each.message), policy=policy.default)
            assert isinstance(mail, EmailMessage)
            assert each.kind == "alert"
            self.store.letter_sent(each, now)
            found.append((each.recipient, mail))
        return sorted(found, key=lambda pair: pair[0])

    def recipients(self, after: timedelta = timedelta()) -> list[str]:
        return [recipient for recipient, _ in self.letters(after)]


def text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return " ".join(str(part.get_content()).split())


@pytest.fixture
def watch(store: Store) -> Watch:
    store.found(replace(COMPANY, policy=replace(COMPANY.policy, google=True, outlook=True, office365=True)))
    with store.write(DEMO, SETUP) as tx:
        tx.save_staff(JOHN)
        tx.save_staff(EMMA)
        tx.save_user(BOSS)
        tx.add_account(ACCOUNT, b"sealed")
        tx.add_link(LINK)
    return Watch(store)


def test_while_everything_works_nobody_is_written_to(watch: Watch) -> None:
    assert watch.letters() == watch.letters(3 * LATE) == []


def test_w09_the_staff_member_is_told_at_once_which_why_what_it_means_and_what_to_press(watch: Watch) -> None:
    watch.broken()
    [(recipient, mail)] = watch.letters()
    assert recipient == JOHN.email
    assert mail["Subject"] == "Your calendar is not in sync: Google Calendar (john@gmail.example)"
    said = text(mail)
    for part in (
        "Google Calendar no longer accepts the access it was given.",
        "Nothing is lost, and nothing is doubled.",
        "Connect the account again: one button.",
        f"{URL}/me#calendars",
        "Friday, November 20",
    ):
        assert part in said


def test_w09_the_administrators_are_told_after_a_day_and_not_before(watch: Watch) -> None:
    watch.broken()
    assert watch.recipients() == [JOHN.email]
    assert watch.recipients(LATE - MINUTE) == []
    [(recipient, mail)] = watch.letters(LATE)
    assert recipient == BOSS.email
    assert mail["Subject"] == "A calendar of John Smith has not been in sync for a day"
    assert f"{URL}/staff/john#calendar-sync" in text(mail)
    assert watch.recipients(5 * LATE) == []


def test_nobody_is_told_twice_whoever_looks(watch: Watch) -> None:
    watch.broken()
    assert watch.recipients() == [JOHN.email]
    watch.alerts = watch.anew()
    assert watch.recipients(MINUTE) == []


def test_a166_an_access_that_comes_and_goes_is_one_letter_a_day(watch: Watch) -> None:
    watch.broken()
    assert watch.recipients() == [JOHN.email]
    watch.do(lambda tx: tx.save_account(ACCOUNT))
    assert watch.recipients(HOUR) == []
    watch.do(lambda tx: tx.save_account(replace(ACCOUNT, access=Access.NEEDS_REAUTH, since=NOW + 2 * HOUR)))
    assert watch.recipients(2 * HOUR) == []
    watch.do(lambda tx: tx.save_account(replace(ACCOUNT, access=Access.NEEDS_REAUTH, since=NOW + 2 * LATE)))
    assert watch.recipients(2 * LATE) == [JOHN.email]


def test_what_works_again_within_the_day_reaches_no_administrator(watch: Watch) -> None:
    watch.broken()
    watch.letters()
    watch.do(lambda tx: tx.save_account(ACCOUNT))
    assert watch.recipients(2 * LATE) == []


@pytest.mark.parametrize(
    ("standing", "sentence"),
    [
        (Standing.GUARD, "Say whether it was meant: one button carries it out, another one puts everything back."),
        (Standing.SUSPENDED, "Connect the account again: a new calendar is made and filled."),
    ],
)
def test_a_link_that_stands_still_is_told_with_what_to_do(watch: Watch, standing: Standing, sentence: str) -> None:
    watch.link(standing=standing, since=NOW, trouble="Something.")
    [(recipient, mail)] = watch.letters()
    assert recipient == JOHN.email
    assert sentence in text(mail)
    assert "Demo Company: John" in str(mail["Subject"])
    assert watch.recipients(LATE) == [BOSS.email]


def test_an_organisation_that_wants_its_administrator_to_agree_is_told_so(watch: Watch) -> None:
    watch.broken(Access.NEEDS_ADMIN)
    [(_, mail)] = watch.letters()
    assert "Ask the administrator there to allow this app" in text(mail)


def test_a_provider_that_does_not_answer_for_a_day_is_told_to_both(watch: Watch) -> None:
    watch.link(failures=3, pulled=NOW, trouble="Google is in trouble (503).")
    assert watch.recipients(LATE - MINUTE) == []
    assert watch.recipients(LATE) == [BOSS.email, JOHN.email]


def test_s33_an_external_address_that_fails_for_a_day_is_told_to_both(watch: Watch) -> None:
    watch.do(lambda tx: tx.save_source(Source(staff=EMMA.id, due=NOW, failing=NOW, trouble="404"), b"sealed"))
    assert watch.recipients(LATE - MINUTE) == []
    (boss, first), (emma, second) = watch.letters(LATE)
    assert (boss, emma) == (BOSS.email, EMMA.email)
    assert "Emma Morris" in str(first["Subject"])
    assert "L’adresse de l’agenda externe ne peut pas être lue." in text(second)  # in her language


@pytest.mark.parametrize(
    "deed",
    [
        lambda tx: tx.save_company(replace(tx.company, policy=replace(tx.company.policy, google=False))),
        lambda tx: tx.save_link(replace(LINK, standing=Standing.PAUSED)),
        lambda tx: tx.save_link(replace(LINK, standing=Standing.ENDED)),
        lambda tx: tx.save_staff(replace(JOHN, active=False)),
    ],
    ids=["switched-off", "paused", "ended", "left"],
)
def test_nobody_is_told_of_what_is_meant_to_stand_still(watch: Watch, deed: Deed) -> None:
    watch.broken()
    watch.do(deed)
    assert watch.letters() == watch.letters(2 * LATE) == []


OTHER = Blocking(account=ACCOUNT.id, calendar="private", title="Private life", due=NOW)


def test_a_calendar_that_blocks_and_cannot_be_read_for_a_day_is_told_to_both(watch: Watch) -> None:
    watch.do(lambda tx: tx.add_blocking(replace(OTHER, failing=NOW, trouble="Google does not answer.")))
    assert watch.letters(LATE - MINUTE) == []
    letters = dict(watch.letters(LATE))
    assert set(letters) == {JOHN.email, BOSS.email}
    mine = letters[JOHN.email]
    assert mine["Subject"] == "Your calendar is not in sync: Google Calendar: Private life (john@gmail.example)"
    for part in ("no longer tells when this calendar is busy", "The busy times that were read last still count", "Choose calendars"):
        assert part in text(mine)
    assert watch.letters(LATE + HOUR) == []


def test_an_access_that_is_broken_and_only_asked_when_one_is_busy_is_told_once(watch: Watch) -> None:
    watch.link(standing=Standing.ENDED)
    watch.broken()
    assert watch.letters() == []
    watch.do(lambda tx: tx.add_blocking(replace(OTHER, failing=NOW - LATE)))
    assert watch.recipients() == [JOHN.email]


def test_an_account_with_two_links_is_one_trouble(watch: Watch) -> None:
    watch.do(lambda tx: tx.add_link(replace(LINK, id=LinkId("other"), calendar="d")))
    watch.broken()
    assert watch.recipients() == [JOHN.email]


def test_an_address_nobody_can_be_reached_at_keeps_nobody_else_waiting(watch: Watch) -> None:
    watch.do(lambda tx: tx.save_staff(replace(JOHN, email="nobody")))
    watch.broken()
    assert watch.recipients(LATE) == [BOSS.email]


def test_a_name_cannot_put_anything_into_the_headers(watch: Watch) -> None:
    watch.do(lambda tx: tx.save_staff(replace(JOHN, name="John\r\nBcc: evil@example.com")))
    watch.broken()
    for _, mail in watch.letters(LATE):
        assert mail["Bcc"] is None


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_kind_is_said_in_every_language_with_the_same_names(language: str) -> None:
    alarms = LANGUAGES[language]
    assert set(alarms.told) == set(Kind)
    known = {"provider": "P", "calendar": "C", "company": "F", "staff": "S"}
    for kind, told in alarms.told.items():
        assert ("{provider}" in told.why) == ("{provider}" in ENGLISH.told[kind].why), kind
        for sentence in (told.why, told.means, told.now):
            assert sentence.format_map(known).rstrip().endswith(".")
    for name in ("subject", "lead", "admin_subject", "admin_lead"):
        template, english = getattr(alarms, name), getattr(ENGLISH, name)
        assert {each for each in known if f"{{{each}}}" in template} == {each for each in known if f"{{{each}}}" in english}
