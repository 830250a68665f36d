"""Simulated processes: regions, followers and clients, and the history of their effects."""
