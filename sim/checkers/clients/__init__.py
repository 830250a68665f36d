"""Invariants for clients: replies, reads, sessions, acknowledged writes, blocking and WATCH."""
