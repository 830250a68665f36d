"""Promises about links and resources: lag, traffic, bounds, followers, nothing left over."""
