"""Eviction: which keys are deleted when memory is full."""
