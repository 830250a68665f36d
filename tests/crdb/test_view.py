"""The live view shows every region and every link."""

from __future__ import annotations

from rich.console import Console

from crdb.link_control import LinkInfo, LinkState
from crdb.view import RegionFigures, draw


def figures(name: str, number: int) -> RegionFigures:
    return RegionFigures(
        name=name,
        number=number,
        address=f"127.0.0.1:{7000 + number}",
        clients=3,
        keys=12_345,
        commands_per_second=1_000.4,
        effects_per_second=7.0,
        role="active",
    )


def drawn(
    regions: list[RegionFigures], links: list[LinkInfo], events: list[str] | None = None
) -> str:
    console = Console(width=120, record=True, file=None, force_terminal=False, quiet=False)
    with console.capture() as capture:
        console.print(draw(regions, links, events or []))
    return capture.get()


def test_a_region_shows_its_figures() -> None:
    text = drawn([figures("us", 1)], [])
    for expected in ("us", "127.0.0.1:7001", "12,345", "1,000", "active", "Ctrl-C"):
        assert expected in text
    assert "links" not in text


def test_a_link_shows_lag_delay_or_why_it_does_not_flow() -> None:
    links = [
        LinkInfo("us", "eu", LinkState.STREAMING, lag_ops=1200, lag_ms=36.0, delay_ms=35.0),
        LinkInfo("eu", "us", LinkState.CUT),
        LinkInfo("ap", "us", LinkState.STREAMING, lag_ms=2.0),
    ]
    text = drawn([figures("us", 1), figures("eu", 2)], links)
    assert "36 ms, 1,200 behind" in text
    assert "(35 ms away)" in text
    assert "cut" in text
    assert "ap" in text, "a source that runs elsewhere has a row too"
    assert "-" in text, "regions without a link between them are marked"


def test_events_stand_below() -> None:
    assert "link up peer=eu" in drawn([figures("us", 1)], [], ["link up peer=eu"])
