"""The parts of a replicated JSON document."""
