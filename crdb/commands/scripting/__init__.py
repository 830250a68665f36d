"""Commands of scripts and functions."""
