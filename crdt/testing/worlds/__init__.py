"""Small worlds of replicas: schedules of steps, deliveries, losses and merges as plain data."""
