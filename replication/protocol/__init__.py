"""What two ends of a link say to each other: frames, their bytes, and the greeting."""
