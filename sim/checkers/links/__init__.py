"""Promises about links and resources, such as lag, traffic, bounds, followers, leftovers."""
