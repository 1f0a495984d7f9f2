"""Telling people: the log becomes letters, letters become mail. Nothing here decides what may happen to an appointment."""
