"""Reports of a region: events, lines of INFO and the live view."""
