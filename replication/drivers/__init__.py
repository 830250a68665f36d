"""Drivers that carry links over trio streams."""
