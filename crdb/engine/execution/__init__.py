"""The way of a request from bytes to a reply: the executor, the guards and the handler."""
