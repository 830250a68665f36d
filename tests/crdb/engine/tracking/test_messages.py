"""The bytes of invalidations."""

from __future__ import annotations

from crdb.engine.tracking.messages import broken_redirect, invalidation


def test_invalidation_is_push_in_resp3_and_message_in_resp2() -> None:
    keys = b"*2\r\n$1\r\na\r\n$2\r\nbc\r\n"
    channel = b"$20\r\n__redis__:invalidate\r\n"
    assert invalidation([b"a", b"bc"], 3) == b">2\r\n$10\r\ninvalidate\r\n" + keys
    assert invalidation([b"a", b"bc"], 2) == b"*3\r\n$7\r\nmessage\r\n" + channel + keys


def test_null_stands_for_all_keys() -> None:
    assert invalidation(None, 3).endswith(b"invalidate\r\n_\r\n")
    assert invalidation(None, 2).endswith(b"invalidate\r\n$-1\r\n")


def test_broken_redirect_names_client() -> None:
    assert broken_redirect(7) == b">2\r\n$21\r\ntracking-redir-broken\r\n:7\r\n"
