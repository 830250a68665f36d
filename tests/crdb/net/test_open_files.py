"""The limit of open files: too low a limit is reported at the start."""

from __future__ import annotations

import resource

import pytest

from crdb.deployment.config import Config
from crdb.net.open_files import FILES_MAX, TooFewFiles, allow_files

THREE = ("us", "eu", "ap")
UNLIMITED = resource.RLIM_INFINITY


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Replace the system's limits of the process by a list of pairs (soft, hard). The last pair is
    in force."""
    reported: list[tuple[int, int]] = []

    def look(_which: int) -> tuple[int, int]:
        return reported[-1]

    def take(_which: int, pair: tuple[int, int]) -> None:
        reported.append(pair)

    monkeypatch.setattr(resource, "getrlimit", look)
    monkeypatch.setattr(resource, "setrlimit", take)
    return reported


@pytest.mark.parametrize(
    ("before", "after", "clients"),
    [
        ((1024, 4096), (4096, 4096), 1345),
        ((1024, UNLIMITED), (FILES_MAX, UNLIMITED), 349_505),
        ((4096, 4096), (4096, 4096), 1345),
        ((61, 61), (61, 61), 1),
        ((UNLIMITED, UNLIMITED), (UNLIMITED, UNLIMITED), None),
    ],
)
def test_limit_is_raised_as_far_as_allowed(
    limits: list[tuple[int, int]],
    before: tuple[int, int],
    after: tuple[int, int],
    clients: int | None,
) -> None:
    limits.append(before)
    assert allow_files(Config.from_names(THREE, 7000), THREE) == clients
    assert limits[-1] == after


def test_one_region_alone_has_all_files(limits: list[tuple[int, int]]) -> None:
    limits.append((100, 100))
    assert allow_files(Config.from_names(["us"], 7000), ("us",)) == 63


def test_error_names_needed_number_of_files(
    limits: list[tuple[int, int]],
) -> None:
    config = Config.from_names(THREE, 7000)
    limits.append((20, 58))
    with pytest.raises(TooFewFiles, match="only 58 files may be open, and 59 are needed"):
        allow_files(config, THREE)
    limits.append((20, 59))
    allow_files(config, THREE)
    limits.append((20, 41))
    allow_files(config, THREE[:1])


def test_refused_limit_reports_too_few_files(
    limits: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_which: int, _pair: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    limits.append((50, 1024))
    with pytest.raises(TooFewFiles, match="only 50"):
        allow_files(Config.from_names(THREE, 7000), THREE)
