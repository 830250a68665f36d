"""The commands, one module per family. Each module exposes its family as `COMMANDS`."""

from __future__ import annotations
