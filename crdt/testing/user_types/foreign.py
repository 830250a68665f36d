"""Documents of other libraries, such as pycrdt and Loro, as types that `check_type` can check.

A change is made once, at its origin. It is sent as bytes, which the other documents apply.

    from pycrdt import Doc, Text

    document = Foreign(
        make=lambda replica: Doc(client_id=replica),
        mutate=lambda doc, name, text: doc.get("text", type=Text).insert(0, text),
        apply=Doc.apply_update,
        value=lambda doc: str(doc.get("text", type=Text)),
        version=Doc.get_state,
        changes=Doc.get_update,
        export=Doc.get_update,
    )
    check_type(document, [("insert", "a"), ("insert", "b")])

By default, documents draw random client ids. Pass the replica's number, as in the example, to make
failures reproducible.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from crdt.wire.expect import shortened

REQUIRED: Final = ("make", "mutate", "apply", "value")


@attrs.frozen(kw_only=True)
class Foreign:
    """The functions with which `check_type` uses a document of another library."""

    make: Callable[..., Any]
    """Return a new document: `make()`, or `make(replica)` with the number of its replica."""
    mutate: Callable[..., Any]
    """Execute a command: `mutate(document, *command)`. Return the bytes to send. If `changes` is
    given, return the result of the command instead."""
    apply: Callable[[Any, Any], Any]
    """Apply a message from another document: `apply(document, data)`."""
    value: Callable[[Any], Any]
    """Return the visible value: `value(document)`."""
    version: Callable[[Any], Any] | None = None
    """Return the version of a document: `version(document)`. It is called before each command."""
    changes: Callable[[Any, Any], Any] | None = None
    """Return the changes since a version as bytes: `changes(document, version)`."""
    export: Callable[[Any], Any] | None = None
    """Return the whole document as bytes for `apply`. Without it, only changes are exchanged."""
    name: str = "document"
    """The name of the document in reports."""

    def __attrs_post_init__(self) -> None:
        for name in ("make", "mutate", "apply", "value", "version", "changes", "export"):
            given = getattr(self, name)
            if not callable(given) and (given is not None or name in REQUIRED):
                raise TypeError(f"`{name}` is {shortened(given)}, which cannot be called.")
