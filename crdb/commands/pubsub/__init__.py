"""Commands of publish/subscribe."""
