"""Events as people and programs read them."""

from __future__ import annotations

import json

from crdb.config import Config
from crdb.events import json_line, ready_details, text_line


def world() -> Config:
    return Config.from_names(["us", "eu"], 7100)


def test_ready_names_every_region_with_its_address() -> None:
    details = ready_details(world(), ("us", "eu"))
    assert details == {
        "regions": [
            {"name": "us", "id": 1, "host": "127.0.0.1", "port": 7101},
            {"name": "eu", "id": 2, "host": "127.0.0.1", "port": 7102},
        ]
    }


def test_a_process_of_one_region_tells_of_that_one() -> None:
    details = ready_details(world(), ("eu",))
    assert [region["id"] for region in list_of(details["regions"])] == [2]


def list_of(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value  # pyright: ignore[reportUnknownVariableType]


def test_json_is_one_line_whatever_it_holds() -> None:
    line = json_line(1.5, "link lost", {"peer": "eu", "reason": "a\nb", "odd": {1}})
    assert "\n" not in line
    read = json.loads(line)
    assert read["event"] == "link lost"
    assert read["time"] == 1.5
    assert read["reason"] == "a\nb"


def test_ready_for_people_says_how_to_connect() -> None:
    assert text_line("ready", ready_details(world(), ("us",))) == (
        "ready\n  1 us: redis-cli -h 127.0.0.1 -p 7101"
    )


def test_other_events_for_people_are_one_line_with_a_traceback_below() -> None:
    assert text_line("link up", {"peer": "eu"}) == "link up peer=eu"
    assert text_line("stopping", {}) == "stopping"
    told = text_line("internal error", {"client": 3, "traceback": "Traceback ..."})
    assert told == "internal error client=3\nTraceback ..."


def test_ready_without_regions_is_just_that() -> None:
    assert text_line("ready", {}) == "ready"
