"""Telling devices of changes: the way out to the internet, messages only a device can read, registering, carrying."""
