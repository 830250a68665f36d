"""What operators see of links, and how a cut reaches both ends."""

from __future__ import annotations

import pytest

from crdb.config import Config
from crdb.link_control import LinkOutOfReach, LinkState, NoSuchLink
from crdb.link_info import ProcessLinks
from crdb.membership import peers_of
from crdt.replica import Replica
from replication.frames import Frame
from replication.links import Links
from replication.member import Direction, Member


def links_of(config: Config, name: str) -> Links:
    region = config.region(name)
    replica = Replica(region.id, members=[each.id for each in config.regions])
    return Links(replica, Member(name, region.id, replica.origin), peers_of(config, region))


def control(config: Config, *names: str, dialling: bool = True) -> ProcessLinks:
    ends = {name: links_of(config, name) for name in names}
    return ProcessLinks(config, ends, clock=lambda: 5, dialling=lambda _sink, _source: dialling)


def connect(control: ProcessLinks, source: str, sink: str) -> None:
    """Let both ends of a link talk until they have nothing more to say."""
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


def test_every_link_is_told_of_once() -> None:
    listed = [(link.source, link.sink) for link in control(THREE, "us", "eu", "ap").links()]
    assert sorted(listed) == sorted(
        (a, b) for a in THREE.topology.regions for b in THREE.topology.regions if a != b
    )


def test_a_link_connects_then_streams() -> None:
    here = control(THREE, "us", "eu", "ap")
    assert state(here, "us", "eu") is LinkState.CONNECTING
    connect(here, "us", "eu")
    assert state(here, "us", "eu") is LinkState.STREAMING


def test_a_link_whose_last_attempt_failed_is_down() -> None:
    assert state(control(THREE, "us", "eu", dialling=False), "us", "eu") is LinkState.DOWN


def test_the_source_tells_of_a_link_whose_sink_is_elsewhere() -> None:
    both = control(THREE, "us", "eu")
    connect(both, "us", "eu")
    alone = ProcessLinks(
        THREE, {"us": both.ends["us"]}, clock=lambda: 5, dialling=lambda _sink, _source: True
    )
    assert state(alone, "us", "eu") is LinkState.STREAMING


def test_a_cut_closes_both_ends_and_a_heal_opens_them() -> None:
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


def test_a_link_that_was_cut_in_another_process_is_cut_here_too() -> None:
    both = control(THREE, "us", "eu")
    connect(both, "us", "eu")
    us, eu = (
        ProcessLinks(
            THREE, {name: both.ends[name]}, clock=lambda: 5, dialling=lambda _sink, _source: True
        )
        for name in ("us", "eu")
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


def test_a_link_that_is_refused_for_being_cut_is_cut() -> None:
    both = control(THREE, "us", "eu")
    eu = ProcessLinks(
        THREE, {"eu": both.ends["eu"]}, clock=lambda: 5, dialling=lambda _sink, _source: True
    )
    both.ends["us"].cut("eu", Direction.OUT, 0)
    assert state(eu, "us", "eu") is LinkState.CONNECTING
    connect(both, "us", "eu")
    assert state(eu, "us", "eu") is LinkState.CUT


def test_a_link_that_was_healed_is_not_taken_for_cut_where_both_ends_are() -> None:
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


def test_vectors_of_this_process_are_those_of_this_moment() -> None:
    here = control(THREE, "us", "eu", "ap")
    question = here.ask()
    here.ends["us"].replica.counter("n").increment()
    answers = here.answers(question)
    assert set(answers) == {"us", "eu", "ap"}
    assert sum(answers["us"].values()) == 1


def test_regions_elsewhere_are_asked_over_the_link() -> None:
    far = control(THREE, "us", "eu")
    near = ProcessLinks(
        THREE, {"eu": far.ends["eu"]}, clock=lambda: 5, dialling=lambda _sink, _source: True
    )
    sink, source = far.ends["eu"].dial("us", 0), far.ends["us"].serve(0)
    far.ends["us"].replica.counter("n").increment()
    far.ends["us"].replica.seal()

    def talk() -> None:
        for _ in range(20):
            for frame in sink.frames_to_send():
                far.ends["us"].receive(source, frame, 1)
            for frame in source.frames_to_send():
                far.ends["eu"].receive(sink, frame, 1)

    talk()
    question = near.ask()
    assert "us" not in near.answers(question), "nothing is known that was not asked for"
    talk()
    assert sum(near.answers(question)["us"].values()) == 1


@pytest.mark.parametrize("order", [("us", "eu"), ("eu", "us")])
def test_of_two_answers_of_one_region_the_newer_counts(order: tuple[str, str]) -> None:
    """Two regions here ask a third elsewhere, which writes between its answers."""
    all_three = control(THREE, "us", "eu", "ap")
    there = all_three.ends["ap"]
    links = {name: (all_three.ends[name].dial("ap", 0), there.serve(0)) for name in order}

    def talk(name: str) -> None:
        sink, source = links[name]
        for _ in range(20):
            for frame in sink.frames_to_send():
                there.receive(source, frame, 1)
            for frame in source.frames_to_send():
                all_three.ends[name].receive(sink, frame, 1)

    for name in order:
        talk(name)
    here = ProcessLinks(
        THREE,
        {name: all_three.ends[name] for name in ("us", "eu")},
        clock=lambda: 5,
        dialling=lambda _sink, _source: True,
    )
    question = here.ask()
    for name in order:
        there.replica.counter("n").increment()
        there.replica.seal()
        talk(name)
    assert here.answers(question)["ap"] == there.replica.vector


def test_what_operators_do_is_told_once() -> None:
    here = control(THREE, "us", "eu")
    told: list[tuple[str, object, object]] = []
    here.tell = lambda event, details: told.append((event, details["source"], details["sink"]))
    here.cut("us", "eu")
    here.cut("us", "eu")
    here.heal("eu", "us")
    here.heal_all()
    assert told == [("link cut", "us", "eu"), ("link healed", "us", "eu")]
