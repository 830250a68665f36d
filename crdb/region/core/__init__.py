"""The decisions of a region, without I/O: running and simulated regions both call them."""
