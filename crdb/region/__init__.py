"""A region of a running database: its links, state, policies and drivers."""
