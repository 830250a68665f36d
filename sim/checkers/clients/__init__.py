"""Promises to clients: replies, reads, sessions, acknowledged writes, waiting and watching."""
