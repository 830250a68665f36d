"""The events that operators see."""
