"""The text and JSON of events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crdb.deployment.config import Config
from crdb.region.report import events
from crdb.region.report.events import region_addresses
from tests.crdb.events import make_event


def text_lines(name: str, details: dict[str, Any]) -> list[str]:
    return events.text_lines(make_event(name, details))


def json_line(seconds: float, name: str, details: dict[str, Any]) -> str:
    return events.json_line(seconds, make_event(name, details))


FAULT = {"region": "us", "client": 3, "command": "get"}


def world() -> Config:
    return Config.from_names(["us", "eu"], 7100)


def test_ready_names_every_region_with_its_address() -> None:
    assert region_addresses(world(), ("us", "eu")) == [
        {"name": "us", "id": 1, "host": "127.0.0.1", "port": 7101},
        {"name": "eu", "id": 2, "host": "127.0.0.1", "port": 7102},
    ]


def test_process_of_one_region_reports_it() -> None:
    assert [region["id"] for region in region_addresses(world(), ("eu",))] == [2]


def test_json_is_always_one_line() -> None:
    details = {"region": "us", "peer": "eu", "direction": "in", "reason": "a\nb"}
    line = json_line(1.5, "link down", details)
    assert "\n" not in line
    read = json.loads(line)
    assert read["event"] == "link down"
    assert read["time"] == 1.5
    assert read["reason"] == "a\nb"


def test_ready_shows_how_to_connect() -> None:
    details = {"regions": region_addresses(world(), ("us",))}
    assert text_lines("ready", details) == ["ready"]
    assert text_lines("listening", details) == [
        "listening",
        "  1 us: redis-cli -h 127.0.0.1 -p 7101",
    ]
    assert text_lines("listening", {"regions": []}) == ["listening"]


@pytest.mark.parametrize(
    ("event", "details", "lines"),
    [
        ("caught up", {"region": "us", "peer": "eu"}, ["eu -> us: up, all that eu has is here"]),
        (
            "resynced",
            {"region": "us", "peer": "eu", "full": True},
            ["eu -> us: merged a snapshot"],
        ),
        (
            "link down",
            {"region": "us", "peer": "eu", "direction": "in", "reason": "the link is cut"},
            ["eu -> us: down: the link is cut"],
        ),
        (
            "link down",
            {"region": "us", "peer": "eu", "direction": "out", "reason": "lost"},
            ["us -> eu: down: lost"],
        ),
        ("link cut", {"source": "us", "sink": "eu"}, ["us -> eu: cut by command"]),
        ("link healed", {"source": "us", "sink": "eu"}, ["us -> eu: healed by command"]),
        ("promoted", {"region": "us"}, ["us: promoted"]),
        ("source up", {"region": "us", "source": "db:1"}, ["us: source up source=db:1"]),
        (
            "resynced",
            {"region": "us", "source": "db:1", "full": False},
            ["us: resynced source=db:1 full=false"],
        ),
        (
            "following",
            {"region": "us", "sources": ["a:1", "b:2"]},
            ["us: following sources=a:1,b:2"],
        ),
        ("stopping", {"signal": "SIGINT"}, ["stopping signal=SIGINT"]),
    ],
)
def test_other_events_for_people_are_one_line(
    event: str, details: dict[str, object], lines: list[str]
) -> None:
    assert text_lines(event, details) == lines


def test_technical_events_are_not_shown_to_people() -> None:
    assert text_lines("link up", {"region": "us", "peer": "eu", "direction": "in"}) == []
    assert text_lines("resynced", {"region": "us", "peer": "eu", "full": False}) == []


def test_traceback_stands_below() -> None:
    details = {**FAULT, "traceback": "Traceback ...\n  File"}
    assert text_lines("internal error", details) == [
        "us: internal error client=3 command=get",
        "Traceback ...",
        "  File",
    ]


def test_remote_text_cannot_send_control_codes() -> None:
    reason = "bell \x07, escape \x1b[2J, new\nline, right to left \u202e"
    details = {"region": "us", "peer": "eu", "direction": "in", "reason": reason}
    (line,) = text_lines("link down", details)
    assert line.isprintable()
    assert "\\x1b[2J, new\\nline" in line


def test_repeated_event_shows_its_count() -> None:
    down = {"region": "us", "peer": "eu", "direction": "in", "reason": "lost", "times": 120}
    assert text_lines("link down", down) == ["eu -> us: down: lost (again, 120 times)"]
    up = {"region": "us", "peer": "eu", "direction": "in", "times": 2}
    assert text_lines("link up", up) == []
    fault = {**FAULT, "traceback": "Traceback\nEnd", "times": 3}
    assert text_lines("internal error", fault) == [
        "us: internal error client=3 command=get (again, 3 times)",
        "Traceback",
        "End",
    ]


AT_US = {"region": "us"}


@pytest.mark.parametrize(
    ("event", "details", "line"),
    [
        ("loading", {"reason": "it has restarted"}, "us: loading: it has restarted"),
        (
            "waiting",
            {"peers": {"eu": "no", "ap": "never"}, "reason": "Nobody", "remedy": "start one"},
            "us: waiting for its peers (eu: no; ap: never). Nobody: start one",
        ),
        ("waiting", {"peers": {"eu": "no"}}, "us: waiting for its peers (eu: no)"),
        (
            "data lost",
            {"everything": True, "writes": 3},
            "us: what earlier incarnations held is lost: no peer has it (3 writes)",
        ),
        (
            "data lost",
            {"everything": False, "writes": 3},
            "us: some of what earlier incarnations held is lost: no peer has it (3 writes)",
        ),
        (
            "data lost",
            {"everything": False, "keys": 2},
            "us: 2 keys could not be kept when its origin was changed",
        ),
        ("kept", {"moved": True}, "us: what was put aside is back"),
        (
            "data at risk",
            {"is_last": True, "keys": 4, "writes": 9},
            "us: stopping loses 4 keys, and no other connected region has that data",
        ),
        (
            "data at risk",
            {"is_last": False, "keys": 4, "writes": 9},
            "us: 9 writes have not reached another region yet",
        ),
        (
            "data at risk",
            {"is_last": True, "keys": 1, "writes": 9},
            "us: stopping loses 1 key, and no other connected region has that data",
        ),
        (
            "data at risk",
            {"is_last": False, "keys": 4, "writes": 1},
            "us: 1 write has not reached another region yet",
        ),
        ("ready", {}, "us: ready"),
    ],
)
def test_events_of_restart_are_sentences(event: str, details: dict[str, object], line: str) -> None:
    assert text_lines(event, AT_US | details) == [line]


def test_unlisted_region_gets_explanation() -> None:
    (line,) = text_lines("not listed", {"region": "us", "peer": "eu"})
    assert line.startswith("us: the file of eu does not list this region")
    assert text_lines("confirm", {"how": "press y"}) == ["stop all the same? press y"]


def test_region_that_is_not_dialled_is_told_where_to_look() -> None:
    (line,) = text_lines("not dialled", {"region": "us", "peer": "eu"})
    assert line == (
        "us: eu takes no writes from here, since it does not connect to this region: check host "
        "and link_port of us in the file of eu, and firewalls"
    )


@pytest.mark.parametrize(
    ("there", "here", "others", "text"),
    [
        (["ap", "sa"], [], [], "lists ap, sa, and the file of this region does not"),
        ([], ["ap"], ["af"], "does not list ap; it has peers whose files list af"),
        ([], [], [], "lists the same regions as the file of this region"),
    ],
)
def test_lists_that_differ_are_named(
    there: list[str], here: list[str], others: list[str], text: str
) -> None:
    details = {"only_there": there, "only_here": here, "from_others": others}
    details |= {"region": "us", "peer": "eu"}
    assert text_lines("lists of regions", details) == [f"us: the file of eu {text}"]


def test_lack_of_files_for_clients_is_said_in_one_line() -> None:
    assert text_lines("maxclients lowered", {"asked": 10_000, "maxclients": 64}) == [
        "maxclients is 64, not 10000: too few files may be open (ulimit -n)"
    ]


def test_links_without_secret_are_announced_in_one_line() -> None:
    assert text_lines("no link secret", {"reach": "this machine"}) == [
        "links stay on this machine: no secret is set"
    ]
