"""Commands on strings, counters and bitmaps."""
