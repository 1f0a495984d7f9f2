"""What a page says after a form was sent: the address carries only a key, so that nobody can put words into our mouth."""

from __future__ import annotations

from typing import Final, Literal

Tone = Literal["good", "bad", "plain"]


def _(sentence: str) -> str:
    """Marks a sentence for the catalogs; it is translated when it is shown."""
    return sentence


SAYINGS: Final[dict[str, tuple[Tone, str]]] = {
    "sign-in": ("plain", _("Please sign in to see this page.")),
    "signed-out": ("good", _("You have signed out.")),
    "saved": ("good", _("Saved.")),
    "unchanged": ("plain", _("Nothing had changed, so nothing was saved.")),
    "reset-sent": (
        "good",
        _("If somebody signs in with this address, a letter is on its way to it. The link in it works for one hour."),
    ),
    "others-ended": ("good", _("Every other browser has been signed out.")),
    "password-set": ("good", _("Your new password is set. Other browsers have been signed out.")),
}
