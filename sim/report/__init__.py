"""Reports and space-time diagrams of a run."""
