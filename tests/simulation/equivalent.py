"""Mutants of which no caller could notice anything, and why."""

EQUIVALENT: dict[str, str] = {}
