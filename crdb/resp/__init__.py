"""RESP, the protocol of Redis clients: requests in, replies out, no I/O."""

from __future__ import annotations
