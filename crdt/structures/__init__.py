"""Ordered collections: blocks for lists, and the key orders of SCAN and random sampling."""
