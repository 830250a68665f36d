"""Arithmetic of counters and strings that gives the same result on every machine."""
