"""One replica's history and its links: the op-log, and the machines at both ends of a link.

Everything here is sans-IO but the driver `link.py`. See design section 5.
"""

from __future__ import annotations
