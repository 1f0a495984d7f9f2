"""What staff members read when their change was not made: which appointment, why, and what they can do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import Reason
from gateway.post import paper, refusal
from gateway.post.words import LANGUAGES
from tests.post.house import CIRCLE, FIRST, NOW, ONE, SECOND, SERIES, WEEK, speaking, with_exceptions

ADDRESS = "https://calendar.example.com/answer/token"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_letter_in_every_language(reason: Reason, language: str) -> None:
    said, found = LANGUAGES[language], refusal.refused(reason, ONE, None, speaking(language), NOW)
    text = " ".join(paper.text(found.paper).split(" ")).replace("\n", " ")
    assert (found.kind, found.invitation) == ("refused", None)
    for sentence in (*said.reasons[reason], said.refused.title, said.refused.lead, said.nothing_changed, "Ann Canaryname", "John Smith"):
        assert sentence in text
    assert found.paper.links == ()
    assert f'<html lang="{language}"' in paper.html(found.paper)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_is_asked_in_every_language_with_one_link(language: str) -> None:
    said, found = LANGUAGES[language], refusal.asked(ONE, None, speaking(language), NOW, address=ADDRESS)
    text, html = paper.text(found.paper), paper.html(found.paper)
    assert found.kind == "asked"
    assert said.asked_button in text
    assert f"\n{ADDRESS}\n" in text
    assert html.count(f'href="{ADDRESS}"') == 1
    assert said.asked_note in text.replace("\n", " ")


def test_a_moved_occurrence_is_shown_where_it_is() -> None:
    held = replace(SERIES, recurrence=with_exceptions(moved={SECOND: replace(ONE.span, start=SECOND + WEEK / 7, end=SECOND + WEEK / 7)}))
    assert refusal.asked(held, SECOND, CIRCLE, NOW, address=ADDRESS).subject.endswith("Thursday, December 3 at 10:00 AM")


def test_an_occurrence_that_is_gone_leaves_the_dates_of_the_series() -> None:
    held = replace(SERIES, recurrence=with_exceptions(without=(SECOND,)))
    text = paper.text(refusal.refused(Reason.RECURRENCE, held, SECOND, CIRCLE, NOW).paper)
    assert "- Wednesday, November 25, 2026, 10:00 AM – 10:30 AM\n- Wednesday, December 9, 2026," in text


def test_a_series_that_is_over_is_named_by_its_beginning() -> None:
    found = refusal.refused(Reason.PAST, SERIES, None, CIRCLE, FIRST + 52 * WEEK)
    assert found.subject == "Not changed: Advice, Wednesday, November 25 at 10:00 AM"


def test_a_long_name_of_a_service_is_cut_in_the_subject() -> None:
    long = replace(CIRCLE, service=replace(CIRCLE.service, name="Advice " * 40))
    assert len(refusal.refused(Reason.TAKEN, ONE, None, long, NOW).subject) < 150
