"""Helpers that several families of commands share."""
