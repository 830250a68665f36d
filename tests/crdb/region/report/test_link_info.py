"""CRDB.LINKS, and cuts that reach both ends."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.engine.environment.link_control import (
    LinkInfo,
    LinkOutOfReach,
    LinkState,
    NoSuchLink,
    have_arrived,
)
from crdb.engine.events.event_bases import OperatorEvent
from crdb.engine.events.operator_events import LinkCutEvent, LinkHealedEvent
from crdb.region.core.membership import peers_of
from crdb.region.report.link_info import ProcessLinks
from crdt.causality.dots import Vector
from crdt.embed.replica import Replica
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.mesh.absence import ATTEMPT_NS_MAX
from replication.mesh.links import Links
from replication.protocol.frames import Eof, Frame
from replication.protocol.peers import Direction, Member


def links_of(config: Config, name: str) -> Links:
    region = config.region(name)
    replica = Replica(region.id, members=[each.id for each in config.regions])
    return Links(replica, Member(name, region.id, replica.origin), peers_of(config, region))


def control(config: Config, *names: str) -> ProcessLinks:
    ends = {name: links_of(config, name) for name in names}
    return ProcessLinks(config, ends, clock=lambda: 5)


def connect(control: ProcessLinks, source: str, sink: str) -> None:
    """Let both ends of a link exchange frames until neither has more to send."""
    near, far = control.ends[sink].dial(source, 0), control.ends[source].serve(0)
    for _ in range(20):
        frames: list[Frame] = near.frames_to_send()
        for frame in frames:
            control.ends[source].receive(far, frame, 1)
        for frame in far.frames_to_send():
            control.ends[sink].receive(near, frame, 1)


THREE = Config.from_names(["us", "eu", "ap"])
LINE = Config.from_names(["us", "eu", "ap"], topology="line")


def state(control: ProcessLinks, source: str, sink: str) -> LinkState:
    found = [link.state for link in control.links() if (link.source, link.sink) == (source, sink)]
    assert len(found) == 1
    return found[0]


def test_every_link_is_listed_once() -> None:
    listed = [(link.source, link.sink) for link in control(THREE, "us", "eu", "ap").links()]
    assert sorted(listed) == sorted(
        (a, b) for a in THREE.topology.regions for b in THREE.topology.regions if a != b
    )


def test_link_connects_then_streams() -> None:
    here = control(THREE, "us", "eu", "ap")
    assert state(here, "us", "eu") is LinkState.CONNECTING
    connect(here, "us", "eu")
    assert state(here, "us", "eu") is LinkState.STREAMING


def attempt(control: ProcessLinks, source: str, sink: str) -> None:
    """Let the sink dial in vain."""
    links = control.ends[sink]
    links.receive(links.dial(source, 0), Eof("refused"), 0)


def test_link_is_down_after_failed_first_attempt() -> None:
    here = control(THREE, "us", "eu")
    attempt(here, "us", "eu")
    assert state(here, "us", "eu") is LinkState.DOWN
    here.ends["eu"].dial("us", 0)
    assert state(here, "us", "eu") is LinkState.DOWN, "nobody has answered"
    here.cut("us", "eu")
    here.heal("us", "eu")
    assert state(here, "us", "eu") is LinkState.CONNECTING
    attempt(here, "us", "eu")
    connect(here, "us", "eu")
    assert state(here, "us", "eu") is LinkState.STREAMING


def test_source_finds_that_its_sink_is_away() -> None:
    here = control(THREE, "us")
    assert state(here, "us", "eu") is LinkState.CONNECTING
    attempt(here, "eu", "us")
    assert state(here, "us", "eu") is LinkState.DOWN, "we cannot reach it either"
    here.cut("eu", "us")
    here.heal("eu", "us")
    here.ends["us"].tick(0)
    assert state(here, "us", "eu") is LinkState.CONNECTING
    here.clock = lambda: ATTEMPT_NS_MAX + 1
    assert state(here, "us", "eu") is LinkState.DOWN, "it would have come"
    assert state(here, "eu", "us") is LinkState.CONNECTING, "an attempt may be under way"
    here.cut("us", "eu")
    here.ends["us"].tick(ATTEMPT_NS_MAX)
    here.heal("us", "eu")
    here.ends["us"].tick(ATTEMPT_NS_MAX)
    assert state(here, "us", "eu") is LinkState.CONNECTING


def test_source_reports_link_to_other_process() -> None:
    both = control(THREE, "us", "eu")
    connect(both, "us", "eu")
    alone = ProcessLinks(THREE, {"us": both.ends["us"]}, clock=lambda: 5)
    assert state(alone, "us", "eu") is LinkState.STREAMING


def test_cut_closes_both_ends_and_heal_opens_them() -> None:
    here = control(THREE, "us", "eu", "ap")
    connect(here, "us", "eu")
    here.cut("us", "eu")
    assert state(here, "us", "eu") is LinkState.CUT
    assert here.ends["us"].is_cut("eu", Direction.OUT)
    assert here.ends["eu"].is_cut("us", Direction.IN)
    assert state(here, "eu", "us") is not LinkState.CUT, "the other way is another link"
    here.heal("us", "eu")
    connect(here, "us", "eu")
    assert state(here, "us", "eu") is LinkState.STREAMING


def lag_ops(control: ProcessLinks, source: str, sink: str) -> int:
    return next(
        link.lag_ops for link in control.links() if (link.source, link.sink) == (source, sink)
    )


@pytest.mark.parametrize("here", [("us", "eu"), ("us",)])
def test_writes_during_cut_count_as_lag(here: tuple[str, ...]) -> None:
    both = control(THREE, "us", "eu")
    seen = ProcessLinks(THREE, {name: both.ends[name] for name in here}, clock=lambda: 5)
    us = both.ends["us"].replica
    us.set("s").add("x")
    us.seal()
    connect(both, "us", "eu")
    both.ends["eu"].tick(10**9)
    connect(both, "us", "eu")
    assert lag_ops(seen, "us", "eu") == 0
    both.cut("us", "eu")
    for member in ("y", "z"):
        us.set("s").add(member)
    us.seal()
    assert lag_ops(seen, "us", "eu") == 2


def test_link_that_was_cut_in_another_process_is_cut_here_too() -> None:
    both = control(THREE, "us", "eu")
    connect(both, "us", "eu")
    us, eu = (
        ProcessLinks(THREE, {name: both.ends[name]}, clock=lambda: 5) for name in ("us", "eu")
    )
    for here, there in ((us, eu), (eu, us)):
        near, far = both.ends["eu"].sinks["us"], both.ends["us"].sources["eu"]
        here.cut("us", "eu")
        for frame in (*far.frames_to_send(), *near.frames_to_send()):
            both.ends["us"].receive(far, frame, 1)
            both.ends["eu"].receive(near, frame, 1)
        assert state(here, "us", "eu") is state(there, "us", "eu") is LinkState.CUT
        here.heal("us", "eu")
        assert state(here, "us", "eu") is LinkState.CONNECTING
        there.heal("us", "eu")
        assert state(there, "us", "eu") is LinkState.CONNECTING, "it was not cut there"
        connect(both, "us", "eu")
        assert state(here, "us", "eu") is state(there, "us", "eu") is LinkState.STREAMING


def test_link_that_is_refused_for_being_cut_is_cut() -> None:
    both = control(THREE, "us", "eu")
    eu = ProcessLinks(THREE, {"eu": both.ends["eu"]}, clock=lambda: 5)
    both.ends["us"].cut("eu", Direction.OUT, 0)
    assert state(eu, "us", "eu") is LinkState.CONNECTING
    connect(both, "us", "eu")
    assert state(eu, "us", "eu") is LinkState.CUT


def test_healed_link_is_not_cut_at_either_end() -> None:
    here = control(THREE, "us", "eu", "ap")
    connect(here, "us", "eu")
    here.cut("us", "eu")
    here.heal("us", "eu")
    assert state(here, "us", "eu") is LinkState.CONNECTING


def test_all_links_are_cut_and_healed_at_once() -> None:
    here = control(THREE, "us", "eu", "ap")
    here.cut_all()
    assert {link.state for link in here.links()} == {LinkState.CUT}
    here.heal_all()
    assert LinkState.CUT not in {link.state for link in here.links()}


def test_links_that_are_not_there_or_not_here_are_refused() -> None:
    with pytest.raises(NoSuchLink):
        control(LINE, "us", "eu", "ap").cut("us", "ap")
    with pytest.raises(LinkOutOfReach):
        control(THREE, "us").cut("eu", "ap")


def talk(controls: list[ProcessLinks], wires: list[tuple[str, Sink, str, Source]]) -> None:
    """Let the ends of links, by region, exchange frames until none has more to send."""
    ends = {name: links for control in controls for name, links in control.ends.items()}
    while any(sink.outbox or source.outbox for _, sink, _, source in wires):
        for sink_name, sink, source_name, source in wires:
            for frame in sink.frames_to_send():
                ends[source_name].receive(source, frame, 1)
            for frame in source.frames_to_send():
                ends[sink_name].receive(sink, frame, 1)


def joined(here: ProcessLinks) -> list[tuple[str, Sink, str, Source]]:
    """Return all links of a process that has all regions, connected."""
    wires = [
        (sink, here.ends[sink].dial(source, 0), source, here.ends[source].serve(0))
        for source, sink in sorted(here.config.topology.links)
    ]
    talk([here], wires)
    return wires


def apart(here: ProcessLinks) -> dict[str, ProcessLinks]:
    """Return the same links, as if each region had its own process."""
    return {
        name: ProcessLinks(here.config, {name: links}, clock=lambda: 5)
        for name, links in here.ends.items()
    }


def write(links: Links) -> None:
    links.replica.counter("n").increment()


def test_where_all_regions_are_here_this_moment_counts() -> None:
    here = control(THREE, "us", "eu", "ap")
    query = here.ask()
    assert here.has_converged(query) is True
    write(here.ends["us"])
    assert here.has_converged(query) is False


def test_regions_elsewhere_are_asked_over_links() -> None:
    whole = control(LINE, "us", "eu", "ap")
    wires = joined(whole)
    us = apart(whole)["us"]
    write(whole.ends["ap"])
    for expected in (False, True):
        query = us.ask()
        assert us.has_converged(query) is None, "nothing is known that was not asked for"
        talk([whole], wires)
        assert us.has_converged(query) is expected, "ap is two links away"
        for links in whole.ends.values():
            links.replica.keyspace.vector.update(whole.ends["ap"].replica.vector)


def test_process_with_some_regions_asks_for_each_of_them() -> None:
    whole = control(LINE, "us", "eu", "ap")
    wires = joined(whole)
    ends = {name: whole.ends[name] for name in ("us", "eu")}
    part = ProcessLinks(LINE, ends, clock=lambda: 5)
    for source, sink in (("us", "eu"), ("eu", "us")):
        part.cut(source, sink)
    talk([whole], wires)
    query = part.ask()
    assert part.has_converged(query) is None
    talk([whole], wires)
    assert part.has_converged(query) is True
    write(whole.ends["ap"])
    query = part.ask()
    talk([whole], wires)
    assert part.ends["us"].convergence_queries.find_result(query["us"]) is True, "it is on its own"
    assert part.has_converged(query) is False


@pytest.mark.parametrize("is_away", [True, False])
def test_missing_link_is_awaited_unless_peer_is_absent(*, is_away: bool) -> None:
    here = control(THREE, "us")
    if is_away:
        attempt(here, "eu", "us")
        attempt(here, "ap", "us")
    assert here.has_missing_link("us") is not is_away
    assert here.has_converged(here.ask()) is is_away


NAMES = ("us", "eu", "ap", "sa", "af")


@st.composite
def topologies(draw: st.DrawFn) -> Config:
    """Draw pairs of regions that connect all of them."""
    count = draw(st.integers(2, 5))
    pairs = {(draw(st.integers(0, n - 1)), n) for n in range(1, count)}
    every = [(a, b) for b in range(count) for a in range(b)]
    pairs |= set(draw(st.lists(st.sampled_from(every), max_size=4)))
    regions = "".join(f'[[region]]\nname = "{name}"\n' for name in NAMES[:count])
    listed = ", ".join(f'["{NAMES[a]}", "{NAMES[b]}"]' for a, b in sorted(pairs))
    return read_config(f"pairs = [{listed}]\n{regions}")


def part_of(whole: ProcessLinks, name: str) -> list[LinkInfo]:
    """Return the live links that are connected with a region, in either direction."""
    live = [link for link in whole.links() if link.is_live]
    near = {name}
    for _ in NAMES:
        for link in live:
            if not near.isdisjoint((link.source, link.sink)):
                near |= {link.source, link.sink}
    return [link for link in live if link.source in near]


@given(topologies(), st.data())
def test_separate_processes_agree_with_one_process(config: Config, data: st.DataObject) -> None:
    """`crdb serve` reports the same as `crdb up`.

    The links are drawn, and cut at either end or both. Each process of `crdb serve` reports the
    part that its region is in. One process of `crdb up` reports all parts.
    """
    whole = control(config, *(region.name for region in config.regions))
    wires = joined(whole)
    each = apart(whole)
    for source, sink in data.draw(st.lists(st.sampled_from(sorted(config.topology.links)))):
        cutter = data.draw(st.sampled_from([whole, each[source], each[sink]]))
        cutter.cut(source, sink)
    talk([whole], wires)
    vectors: dict[str, Vector] = {}
    for name, links in whole.ends.items():
        seqs = data.draw(st.lists(st.integers(0, 1), min_size=2, max_size=2), label=name)
        links.replica.keyspace.vector.update({1: seqs[0], 2: seqs[1]})
        vectors[name] = links.replica.vector
    asked = {name: process.ask() for name, process in each.items()}
    talk([whole], wires)
    output = {name: process.has_converged(asked[name]) for name, process in each.items()}
    assert output == {name: have_arrived(part_of(whole, name), vectors) for name in each}
    assert whole.has_converged(whole.ask()) is all(output.values())
    event(f"{sorted(set(map(str, output.values())))}")


def test_operator_action_is_reported_once() -> None:
    here = control(THREE, "us", "eu")
    reported: list[OperatorEvent] = []
    here.emit = reported.append
    here.cut("us", "eu")
    here.cut("us", "eu")
    here.heal("eu", "us")
    here.heal_all()
    assert reported == [
        LinkCutEvent(source="us", sink="eu"),
        LinkHealedEvent(source="us", sink="eu"),
    ]
