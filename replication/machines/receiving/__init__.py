"""The end of a link that receives: the sink and its parts."""
