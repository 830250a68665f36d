"""Scenarios: stories written as text and played step by step."""
