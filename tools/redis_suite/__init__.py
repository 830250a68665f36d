"""Run Redis' own test suite against a region and against redis-server, and compare what passes."""
