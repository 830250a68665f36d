"""What must always be true, one promise to a file, each with the list of what it does not check.

`ALL` makes one of each for a world. A checker raises `Violation` at the moment at which its promise
is broken, and counts how often it had something to look at: a promise that nothing put to the test
was not kept, it was lucky.
"""

from __future__ import annotations
