"""Protocols of what surrounds an instance: its process, and the links to other regions."""
