"""Runs requests on JSON documents, in both protocols, and compares replies with examples."""

from __future__ import annotations

import shlex
from typing import Any, cast

from crdb.resp.decoder import ErrorReply, Reply, Status
from tests.crdb.regions import Regions


class Documents(Regions):
    """Two regions, with requests as lines. `use` chooses the protocol."""

    def use(self, protocol: int) -> None:
        self.clients[1].protocol = protocol

    def line(self, text: str, region: int = 1) -> Reply:
        """Run a request. Return its reply, with a status or an error as text."""
        return plain(self.run(region, *shlex.split(text)))

    def get(self, key: str = "k") -> Any:
        return self.run(1, "JSON.GET", key)


def plain(reply: Any) -> Any:
    """Return a reply with texts in place of statuses and errors."""
    if isinstance(reply, Status | ErrorReply):
        return reply.text.decode()
    if isinstance(reply, list):
        return [plain(each) for each in cast("list[Any]", reply)]
    return reply


def replies(setup: str, request: str, protocol: int = 2) -> Any:
    """Return the reply to a request on a document with this text under `k`."""
    documents = Documents()
    if setup:
        assert documents.run(1, "JSON.SET", "k", "$", setup) == Status(b"OK")
    documents.use(protocol)
    return documents.line(request)
