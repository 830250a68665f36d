"""Ordered collections that the types are built of."""
