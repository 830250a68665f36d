"""The simulated world: all regions, their network and the promises that are checked."""
