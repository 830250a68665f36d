"""Errors of serialised values."""

from __future__ import annotations


class RdbError(Exception):
    """The data are no value in the serialisation of Redis, or one of an unsupported type."""
