"""The simulated world: all regions, their network, and the checks at the end of a run."""
