"""Client-side caching: which clients must learn that a key has changed."""
