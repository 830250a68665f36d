"""A sequential model of a single Redis, its connections and parameters, to judge the server."""
