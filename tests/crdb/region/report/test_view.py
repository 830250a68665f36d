"""The live view of regions and links, on screens of any size."""

from __future__ import annotations

from itertools import permutations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType

from crdb.engine.environment.link_control import LinkInfo, LinkState
from crdb.region.report.view import RegionMetrics, ViewState, draw, link_part, most_apart

CLOUD = ("us-east-1", "eu-west-1", "ap-southeast-1")


def figures(name: str, number: int) -> RegionMetrics:
    return RegionMetrics(
        name=name,
        number=number,
        host="127.0.0.1",
        port=7000 + number,
        clients=3,
        keys=12_345,
        commands_per_second=1_000.4,
        effects_per_second=7.0,
        role="active",
        vector={256: 10},
    )


def view_state(*names: str, links: list[LinkInfo] | None = None, events: int = 0) -> ViewState:
    """Return regions that are all linked with each other."""
    mesh = [
        LinkInfo(*ends, LinkState.STREAMING, lag_ms=36.4, delay_ms=35.0)
        for ends in permutations(names, 2)
    ]
    return ViewState(
        names=names,
        regions=[figures(name, number) for number, name in enumerate(names, 1)],
        links=mesh if links is None else links,
        events=[f"event {number}" for number in range(events)],
        seconds=3_725.0,
        memory="48.10M",
    )


def rendered(what: RenderableType, width: int, height: int) -> list[str]:
    """Return the lines of a terminal of this size, without the spaces at their ends."""
    console = Console(width=width, height=height, color_system=None, legacy_windows=False)
    lines = console.render_lines(what, console.options.update(height=height), pad=False)
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


def drawn(what: ViewState, width: int = 80, height: int = 24) -> str:
    return "\n".join(rendered(draw(what, width, height), width, height)).rstrip()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (20, 6), (30, 3), (80, 1)])
def test_question_is_seen_on_every_terminal(width: int, height: int) -> None:
    question = "stop all the same? press Ctrl-C again, or y and Enter"
    asked = attrs.evolve(view_state("us", "eu", "ap", events=9), question=question)
    lines = rendered(draw(asked, width, height), width, height)
    assert len(lines) <= height
    assert " ".join(lines).startswith(question)


def lines_of_links(what: ViewState, width: int) -> list[str]:
    part = link_part(what, width)
    return rendered(part.layout(), width, part.height)


def test_three_regions_of_cloud_fit_smallest_usual_terminal() -> None:
    assert drawn(view_state(*CLOUD, events=30)).splitlines() == [
        "crdb  3 regions  all hold the same  up 1:02:05  memory 48.10M",
        "",
        "#  region          address         clients    keys  commands/s  writes/s",
        "1  us-east-1       127.0.0.1:7001        3  12,345       1,000         7",
        "2  eu-west-1       127.0.0.1:7002        3  12,345       1,000         7",
        "3  ap-southeast-1  127.0.0.1:7003        3  12,345       1,000         7",
        "",
        "lag of links",
        "#  from \\ to       us-east-1  eu-west-1  ap-southeast-1",
        "1  us-east-1               ·      36 ms           36 ms",
        "2  eu-west-1           36 ms          ·           36 ms",
        "3  ap-southeast-1      36 ms      36 ms               ·",
        "",
        "events",
        *(f"event {number}" for number in range(22, 30)),
        "",
        "Ctrl-C stops all regions",
    ]


def test_cut_shows_missing_writes() -> None:
    cut = view_state("us", "eu", links=[LinkInfo("us", "eu", LinkState.CUT)])
    ahead = attrs.evolve(cut.regions[0], vector={256: 1_310, 512: 5})
    text = drawn(attrs.evolve(cut, regions=[ahead, *cut.regions[1:]]))
    assert "cut, 1,305 behind" in text
    assert "1,305 writes apart" in text


def test_most_apart_is_one_that_lacks_most_of_all_there_is() -> None:
    regions = view_state("us", "eu", "ap").regions
    vectors = ({1: 5}, {1: 3, 2: 9}, {2: 1})
    held = [attrs.evolve(r, vector=v) for r, v in zip(regions, vectors, strict=True)]
    assert most_apart(held) == 13
    assert most_apart([]) == 0


def test_streaming_link_shows_ops_in_transit() -> None:
    busy = LinkInfo("us", "eu", LinkState.STREAMING, lag_ms=36, lag_ops=1_200)
    assert "36 ms, 1,200 behind" in drawn(view_state("us", "eu", links=[busy]))


def test_link_without_both_ends_here_shows_its_state() -> None:
    alone = view_state("us", "eu", links=[LinkInfo("us", "eu", LinkState.DOWN)])
    text = drawn(attrs.evolve(alone, regions=alone.regions[:1]))
    assert "down" in text
    assert "apart" not in text
    assert text.startswith("crdb  us  up")
    assert "Ctrl-C stops this region" in text


def test_where_names_do_not_fit_sinks_go_by_number() -> None:
    names = [f"region-number-{number}" for number in range(1, 9)]
    lines = lines_of_links(view_state(*names), 80)
    assert lines[1].split() == ["#", "from", "\\", "to", *map(str, range(1, 9))]
    assert all(cell_len(line) <= 80 for line in lines)


def test_where_words_do_not_fit_lags_are_numbers() -> None:
    names = [f"r{number}" for number in range(1, 9)]
    links = [
        LinkInfo("r1", "r2", LinkState.STREAMING, lag_ms=36, lag_ops=12_345),
        LinkInfo("r2", "r1", LinkState.CATCHING_UP),
        LinkInfo("r1", "r8", LinkState.CUT),
    ]
    lines = lines_of_links(view_state(*names, links=links), 36)
    assert lines[0] == "lag of links in ms"
    assert lines[2].split() == ["1", "r1", "·", "36", "-12k", "cut"]
    assert lines[3].split() == ["2", "r2", "late", "·", "·"]


def test_where_no_table_fits_links_are_counted() -> None:
    lines = lines_of_links(view_state(*(f"r{number}" for number in range(60))), 80)
    assert lines == ["3540 links  3540 streaming"]
    assert "6 links  6 streaming" in drawn(view_state(*CLOUD), 80, 10)
    links = [LinkInfo("us", "eu", LinkState.CUT), LinkInfo("eu", "us", LinkState.STREAMING)]
    line = "2 links  1 streaming  1 cut  (us -> eu)"
    assert line in drawn(view_state("us", "eu", links=links), 80, 8)


def test_role_is_shown_when_there_is_more_than_one() -> None:
    pair = view_state("us", "eu")
    copy = attrs.evolve(pair.regions[0], role="read-only copy", host="::1")
    text = drawn(attrs.evolve(pair, regions=[copy, *pair.regions[1:]]), 100)
    assert "read-only copy" in text
    assert "[::1]:7001" in text
    assert "role" not in drawn(pair)


def test_small_terminal_loses_columns_and_never_port() -> None:
    for width in (60, 50, 40, 30):
        text = drawn(view_state(*CLOUD), width)
        assert "7003" in text
        assert "…" not in text.partition("\n\n")[2].partition("\n\n")[0]


def test_many_regions_are_counted_when_they_do_not_fit() -> None:
    text = drawn(view_state(*(f"r{number}" for number in range(60)), links=[]), 80, 10)
    assert text.splitlines()[-1] == "and 54 more"


def test_name_is_never_taken_for_style() -> None:
    assert "[red]a[/]" in drawn(view_state("[red]a[/]", "b"))
    assert "[/x]" in drawn(attrs.evolve(view_state("a"), events=["[/x]"]))


NAMES = st.lists(st.text(st.characters(categories=["L"]), min_size=1, max_size=20), unique=True)


@given(NAMES.filter(bool), st.integers(1, 200), st.integers(1, 60), st.sampled_from(LinkState))
def test_every_view_fits_screen(
    names: list[str], width: int, height: int, state: LinkState
) -> None:
    links = [LinkInfo(*ends, state) for ends in permutations(names, 2)]
    lines = rendered(draw(view_state(*names, links=links, events=9), width, height), width, height)
    assert len(lines) <= height
    assert all(cell_len(line) <= width for line in lines)
    assert not any("╭" in line for line in lines), "rich draws a box for an empty layout"
