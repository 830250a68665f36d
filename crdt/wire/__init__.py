"""Bytes: packing, checking and unpacking."""
