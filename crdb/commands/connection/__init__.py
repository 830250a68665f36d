"""Commands on the connection itself, and transactions."""
