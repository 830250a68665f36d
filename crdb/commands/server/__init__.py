"""Commands on the server: information, parameters, memory, latency."""
