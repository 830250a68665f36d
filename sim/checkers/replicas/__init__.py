"""Invariants of replicas: causality, convergence, expiry, stability, conflict rules and others."""
