"""The end of a link that sends: the source and its parts."""
