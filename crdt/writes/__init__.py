"""One module per type: read a value, decide, and emit an effect."""
