"""iCalendar both ways, pure: appointments to text, clients' text to intents. The only room that imports icalendar."""
