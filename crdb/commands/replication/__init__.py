"""Commands on links, followers and conflicts."""
