"""Clients that wait, watch or monitor, and the guard that keeps a crash with its own client."""
