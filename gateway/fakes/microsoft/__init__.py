"""The fake Microsoft: Entra's identity platform and Graph's calendars."""

from gateway.fakes.microsoft.provider import Microsoft

__all__ = ["Microsoft"]
