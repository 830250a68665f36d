"""Users, their rules, and the decision whether a user may run a request."""
