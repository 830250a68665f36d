"""The map: regions, topologies and measured latencies between cloud regions. Pure."""

from __future__ import annotations
