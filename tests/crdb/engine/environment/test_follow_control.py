"""The interface for following another database."""

from __future__ import annotations

from crdb.engine.environment.follow_control import FollowControl
from crdb.region.following import SourceLinks


def test_runtime_offers_it() -> None:
    offered: type[FollowControl] = SourceLinks
    assert {"follow", "promote", "sources", "state"} <= set(dir(offered))
