"""The event queue, clocks, random streams and traces of a simulation."""
