"""Links between replicas: one brings what was written at its source to its sink.

Read in this order: `frames` (what the two ends say to each other), `source` and `sink` (the
machines at both ends, each with its table of transitions), `links` (all links of one replica),
`repair` (what happens when a link is missing), `replica_of` (following another database), `link`
(the driver that owns streams and clock).

In front of the machines stand `handshake` (the proof of a shared secret) and `channel` (bytes to
frames and back).

All but the drivers `link`, `writer` and `line` is sans-IO: frames, bytes and time come in, frames
and events go out. The simulator drives the same machines. See design section 5.
"""

from __future__ import annotations
