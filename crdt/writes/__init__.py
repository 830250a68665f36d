"""Writes, a module for each type: read a value, decide, and emit an effect."""
