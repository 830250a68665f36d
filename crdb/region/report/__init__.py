"""What a region reports: events, lines of INFO and the live view."""
