"""Faults: of the network, of processes, of connections and of resynchronisations."""
