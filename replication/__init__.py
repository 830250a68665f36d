"""Links between replicas: one brings what was written at its source to its sink.

Read in this order: `protocol.frames` (the messages of a link), `machines.source` and
`machines.sink` (both ends of a link, each with its table of transitions), `mesh.links` (all links
of one replica), `mesh.repair` (what happens when a link is missing), `follow.follower` (following
another database).

`machines.connection` is one end of a connection, bytes in and bytes out. In it stand
`protocol.handshake` (the proof of a shared secret), `protocol.channel` (bytes to frames and back)
and `machines.multiplexer` (the links of several slot groups). `machines.contract` states what a
driver needs of such a machine.

Everything but `drivers` is sans-IO: frames, bytes and time come in, frames and events go out. The
simulator drives the same machines.
"""

from __future__ import annotations
