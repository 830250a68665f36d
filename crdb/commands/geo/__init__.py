"""Commands on sorted sets whose scores are positions on Earth."""
