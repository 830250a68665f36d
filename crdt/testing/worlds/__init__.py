"""Simulated worlds of three replicas that run schedules: writes, deliveries, faults and merges."""
