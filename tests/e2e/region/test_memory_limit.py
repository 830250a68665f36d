"""A process with limited memory: clients cannot end it, and it replies OOM in time."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from resource import RLIMIT_AS, RLIMIT_DATA, prlimit

import pytest

from crdb.resp.decoder import ErrorReply, Reply, Status
from tests.crdb.redis_peer import Reader, encode, request
from tests.e2e.processes import WAIT_SECONDS, ask, eventually, ready_event, started
from tests.ports import free_ports

HEADROOM = 300 << 20


class Talker:
    """A client of a process."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
        self.reader = Reader(lambda: self.sock.recv(1 << 20))

    def close(self) -> None:
        """Close the connection."""
        self.sock.close()

    def ask(self, *words: str | bytes) -> Reply:
        """Send one command. Return its reply."""
        self.sock.sendall(request(encode(words)))
        return self.reader.next()[1]

    def ask_all(self, commands: list[list[bytes]]) -> list[Reply]:
        """Send many commands in one go. Return their replies."""
        self.sock.sendall(b"".join(map(request, commands)))
        return [self.reader.next()[1] for _ in commands]


@contextmanager
def limited(tmp_path: Path, limit: int = RLIMIT_AS) -> Generator[int]:
    """Yield the port of a region that may take 300 MB more than it has after its start.

    The guard reads RLIMIT_AS. It notices RLIMIT_DATA only by the memory that it cannot get.
    """
    port, link_port = free_ports(2)
    file = tmp_path / "regions.toml"
    file.write_text(f'[[region]]\nname = "us"\nport = {port}\nlink_port = {link_port}\n')
    arguments = ["serve", str(file), "--region", "us", "--json", "--state", str(tmp_path / "s")]
    with started(arguments) as process:
        ready_event(process)
        column = {RLIMIT_AS: 0, RLIMIT_DATA: 5}[limit]
        used = int(Path(f"/proc/{process.pid}/statm").read_text().split()[column]) * 4096
        prlimit(process.pid, limit, (used + HEADROOM, used + HEADROOM))
        yield port
        assert process.poll() is None, "it has ended"


def is_oom(reply: Reply) -> bool:
    return isinstance(reply, ErrorReply) and reply.text.startswith(b"OOM ")


def fill(talker: Talker, size: int = 100_000, keys: int = 10_000) -> bool:
    """Write strings until a write is refused."""
    value = b"x" * size
    for start in range(0, keys, 50):
        names = [b"key:%d" % n for n in range(start, start + 50)]
        try:
            if any(map(is_oom, talker.ask_all([[b"SET", name, value] for name in names]))):
                return True
        except ConnectionError:  # there was no memory for the request itself
            return True
    return False


def fill_with_small_items(talker: Talker) -> bool:
    """Add small items until an addition is refused. In memory they take several times their
    size."""
    for start in range(0, 4_000_000, 100):
        members = range(start, start + 100)
        try:
            replies = talker.ask_all([[b"SADD", b"s%d" % (n % 10), b"%0100d" % n] for n in members])
        except ConnectionError:
            return True
        if any(map(is_oom, replies)):
            return True
    return False


def append_in_pipelines(talker: Talker) -> bool:
    """Append small texts to one string. Its copies must not add up."""
    talker.ask("SET", "big", b"x" * 10_000_000)
    replies = talker.ask_all([[b"APPEND", b"big", b"y"]] * 300)
    return replies[-1] == 10_000_300


def invert_in_a_transaction(talker: Talker) -> bool:
    """Make a hundred long strings of another one, all of which is a single operation."""
    talker.ask("SET", "a", b"x" * 5_000_000)
    commands = [[b"BITOP", b"NOT", b"key:%d" % number, b"a"] for number in range(100)]
    replies = talker.ask_all([[b"MULTI"], *commands, [b"EXEC"]])
    return any(map(is_oom, replies[-1]))


def make_a_huge_value(talker: Talker) -> bool:
    """Send a command that needs more memory than there is. A long string of zeros may take little,
    but not the same one inverted."""
    zeros = talker.ask("SETRANGE", "r", "536870911", "x")
    return is_oom(zeros) or is_oom(talker.ask("BITOP", "NOT", "inverted", "r"))


def send_a_huge_value(talker: Talker) -> bool:
    """Send a request that exceeds the memory. Its connection ends, with an error if possible."""
    talker.sock.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n")
    try:
        for _ in range(500):
            talker.sock.sendall(b"x" * 1_000_000)
        return is_oom(talker.reader.next()[1])
    except (ConnectionError, AssertionError):
        return True


@pytest.mark.parametrize("limit", [RLIMIT_AS, RLIMIT_DATA], ids=["address space", "data"])
def test_no_client_ends_process(tmp_path: Path, limit: int) -> None:
    with limited(tmp_path, limit) as port:
        for act in (append_in_pipelines, invert_in_a_transaction, make_a_huge_value):
            with closing(Talker(port)) as talker:
                assert act(talker), act.__name__
                assert talker.ask("FLUSHALL") == Status(b"OK")
        for act in (send_a_huge_value, fill, fill_with_small_items):
            with closing(Talker(port)) as talker:
                assert act(talker), act.__name__
        assert ask(port, "PING") == b"+PONG\r\n"


def test_writes_are_refused_and_deletions_are_not(tmp_path: Path) -> None:
    with limited(tmp_path) as port, closing(Talker(port)) as talker:
        info = dict(
            line.split(b":", 1) for line in talker.ask("INFO", "memory").split(b"\r\n")[1:-1]
        )
        limit = int(info[b"used_memory"]) + (50 << 20)
        assert talker.ask("CONFIG", "SET", "maxmemory", str(limit)) == Status(b"OK")
        # The last copies of what was written may be freed after the first refusal.
        eventually(lambda: fill(talker) and is_oom(talker.ask("SET", "k", "v")))
        assert talker.ask("GET", "key:0") is not None
        assert talker.ask("DEL", "key:0") == 1
        assert talker.ask("FLUSHALL") == Status(b"OK")


@pytest.mark.parametrize("limit", [RLIMIT_AS, RLIMIT_DATA], ids=["address space", "data"])
def test_full_region_takes_writes_after_deletions(tmp_path: Path, limit: int) -> None:
    """Deleted values leave free memory in the address space, which is used again."""
    with limited(tmp_path, limit) as port, closing(Talker(port)) as talker:
        assert fill(talker, size=2_000, keys=200_000)
        assert talker.ask("FLUSHALL") == Status(b"OK")
        eventually(lambda: not is_oom(talker.ask("SET", "k", "v")))
        assert not fill(talker, size=2_000, keys=10_000)
