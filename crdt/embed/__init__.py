"""`Replica`, the whole model in one object, and what programs that embed it work with."""
