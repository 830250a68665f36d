"""The two ends of a link as machines without I/O: source and sink, and their parts."""
