"""Scenarios: sequences of steps that are written as text and replayed in the simulator."""
