"""The pages in French, German and Spanish: no sentence without a translation, the same values in both, no page in two languages."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from gateway.links import Access
from gateway.web.languages import LANGUAGES, chosen, language
from gateway.web.site.deeds import audit_words
from tests.house.source import PYTHON, ROOT
from tests.web.house import EMMA, SETUP, Door, connected
from tests.web.site.people import BOSS, EMMAS, JOHNS, Visitor
from tests.web.site.sentences import CATALOGS, TRANSLATED, Sentence, catalog, sentences
from tests.web.site.test_invite import DEMO, FORM, PAGE, link, part, sent

TEMPLATES = ROOT / "gateway" / "web" / "templates"
SYNC = "/settings/external-services/calendar-sync"
FOUND = sentences()
CODE = re.compile(r"\{\{.*?\}\}|\{% block \w*width %\}.*?\{% endblock %\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
READ_OUT = re.compile(r'\b(?:title|alt|aria-label|placeholder|data-done|data-failed|data-sure|data-unsaved)="([^"]*)"')
NAMES = {"Apple", "Calendar", "CSV", "Google", "HCL", "JSON", "Lotus", "Microsoft", "Notes", "Outlook.com", "QR", "Thunderbird"}
"""What has the same name in every language."""


def key(message: Message) -> Sentence:
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def pairs(found: Catalog) -> Iterator[tuple[str, str]]:
    """(English, translation) of each form that is translated."""
    for message in found:
        if message.id and isinstance(message.id, str) and isinstance(message.string, str) and message.string:
            yield message.id, message.string
        elif not isinstance(message.id, str) and message.string and all(message.string):
            yield from zip(message.id, message.string, strict=True)


def gaps(found: Catalog) -> list[str]:
    """What is missing, doubtful or said no more."""
    there = {key(message): message for message in found if message.id}
    return [
        *(f"not in the catalog: {each}" for each in FOUND if each not in there),
        *(f"not said any more: {each}" for each in there if each not in FOUND),
        *(f"not translated: {each}" for each, message in there.items() if not message.string or not all(message.string)),
        *(f"marked as doubtful: {each}" for each, message in there.items() if message.fuzzy),
    ]


def marks(text: str) -> list[str]:
    """What stands in a sentence beside its words."""
    return sorted(re.findall(r"%\(\w+\)s|%%|<[^>]+>|\{\w+\}", text))


def test_the_languages_are_those_that_have_a_catalog() -> None:
    assert set(LANGUAGES) == {"en", *TRANSLATED} == {"en", *(path.stem for path in CATALOGS.glob("*.po"))}


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_sentence_is_translated(tag: str) -> None:
    """Something missing? `make catalogs`, then translate what is empty in gateway/web/catalogs."""
    assert gaps(catalog(tag)) == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_values_and_tags_are_the_same_in_every_language(tag: str) -> None:
    wrong = [(said, shown) for said, shown in pairs(catalog(tag)) if marks(said) != marks(shown)]
    assert wrong == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_no_translation_can_break_out_of_a_page(tag: str) -> None:
    """Templates take a translation as the markup that it is, in attributes too."""
    assert [shown for said, shown in pairs(catalog(tag)) if not {*re.findall(r'["<>&]', shown)} <= {*re.findall(r'["<>&]', said)}] == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_number_has_its_form(tag: str) -> None:
    found = catalog(tag)
    assert found.num_plurals == 2
    assert found.plural_forms == f"nplurals=2; plural=({TRANSLATED[tag]});"
    assert all(len(message.string or ()) == 2 for message in found if message.pluralizable and message.id)


def test_punctuation_is_that_of_the_language() -> None:
    french = [shown for _, shown in pairs(catalog("fr"))]
    assert [each for each in french if re.search(r"[^\u202f]»|«[^\u202f]|[^\u202f][!?;](?!\S)|[^\u202f\d]:(?![/\S])|'", each)] == []
    assert [shown for _, shown in pairs(catalog("es")) if shown.count("?") != shown.count("¿") or "'" in shown] == []
    assert [shown for _, shown in pairs(catalog("de")) if shown.count("„") != shown.count("“") or "'" in shown] == []


def test_a_catalog_with_a_gap_is_found_out() -> None:
    broken = catalog("de")
    before = gaps(broken)
    broken.delete("Sign in")
    broken["Sign out"].string = ""
    broken["Save"].flags.add("fuzzy")
    broken.add("Nobody says this.", "Niemand sagt das.")
    broken["Connect %(name)s"].string = "Verbinden"
    assert sorted({*gaps(broken)} - {*before}) == [
        "marked as doubtful: Save",
        "not in the catalog: Sign in",
        "not said any more: Nobody says this.",
        "not translated: Sign out",
    ]
    assert [said for said, shown in pairs(broken) if marks(said) != marks(shown)] == ["Connect %(name)s"]


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_word_on_a_page_goes_through_the_catalogs(path: Path) -> None:
    """The description of the REST resources is for programmers, who read it in English."""
    assert path.name == "docs.html" or words_beside(path.read_text(encoding="utf-8")) == []


def words_beside(template: str) -> list[str]:
    text = CODE.sub("", template)
    texts = [re.sub(r"<[^>]*>", " ", text), *READ_OUT.findall(text)]
    return [word for each in texts for word in re.findall(r"(?<![/\w])[^\W\d_][\w.]+", each) if word not in NAMES]


def test_a_word_beside_the_catalogs_is_found_out() -> None:
    assert words_beside('<p title="{{ _("Copy") }}">{{ _("Copy") }} Google</p>') == []
    assert words_beside('<p title="Copy">Paste</p>') == ["Paste", "Copy"]


@pytest.mark.parametrize(
    ("tag", "entrance", "settings", "mine"),
    [
        ("en", "Forgotten your password?", "Activate bidirectional synchronization", "Add a device"),
        ("fr", "Mot de passe oublié\u202f?", "Activer la synchronisation bidirectionnelle", "Ajouter un appareil"),
        ("de", "Passwort vergessen?", "Bidirektionale Synchronisierung aktivieren", "Gerät hinzufügen"),
        ("es", "¿Ha olvidado su contraseña?", "Activar la sincronización bidireccional", "Añadir un dispositivo"),
    ],
)
def test_pages_come_in_the_language_that_is_chosen(door: Door, tag: str, entrance: str, settings: str, mine: str) -> None:
    page = Visitor(door).get("/sign-in", Accept_Language=tag).text
    assert (f'<html lang="{tag}">' in page, entrance in page) == (True, True)
    for user, address, sentence in ((BOSS, SYNC, settings), (JOHNS, "/me", mine)):
        visitor = Visitor(door)
        visitor.sign_in(user)
        visitor.fill("/account", {"language": tag}, to="/account/language")
        page = visitor.get(address, Accept_Language="en").text
        assert (f'<html lang="{tag}">' in page, sentence in page) == (True, True)


@pytest.mark.parametrize(("tag", "sentence"), [("fr", "Vous êtes John"), ("de", "Sie sind John"), ("es", "Usted es John")])
def test_an_invitation_leads_to_a_page_in_the_reader_s_language(boss: Visitor, tag: str, sentence: str) -> None:
    boss.fill(PAGE, FORM)
    page = Visitor(boss.door).get(link(sent(boss)[0]), Accept_Language=tag).text
    assert (f'<html lang="{tag}">' in page, sentence in page) == (True, True)


def test_errors_are_said_in_the_reader_s_language(door: Door) -> None:
    """The account's for whoever has signed in, else the browser's; programs get English."""
    stranger, emma = Visitor(door), Visitor(door)
    page = stranger.get("/no-such-page", Accept_Language="de").text
    assert '<html lang="de">' in page
    assert "Unter dieser Adresse gibt es nichts." in page
    emma.sign_in(EMMAS)
    refused = emma.get("/staff", Accept_Language="de")
    assert refused.status == 403
    assert "Cette page est réservée aux administrateurs" in refused.text
    assert "There is nothing at this address." in door.ask("GET", "/api/v1/no-such-thing", Accept_Language="de").text


def test_the_first_pages_are_said_in_the_browser_s_language(door: Door) -> None:
    assert "Termine in dem Kalender" in door.ask("GET", "/", Accept="text/html", Accept_Language="de").text
    back = door.ask("GET", "/connect/google/callback?error=access_denied", Accept="text/html", Accept_Language="fr")
    assert (back.status, "Rien n’a été connecté" in back.text) == (400, True)


def test_what_a_provider_said_stands_on_the_page_as_text(door: Door) -> None:
    """Neither as markup nor as a format, although sentences of ours may be both."""
    connected(door.store)
    with door.store.write(DEMO, SETUP) as tx:
        [account] = tx.accounts()
        tx.save_account(replace(account, access=Access.NEEDS_REAUTH, trouble="100% <b>sure</b> %(name)s"))
    john = Visitor(door)
    john.sign_in(JOHNS)
    assert "100% &lt;b&gt;sure&lt;/b&gt; %(name)s Connect the account again" in john.get("/me").text


def test_what_other_rooms_say_is_heard_with_its_values() -> None:
    german = language("de")
    assert german.heard("Google is in trouble (503).") == "Google hat eine Störung (503)."
    assert german.heard("john@example.com was connected; calendar “100% <b>”.") == "john@example.com wurde verbunden; Kalender „100% <b>“."
    braked = "5 of 6 appointments have other times at once. None was moved; please say whether that was meant."
    assert german.heard(braked).startswith("5 von 6 Terminen haben auf einmal andere Zeiten. Keiner wurde verschoben;")
    assert (
        german.heard("Google does not answer. It is tried again by itself.")
        == "Google antwortet nicht. Es wird von selbst wieder versucht."
    )
    assert german.heard("What a provider says by itself.") == "What a provider says by itself."
    assert language("en").heard(braked) == braked
    assert german.heard("") == ""


def test_days_and_times_are_written_as_each_language_writes_them() -> None:
    at = datetime(2026, 11, 25, 13, 2, tzinfo=UTC)
    end = at + timedelta(hours=1)
    shown = {tag: (language(tag).moment(at, "Europe/Paris"), language(tag).stretch(at, end, "Europe/Paris")) for tag in LANGUAGES}
    assert shown == {
        "en": ("Nov 25, 2026, 2:02\u202fPM", "Wednesday, November 25, 2026, 2:02\u202fPM – 3:02\u202fPM"),
        "fr": ("25 nov. 2026, 14:02", "mercredi 25 novembre 2026, 14:02 – 15:02"),
        "de": ("25.11.2026, 14:02", "Mittwoch, 25. November 2026, 14:02 – 15:02"),
        "es": ("25 nov 2026, 14:02", "miércoles, 25 de noviembre de 2026, 14:02 – 15:02"),
    }
    assert [language(tag).weekdays[0] for tag in LANGUAGES] == ["Monday", "lundi", "Montag", "lunes"]
    assert [language(tag).ago(at, end) for tag in LANGUAGES] == ["1 hour ago", "il y a 1 heure", "vor 1 Stunde", "hace 1 hora"]
    assert language("de").number(12345.5) == "12.345,5"


def test_a_number_chooses_the_form() -> None:
    devices = ("%(n)s device", "%(n)s devices")
    assert [language("fr").count(*devices, n) for n in (0, 1, 2)] == ["0 appareil", "1 appareil", "2 appareils"]
    assert [language("de").count(*devices, n) for n in (0, 1, 2)] == ["0 Geräte", "1 Gerät", "2 Geräte"]


def test_the_account_s_language_counts_before_the_browser_s() -> None:
    assert chosen("fr-CA", "de").tag == "fr"
    assert chosen("", "it, de;q=0.5, es;q=0.8").tag == "es"
    assert chosen("it", "it").tag == "en"


def test_the_catalogs_are_packed_into_the_wheel() -> None:
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]["gateway"]
    assert {*CATALOGS.glob("*.po")} <= {path for pattern in packed for path in (ROOT / "gateway").glob(pattern)}


def test_letters_from_the_pages_are_in_the_receiver_s_language(boss: Visitor) -> None:
    """Whoever presses the button, and whatever the browser asks for."""
    boss.fill("/account", {"language": "de"}, to="/account/language")
    assert "Synchronisez vos rendez-vous avec votre agenda" in boss.get(f"/staff/{EMMA.id}/invite").text
    assert Visitor(boss.door).post("/forgotten", {"email": EMMA.email}, Accept_Language="es").status == 303
    [letter] = sent(boss)
    assert letter["Subject"] == "Choisir un nouveau mot de passe"
    assert "Quelqu’un, sans doute vous, a demandé" in part(letter, "plain")


def test_the_profile_of_a_device_says_what_it_is_in_the_reader_s_language(door: Door) -> None:
    john = Visitor(door)
    john.sign_in(JOHNS)
    john.fill("/account", {"language": "de"}, to="/account/language")
    assert "Kalender von John Smith bei Demo Company" in john.get("/me/profile.mobileconfig").text


def test_the_activity_page_has_words_for_every_deed() -> None:
    """And none of them is the name under which it is kept."""
    deeds = {
        each.value
        for source in PYTHON
        if str(source).startswith("gateway/")
        for call in ast.walk(source.tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "audit" and call.args
        for each in ast.walk(call.args[0])
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
    assert len(deeds) > 15
    assert [
        deed for deed in sorted(deeds) if audit_words(language("de"), deed) in (deed.replace("-", " "), audit_words(language("en"), deed))
    ] == []
