"""Scripts and functions in Lua: the interpreter, what scripts see, and what is kept of them."""
