"""Passwords that people think up: kept as argon2id hashes, checked at the same cost whether there is somebody of that name or not."""

from __future__ import annotations

import functools

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.errors import Invalid

SHORTEST = 10
LONGEST = 200
"""Characters (NIST SP 800-63B asks for eight at least, sets no rules of composition, and wants long ones accepted)."""

_COMMON = frozenset(
    (
        "1234567890",
        "0123456789",
        "1234512345",
        "abcdefghij",
        "contraseña",
        "iloveyou12",
        "motdepasse",
        "password12",
        "password123",
        "passwort123",
        "qwertyuiop",
    )
)

_HASHER = PasswordHasher()  # argon2id with the parameters of RFC 9106 §4 that argon2-cffi keeps up to date


def hashed(password: str, *about: str) -> str:
    """What is kept of the password. `about` are words that anybody could guess for this person. Raises Invalid with a sentence."""
    if len(password) < SHORTEST:
        raise Invalid(f"Please choose a password of at least {SHORTEST} characters.", field="password")
    if len(password) > LONGEST:
        raise Invalid(f"A password may have {LONGEST} characters at most.", field="password")
    plain = password.casefold()
    if plain in _COMMON or len(set(plain)) < 4 or plain in {word.casefold() for word in about}:
        raise Invalid("This password is too easy to guess. Four unusual words make a good one.", field="password")
    return _HASHER.hash(password)


def fits(kept: str, password: str) -> bool:
    """Whether it is the password. "" stands for nobody and takes as long as anybody (trust.md T7)."""
    try:
        _HASHER.verify(kept or _nobody(), password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return bool(kept)


def stale(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's: hash the password anew while it is known."""
    return _HASHER.check_needs_rehash(kept)


@functools.cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")
