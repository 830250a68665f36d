"""A connection between two processes: its bytes, and the links of slot groups in it."""
