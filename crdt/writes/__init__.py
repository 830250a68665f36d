"""Local writes, one module per type. A write reads the value, checks it and emits effects."""
