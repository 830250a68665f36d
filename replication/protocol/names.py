"""Names of regions and CRDBs: which ones are valid, wherever they come from."""

from __future__ import annotations

import re
from typing import Final

RULE: Final = (
    "give it 1 to 64 characters, not all of them digits, without spaces, commas, slashes and "
    "characters that cannot be printed, and not beginning with a dot or a hyphen"
)

_NAME: Final = re.compile(r"(?!\d+\Z)[^\s,/\\.-][^\s,/\\]{0,63}")


def is_name(text: str) -> bool:
    """Return whether a region may have this name.

    Digits alone would be taken for a number. A space or a comma would end the name in a command, an
    option or a line of INFO. A slash would leave the state directory. What cannot be printed could
    move the cursor of a terminal.

    >>> is_name("eu-west-1"), is_name("../eu"), is_name("17")
    (True, False, False)
    """
    return _NAME.fullmatch(text) is not None and text.isprintable()
