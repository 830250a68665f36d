"""Handles: typed views of one key of a replica that behave like Python's containers."""
