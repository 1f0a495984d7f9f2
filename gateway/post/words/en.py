"""Letters in English: American dates by default, British and others beside them."""

from __future__ import annotations

from dataclasses import replace

from gateway.errors import Reason
from gateway.post.words.form import Calendar, Labels, Occasion, Words

ENGLISH = Words(
    language="en",
    calendar=Calendar(
        weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        months=(
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
        date="{weekday}, {month} {day}, {year}",
        short="{weekday}, {month} {day}",
        twelve_hours=True,
        within="{start} – {end}",
        across="{start_date}, {start} – {end_date}, {end}",
        moment="{date} at {time}",
    ),
    labels=Labels(
        pair="{label}: {value}",
        service="Service",
        staff="With",
        customer="Customer",
        when="When",
        dates="Dates",
        new="New time",
        old="Old time",
        moved="Moved",
        cancelled="Cancelled",
        added="Takes place after all",
        zone="Time zone",
        there="Local time at {company}",
    ),
    greeting="Hello {name},",
    greeting_nobody="Hello,",
    closing="Kind regards,",
    more="and {count} more",
    open_end="and so on",
    booked=Occasion(
        subject="Your appointment on {moment}",
        title="Your appointment is booked",
        lead="Thank you for your booking. We look forward to seeing you.",
    ),
    series_booked=Occasion(
        subject="Your appointments from {date}",
        title="Your appointments are booked",
        lead="Thank you for your booking. We look forward to seeing you.",
    ),
    moved=Occasion(
        subject="New time for your appointment: {moment}",
        title="Your appointment has a new time",
        lead="Your appointment has been moved. Please note the new time.",
    ),
    series_moved=Occasion(
        subject="New times for your appointments",
        title="Your appointments have new times",
        lead="Your series of appointments has changed. Please note the dates ahead.",
    ),
    cancelled=Occasion(
        subject="Cancelled: your appointment on {moment}",
        title="Your appointment is cancelled",
        lead="This appointment will not take place.",
    ),
    series_cancelled=Occasion(
        subject="Cancelled: your appointments from {date}",
        title="Your appointments are cancelled",
        lead="The remaining appointments of this series will not take place.",
    ),
    one_moved=Occasion(
        subject="New time for your appointment: {moment}",
        title="One of your appointments has a new time",
        lead="One appointment of your series has been moved. All the others stay as they are.",
    ),
    one_cancelled=Occasion(
        subject="Cancelled: your appointment on {moment}",
        title="One of your appointments is cancelled",
        lead="One appointment of your series will not take place. All the others stay as they are.",
    ),
    one_added=Occasion(
        subject="Your appointment on {moment} takes place",
        title="One of your appointments takes place after all",
        lead="One appointment of your series takes place after all. All the others stay as they are.",
    ),
    several_changed=Occasion(
        subject="Changes to your appointments",
        title="Some of your appointments have changed",
        lead="Some appointments of your series have changed. All the others stay as they are.",
    ),
    attached_new="Open the attached file to add this to your calendar.",
    attached_changed="Open the attached file to update your calendar.",
    add_to="Add to",
    added_by_hand="If you entered the old time in your calendar yourself, please remove it there.",
    cannot_come="If you cannot come, please let us know in good time.",
    new_time_unsuitable="If the new time does not suit you, please get in touch with us.",
    book_again="If you would like a new appointment, please get in touch with us.",
    new_time_answer="If it does not suit you, you can choose another time or ask us to get in touch with you.",
    answer_button="Accept or choose another time",
    change_button="Change or cancel",
    refused=Occasion(
        subject="Not changed: {service}, {moment}",
        title="Your change was not made",
        lead="You changed this appointment in your calendar, but the change could not be accepted.",
    ),
    nothing_changed="Nothing has been changed, and the customer has not been told anything.",
    asked=Occasion(
        subject="Cancel this appointment? {service}, {moment}",
        title="Cancel the appointment?",
        lead="You deleted this appointment in your calendar. Shall it be cancelled?",
    ),
    asked_series=Occasion(
        subject="Cancel the whole series? {service}, from {date}",
        title="Cancel the whole series?",
        lead="You deleted this series of appointments in your calendar. Shall all of them be cancelled?",
    ),
    asked_one="Only this date of the series is meant; the others take place.",
    asked_move=Occasion(
        subject="Move this appointment all the same? {service}, {moment}",
        title="Move the appointment all the same?",
        lead="You moved this appointment in your calendar. It has not been moved yet.",
    ),
    asked_button="Answer the question",
    asked_note="Until you answer, the appointment stays booked and the customer is not told anything.",
    reasons={
        Reason.TWO_WAY_OFF: (
            "Your company does not allow appointments to be changed from a calendar.",
            "Please make the change on the booking platform.",
        ),
        Reason.PAST: (
            "The appointment has already begun, or the new time has already passed.",
            "Please choose a time that lies ahead, or make the change on the booking platform.",
        ),
        Reason.TAKEN: (
            "The new time is already taken.",
            "Please choose a time that is free, including any time needed before and after the appointment.",
        ),
        Reason.OUTSIDE_HOURS: (
            "The new time is outside your working hours.",
            "Please choose a time within your working hours, or have your working hours changed on the booking platform.",
        ),
        Reason.NOT_YOURS: (
            "From a calendar, only the time of an appointment can be changed.",
            "Please make any other change on the booking platform.",
        ),
        Reason.READ_ONLY: (
            "This calendar can only be read.",
            "Please make the change in your own appointment calendar or on the booking platform.",
        ),
        Reason.RECURRENCE: (
            "The series cannot be changed in this way.",
            "Please move its appointments one by one, or change the series on the booking platform.",
        ),
        Reason.DURATION: (
            "The length of an appointment is set by its service.",
            "Please move the appointment without changing its length, or choose another service on the booking platform.",
        ),
        Reason.ALL_DAY: (
            "An appointment needs a time of day, so it cannot become an all-day event.",
            "Please move it to a time of day.",
        ),
        Reason.STALE: (
            "The appointment had been changed in the meantime, and your calendar did not know yet.",
            "Please let your calendar refresh, look at the current time, and change it again if you still need to.",
        ),
        Reason.CANCELLED: (
            "The appointment has already been cancelled.",
            "If it is to take place after all, please book it again on the booking platform.",
        ),
        Reason.CANCEL_ASKED: (
            "Deleting an appointment in a calendar does not cancel it yet.",
            "Please say whether it is to be cancelled.",
        ),
        Reason.CANCEL_RESTORED: (
            "Deleting an appointment in a calendar does not cancel it, so it is back in your calendar.",
            "If it is to be cancelled, please do so on the booking platform.",
        ),
        Reason.IDENTITY: (
            "Your calendar program sent something that does not belong to this appointment.",
            "Please make the change on the booking platform. If this happens again, tell your administrator.",
        ),
    },
)

DAY_FIRST = replace(
    ENGLISH,
    calendar=replace(ENGLISH.calendar, date="{weekday} {day} {month} {year}", short="{weekday} {day} {month}"),
)
"""Australia, New Zealand, India: the day before the month, twelve hours."""

BRITISH = replace(DAY_FIRST, language="en-GB", calendar=replace(DAY_FIRST.calendar, twelve_hours=False))
"""Britain and Ireland: twenty-four hours as well."""
