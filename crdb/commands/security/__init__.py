"""Commands about users and their permissions."""
