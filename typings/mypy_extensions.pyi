"""For pyright: a native integer is an int, and a class stays what it is.

mypyc gives `i64` the machine's arithmetic in compiled modules. Run as plain Python it is
an annotation and no more, so to the type checker it may be what it stands for.
"""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

i32 = int
i64 = int

def mypyc_attr(
    *, acyclic: bool = ..., allow_interpreted_subclasses: bool = ...
) -> Callable[[T], T]: ...
