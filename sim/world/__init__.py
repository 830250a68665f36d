"""The simulated world: all regions, their network, and the invariants that are checked."""
