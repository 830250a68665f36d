"""Documents of other libraries, such as pycrdt and Loro, as types that `check_type` can check.

A change is made once, at its origin; bytes travel; the others apply them.

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

Documents draw random client ids unless they are given one. Give them the replica's number, as here:
then a failure repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Foreign:
    """The functions by which a document of another library is used."""

    make: Callable[..., Any]
    """Makes a new document: `make()`, or `make(replica)` with the number of its replica."""
    mutate: Callable[..., Any]
    """Carries a command out: `mutate(document, *command)`. It returns the bytes that travel, unless
    `changes` is given; then it may return a result."""
    apply: Callable[[Any, Any], Any]
    """Takes in what another document sent: `apply(document, data)`."""
    value: Callable[[Any], Any]
    """Returns the value as readers see it: `value(document)`."""
    version: Callable[[Any], Any] | None = None
    """Returns the version of a document, before a command: `version(document)`."""
    changes: Callable[[Any, Any], Any] | None = None
    """Returns what a command has changed since a version: `changes(document, version)`."""
    export: Callable[[Any], Any] | None = None
    """The whole document as bytes that `apply` takes. Without it, only changes are exchanged."""
    name: str = "document"
    """Its name in reports."""
