"""Simulated processes: regions, followers, clients and what they have applied."""
