"""Recurrence rules and their bounded expansion (RFC 5545 §3.3.10, §3.8.5). Pure; knows no appointment and no text but RRULE."""

from gateway.recurrence.rule import Rule
from gateway.recurrence.series import Budget, Expansion, Series, occurrences

__all__ = ["Budget", "Expansion", "Rule", "Series", "occurrences"]
