"""Calendars elsewhere: mirrors of the booking calendar at Google and Microsoft, both ways, and busy times from iCalendar addresses."""
