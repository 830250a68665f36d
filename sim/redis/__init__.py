"""A sequential model of a single Redis with plain Python values, to judge replies of the server."""
