"""The sections of INFO and the memory report."""
