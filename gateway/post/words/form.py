"""What can be said in a letter, one field per sentence: a language that lacks one does not pass the type checker.

Fields are `str.format` templates; the names in braces are filled in, and what is filled in is never read as a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """How a language writes days and times. `weekdays` begin with Monday, `months` with January.

    `date` knows weekday, day, month, year; `short` the same without the year. `first` is the first day of a month when it is
    written unlike the others. `within` knows start and end, `across` also start_date and end_date; `moment` date and time.
    """

    weekdays: tuple[str, str, str, str, str, str, str]
    months: tuple[str, str, str, str, str, str, str, str, str, str, str, str]
    date: str
    short: str
    first: str = "1"
    twelve_hours: bool = False
    within: str
    across: str
    moment: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """One reason to write: the subject, the headline, and what the letter begins with."""

    subject: str
    title: str
    lead: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """The words in front of facts. `pair` puts them together."""

    pair: str
    service: str
    staff: str
    customer: str
    when: str
    dates: str
    new: str
    old: str
    moved: str
    cancelled: str
    added: str
    zone: str
    there: str  # local time where the appointment takes place; knows company


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """Everything a letter can say in one language. `language` is a BCP 47 tag for the HTML."""

    language: str
    calendar: Calendar
    labels: Labels

    greeting: str
    greeting_nobody: str
    closing: str
    more: str  # knows count
    open_end: str

    booked: Occasion
    series_booked: Occasion
    moved: Occasion
    series_moved: Occasion
    cancelled: Occasion
    series_cancelled: Occasion
    one_moved: Occasion
    one_cancelled: Occasion
    one_added: Occasion
    several_changed: Occasion

    attached_new: str
    attached_changed: str
    add_to: str
    added_by_hand: str
    cannot_come: str
    new_time_unsuitable: str
    book_again: str
    new_time_answer: str  # instead of new_time_unsuitable, beside a button
    answer_button: str
    change_button: str

    refused: Occasion
    nothing_changed: str
    asked: Occasion
    asked_series: Occasion
    asked_one: str
    asked_move: Occasion
    asked_button: str
    asked_note: str
    reasons: Mapping[Reason, tuple[str, str]]
    """Why, and what the staff member can do now."""
