"""What a page says after a form was sent: the address carries only a key, so that nobody can put words into our mouth."""

from __future__ import annotations

from typing import Final, Literal

from gateway.web.languages import marked

Tone = Literal["good", "bad", "plain"]


SAYINGS: Final[dict[str, tuple[Tone, str]]] = {
    "sign-in": ("plain", marked("Please sign in to see this page.")),
    "signed-out": ("good", marked("You have signed out.")),
    "saved": ("good", marked("Saved.")),
    "unchanged": ("plain", marked("Nothing had changed, so nothing was saved.")),
    "feed-made": ("good", marked("The feed is made. Whoever has its address can read it.")),
    "feeds-made": ("good", marked("Everybody who had no feed has one now.")),
    "feed-renewed": ("good", marked("The feed has a new address. The former one has ended: give the new one to everybody who uses it.")),
    "feed-revoked": ("good", marked("The feed has ended. Calendars that still ask for it are told so.")),
    "invited": ("good", marked("The invitation is on its way.")),
    "invitation-revoked": ("good", marked("The invitation is revoked: its link leads nowhere any more.")),
    "undone": ("good", marked("It is put back. Whoever has to be told is told, once.")),
    "connected": ("good", marked("The calendar is connected. Appointments appear there within a minute.")),
    "link-changed": ("good", marked("Done. What has changed shows within a minute.")),
    "calendars-chosen": ("good", marked("Saved. Busy times are read within a minute.")),
    "staff-added": ("good", marked("Added. A letter with a link for a password is on its way.")),
    "password-revoked": ("good", marked("The app password is revoked: that device is signed out.")),
    "reset-sent": (
        "good",
        marked("If somebody signs in with this address, a letter is on its way to it. The link in it works for one hour."),
    ),
    "time-accepted": ("good", marked("Thank you. We look forward to seeing you.")),
    "time-declined": ("good", marked("We have been told, and will get in touch with you. Until then nothing is changed.")),
    "appointment-moved": ("good", marked("Your appointment has been moved. A letter with the new time is on its way.")),
    "appointment-cancelled": ("good", marked("Your appointment has been cancelled. A letter that says so is on its way.")),
    "too-late": ("bad", marked("It is too late to change this appointment here. Please get in touch with us.")),
    "question-settled": ("plain", marked("That question is settled already.")),
    "question-cancel": ("good", marked("The appointment is cancelled. The customer is told by e-mail.")),
    "question-move": ("good", marked("The appointment is moved. The customer is told by e-mail.")),
    "question-keep": ("good", marked("The appointment stays as it is. The customer has not been told anything.")),
    "question-refused": ("bad", marked("That is not possible any more: the appointment or your calendar has changed since.")),
    "event-kept": ("good", marked("The event stays there as it is, until the appointment changes again.")),
    "event-restored": ("good", marked("The event is written once more, within a minute.")),
    "trial-made": ("good", marked("The test appointment is booked. It appears in your calendar within a minute.")),
    "trial-removed": ("good", marked("The test appointment is gone. Nobody was told of it.")),
    "others-ended": ("good", marked("Every other browser has been signed out.")),
    "password-set": ("good", marked("Your new password is set. Other browsers have been signed out.")),
}
