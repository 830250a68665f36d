"""Messages as bytes."""

from __future__ import annotations

from crdb.engine.pubsub.messages import (
    CHANNEL,
    SHARD_CHANNEL,
    message_to_channel,
    message_to_pattern,
)


def test_message_is_array_or_push() -> None:
    message = message_to_channel(CHANNEL, b"a", b"hi")
    assert message.encoded(2) == b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"
    assert message.encoded(3) == b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"


def test_message_is_encoded_once_for_each_protocol() -> None:
    message = message_to_channel(SHARD_CHANNEL, b"a", b"hi")
    assert message.encoded(2) is message.encoded(2)
    assert message.encoded(3) is message.encoded(3)
    assert b"smessage" in message.encoded(2)


def test_message_to_pattern_names_it() -> None:
    message = message_to_pattern(b"a*", b"ab", b"")
    assert message.encoded(2) == b"*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$2\r\nab\r\n$0\r\n\r\n"
