"""Promises about links and resources, such as traffic, resyncs, bounds, followers, leftovers."""
