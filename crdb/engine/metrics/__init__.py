"""Measurements of a region: its commands, clients and memory."""
