"""Replica Of: copy another database, one way."""
