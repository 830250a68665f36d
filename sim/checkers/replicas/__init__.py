"""Promises about the state of replicas: causality, convergence, expiry, stability, types."""
