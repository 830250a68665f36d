"""For pyright: a native integer is an int.

mypyc gives `i64` the machine's arithmetic in compiled modules. Run as plain Python it is
an annotation and no more, so to the type checker it may be what it stands for.
"""

i64 = int
