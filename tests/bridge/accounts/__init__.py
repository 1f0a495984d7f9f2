"""Connecting calendars elsewhere, and what people do with their links."""
