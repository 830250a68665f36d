"""Declarations of commands: syntax, keys and documentation."""
