"""Run the commands of the guides in `docs/how-to/` against a real `crdb up`."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from crdb.deployment.config_file import read_config
from tests.documents import blocks, redis_calls, text_of, with_ports
from tests.e2e.checkout.served import replies_as_shown, served
from tests.e2e.processes import ask, eventually

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own


@pytest.fixture
def ports() -> Generator[dict[str, int]]:
    """Start two regions, named as those of the guides."""
    with served(["up", "--regions", "us,eu"], 2) as found:
        yield found


def test_cut_and_heal_reply_as_shown(ports: dict[str, int]) -> None:
    assert replies_as_shown(text_of("docs/how-to/administer.md"), ports) == 4


def test_reading_own_writes_elsewhere_runs(ports: dict[str, int]) -> None:
    (program,) = blocks(text_of("docs/how-to/administer.md"), "python")
    exec(compile(with_ports(program, ports), "administer.md", "exec"), {})


def test_users_may_do_what_is_shown(ports: dict[str, int]) -> None:
    text = text_of("docs/how-to/manage-users.md")
    (program,) = blocks(text, "python")
    for number, (_, words, shown) in enumerate(redis_calls(text)):
        if number == 5:
            exec(compile(with_ports(program, ports), "manage-users.md", "exec"), {})
        reply = ask(ports["7001"], *words).decode().splitlines()[-1]
        assert reply.removeprefix("+").removeprefix("-").startswith(shown), words
    files = blocks(text, "toml")
    assert len(read_config(files[0]).users) == 3
    assert read_config(files[1]).region("us").aclfile == "us.acl"


def test_copy_follows_and_is_promoted_as_shown(ports: dict[str, int]) -> None:
    text = text_of("docs/how-to/follow-another-database.md")
    (file,) = blocks(text, "toml")
    (copy,) = read_config(file, "follow-another-database.md").regions
    assert copy.replica_of == (("127.0.0.1", 7001),)
    ask(ports["7001"], "SET", "greeting", "hello")
    with served(["up", "--regions", "copy"], 1) as near:
        port = near["7001"]
        for _, shown_words, shown in redis_calls(text):
            words = [word.replace("7001", str(ports["7001"])) for word in shown_words]
            reply = ask(port, *words).decode()
            assert reply[1:].startswith(shown), words
            if words[:2] == ["REPLICAOF", "127.0.0.1"]:
                eventually(lambda: ask(port, "GET", "greeting") == b"$5\r\nhello\r\n")
        assert ask(port, "GET", "greeting") == b"$5\r\nhello\r\n", "the data stays"
