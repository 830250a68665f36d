"""Dots, version vectors and operations: names of effects, their order and their history."""
