"""The simulated network: ways between regions, connections and dialling."""
