"""Values that parameters accept."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.parameters.parameters import BOUNDS
from crdb.engine.parameters.settings import InvalidValue, canonical, load_parameters, parse_memory
from replication.machines.receiving.pieces import REQUEST_BYTES_MAX
from tests.crdb.raw import instance, lines

PARAMETERS = load_parameters()
OK = b"+OK\r\n"


@pytest.mark.parametrize(
    ("name", "most"),
    [("proto-max-bulk-len", 512 << 20), ("client-query-buffer-limit", 1 << 30)],
)
def test_no_string_or_request_is_too_large_for_link(name: str, most: int) -> None:
    assert most <= REQUEST_BYTES_MAX
    client = Client(instance())
    for value in ("1000", str(most + 1), "2gb", str(BOUNDS["LONG_MAX"])):
        output = lines(client, f"CONFIG SET {name} {value}", f"CONFIG GET {name}")
        assert b"argument must be between 1048576 and %d inclusive" % most in output[0]
        assert output[1].endswith(b"\r\n%d\r\n" % most)
    assert lines(client, f"CONFIG SET {name} {most}", f"CONFIG SET {name} 1mb") == [OK, OK]
    assert lines(client, f"CONFIG GET {name}")[0].endswith(b"\r\n1048576\r\n")


def test_defaults_are_legal() -> None:
    defaults = {name: parameter.default for name, parameter in PARAMETERS.items()}
    taken = {
        name: canonical(parameter, parameter.default, parameter.default)
        for name, parameter in PARAMETERS.items()
    }
    assert taken == defaults


def test_choice_that_7_2_added() -> None:
    assert canonical(PARAMETERS["loglevel"], "nothing", "notice") == "nothing"


@pytest.mark.parametrize("name", ["slave", "REPLICA"])
def test_limit_of_followers_cannot_be_changed(name: str) -> None:
    """Links bound what waits for a follower, so this limit would have no effect."""
    limits = PARAMETERS["client-output-buffer-limit"]
    present = f"{name} 256mb 64mb 60"
    assert canonical(limits, present, limits.default) == limits.default
    assert canonical(limits, f"normal 7 0 0 {present}", limits.default).startswith("normal 7 0 0 ")
    for other in ("1gb 64mb 60", "256mb 0 60", "256mb 64mb 0"):
        with pytest.raises(InvalidValue, match="'slave' is not supported by crdb"):
            canonical(limits, f"normal 7 0 0 {name} {other}", limits.default)


def test_octal_numbers() -> None:
    mode = PARAMETERS["unixsocketperm"]
    assert canonical(mode, "0700", "0") == "700"
    for value, text in (("8", "couldn't be parsed as an octal"), ("1000", "between 0 and 777")):
        with pytest.raises(InvalidValue, match=text):
            canonical(mode, value, "0")


def test_addresses() -> None:
    bind = PARAMETERS["bind"]
    assert canonical(bind, "127.0.0.1 ::1", "") == "127.0.0.1 ::1"
    with pytest.raises(InvalidValue, match="Too many bind addresses"):
        canonical(bind, " ".join(["::1"] * 17), "")


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("10", 10), ("1K", 1000), ("1kB", 1024), ("", 0), ("1x", None), ("1 kb", None)],
)
def test_memory(text: str, size: int | None) -> None:
    assert parse_memory(text) == size
