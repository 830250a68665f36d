"""Lists of regions that differ while regions are added or removed."""

from __future__ import annotations

import attrs
import pytest

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from replication.mesh.links import Links
from replication.mesh.roster import GONE_NS, Roster, compare_lists, describe_change
from replication.protocol.events import ListsCompared, Unlisted
from replication.protocol.frames import PROTOCOL, Eof, Heartbeat, Hello, Members, Refuse, Resume
from replication.protocol.limits import SECOND
from replication.protocol.membership_view import MembershipView
from replication.protocol.peers import Direction, Member, Peer
from tests.replication.ends import of

TWO: Members = ((1, "us"), (2, "eu"))
THREE: Members = (*TWO, (3, "ap"))
FOUR: Members = (*THREE, (4, "sa"))


def hello(name: str, number: int, members: Members, others: Members = ()) -> Hello:
    return Hello(name, number, make_origin(number), "shop", {}, members=members, others=others)


# -- which lists belong together -----------------------------------------------------------


@pytest.mark.parametrize("theirs", [(), TWO, THREE, FOUR, ((2, "eu"),)])
def test_shorter_and_longer_lists_agree(theirs: Members) -> None:
    assert compare_lists("us", THREE, hello("eu", 2, theirs)) == ""


def test_own_list_that_is_empty_agrees_with_any() -> None:
    assert compare_lists("us", (), hello("eu", 2, TWO)) == ""


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (((1, "us"), (2, "sa")), "region 2 is 'sa' in the file of eu and 'eu' in the file of us"),
        (((2, "us"), (1, "eu")), "region 2 is 'us' in the file of eu and 'eu' in the file of us"),
        (((1, "us"), (4, "eu")), "'eu' is region 4 in the file of eu and region 2 in the file"),
        (((1, "us"), (2, "eu"), (4, "sa")), "the file of eu lacks ap, and the file of us lacks sa"),
    ],
)
def test_lists_that_contradict_each_other_name_place(theirs: Members, words: str) -> None:
    reason = compare_lists("us", THREE, hello("eu", 2, theirs))
    assert words in reason
    assert "in all files" in reason or "one file after the other" in reason


# -- who counts ----------------------------------------------------------------------------


def roster(own: Members = TWO) -> Roster:
    replica = Replica(1, members=[number for number, _ in own])
    return Roster(replica, MembershipView(replica), own)


def members_of(here: Roster) -> set[int] | None:
    return here.replica.stability.members


def test_region_that_peer_lists_counts_as_member() -> None:
    here = roster()
    assert here.record_lists(hello("eu", 2, THREE))
    assert here.others == ((3, "ap"),)
    assert members_of(here) == {2, 3}
    assert not here.record_lists(hello("eu", 2, THREE)), "peers know that"
    assert here.record_lists(hello("eu", 2, TWO)), "and must hear that it is over"
    assert here.others == ()
    assert members_of(here) == {2}


def test_reported_roster_counts_and_is_not_relayed() -> None:
    here = roster()
    assert not here.record_lists(hello("eu", 2, TWO, others=((3, "ap"), (1, "us"))))
    assert here.others == ()
    assert members_of(here) == {2, 3}


def test_guest_counts_while_it_is_there() -> None:
    here = roster()
    here.membership.record_origin(3, make_origin(3))
    assert here.record_lists(hello("ap", 3, THREE))
    here.membership.record_origin(3, make_origin(3))
    assert {region for region, _, _ in here.membership.view} == {1, 3}
    here.forget_peer("ap")
    assert members_of(here) == {2}
    assert {region for region, _, _ in here.membership.view} == {1}
    assert not here.record_lists(hello("ap", 3, THREE)), "peers know already when it comes again"


def test_reports_are_void_when_members_change() -> None:
    here = roster()
    here.replica.record_report(2, {}, 0)
    here.record_lists(hello("eu", 2, THREE))
    assert here.replica.stability.reports == {}


@pytest.mark.parametrize("members", [None, {0}])
def test_fixed_members_are_not_changed(members: set[int] | None) -> None:
    here = roster()
    here.replica.stability.members = members
    here.record_lists(hello("eu", 2, THREE))
    assert members_of(here) == members


def test_replica_without_members_never_has_any() -> None:
    replica = Replica(1)
    here = Roster(replica, MembershipView(replica), TWO)
    here.record_lists(hello("eu", 2, THREE))
    assert replica.stability.members is None


# -- links ---------------------------------------------------------------------------------


def links(own: Members = TWO) -> Links:
    """Return the links of region 1 with the others of its list."""
    replica = Replica(1, members=[number for number, _ in own])
    peers = [Peer(name, number, (number,)) for number, name in own if number != 1]
    return Links(replica, Member("us", 1, replica.origin, "shop", own), peers)


def test_region_that_only_its_own_file_lists_is_guest() -> None:
    here = links()
    source = here.serve(0)
    here.receive(source, hello("ap", 3, THREE), 0)
    assert here.peers["ap"] == Peer("ap", 3, is_guest=True)
    assert here.sources == {"ap": source}
    assert members_of(here.roster) == {2, 3}
    assert here.log_reader.hello().others == ((3, "ap"),)
    assert [row.peer for row in here.statistics(0)] == ["eu", "eu", "ap"]
    here.cut("ap", source.direction, 0)
    assert "ap" not in here.peers
    assert here.log_reader.hello().others == ()


@pytest.mark.parametrize(
    "greeting",
    [
        hello("ap", 3, ((3, "ap"),)),
        hello("ap", 3, ((1, "us"), (3, "ap"))),
        hello("ap", 3, TWO),
        hello("ap", 3, ()),
        hello("ap", 2, THREE),
        attrs.evolve(hello("ap", 3, THREE), cluster="bank"),
    ],
)
def test_hello_of_non_member_is_refused(greeting: Hello) -> None:
    here = links()
    source = here.serve(0)
    here.receive(source, greeting, 0)
    assert source.closed
    assert "ap" not in here.peers
    assert members_of(here.roster) == {2}


def test_listed_region_without_link_is_refused() -> None:
    here = links(THREE)
    del here.peers["ap"]
    source = here.serve(0)
    here.receive(source, hello("ap", 3, THREE), 0)
    assert source.tally.last_error == (
        "the topology in the file of us does not link it with ap: give all files the same "
        "topology, and restart the regions whose files have changed"
    )


def test_other_links_connect_again_when_list_grows() -> None:
    here = links(THREE)
    first = here.dial("ap", 0)
    here.receive(first, hello("ap", 3, THREE), 0)
    second = here.dial("eu", 0)
    here.receive(second, hello("eu", 2, FOUR), 0)
    assert first.closed
    assert not second.closed
    reason = "the list of regions has changed: the file of eu adds sa"
    assert first.tally.last_error == reason, "operators of ap must see which region is new"
    assert first.outbox == [Refuse(reason)]
    assert here.dial("ap", 0).outbox == [here.log_reader.hello()]
    assert here.log_reader.hello().others == ((4, "sa"),)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (hello("sa", 3, (*TWO, (3, "sa"))), "region 3 is 'sa' in the file of sa and 'ap' in the"),
        (hello("sa", 4, ((4, "sa"), (5, "ap"), *TWO)), "'ap' is region 5 in the file of sa and"),
    ],
)
def test_two_new_regions_with_one_number_are_not_both_accepted(second: Hello, words: str) -> None:
    """Our file lists neither of them. As one region with two names, each would end the links of the
    other."""
    here = links()
    first, rival = here.serve(0), here.serve(0)
    here.receive(first, hello("ap", 3, THREE), 0)
    here.receive(rival, second, 0)
    assert not first.closed
    assert words in rival.tally.last_error
    assert rival.is_refused
    here.receive(first, Eof("reset"), 0)
    later = here.serve(0)
    here.receive(later, second, 0)
    assert not later.closed, "the first region has gone"


def pass_time(here: Links, seconds: int) -> None:
    """Let so many seconds pass, in which peers that we have dialled show that they are alive."""
    for _ in range(seconds):
        now = here.next_deadline + SECOND
        for sink in here.sinks.values():
            here.receive(sink, Heartbeat({}, 0), now)
        here.tick(now)


def test_guest_that_has_gone_for_good_is_announced_once() -> None:
    """Its file alone lists it. Peers count it as a member because of our list, so they would never
    forget anything again."""
    here = links()
    here.tick(0)
    guest = here.serve(0)
    here.receive(guest, hello("ap", 3, THREE), 0)
    member = here.dial("eu", 0)
    here.receive(member, hello("eu", 2, TWO), 0)
    assert here.log_reader.hello().others == ((3, "ap"),)
    here.receive(guest, Eof("reset"), 0)
    pass_time(here, GONE_NS // SECOND - 10)
    assert not member.closed, "it may come back"
    pass_time(here, 12)
    assert member.closed
    assert member.tally.last_error.endswith("ap has gone, and no file lists it")
    again = here.dial("eu", here.next_deadline)
    assert again.outbox == [here.log_reader.hello()]
    assert here.log_reader.hello().others == ()
    here.receive(again, hello("eu", 2, TWO), here.next_deadline)
    pass_time(here, 2 * GONE_NS // SECOND)
    assert not again.closed


def roster_of_gone_guests() -> Roster:
    """Return the roster of a region that guest `ap` left at 0, and guest `sa` half a minute
    later."""
    here = roster()
    here.record_lists(hello("ap", 3, THREE))
    here.record_lists(hello("sa", 4, (*TWO, (4, "sa"))))
    here.forget_peer("ap")
    assert here.drop_gone(0) == ()
    here.forget_peer("sa")
    assert here.drop_gone(GONE_NS // 2) == ()
    return here


def test_each_gone_guest_has_a_minute_of_its_own() -> None:
    here = roster_of_gone_guests()
    assert here.drop_gone(GONE_NS) == ((3, "ap"),)
    assert here.drop_gone(GONE_NS + 1) == ()
    assert here.drop_gone(GONE_NS * 3 // 2) == ((4, "sa"),)


def test_guest_that_returns_starts_no_minute_of_another() -> None:
    here = roster_of_gone_guests()
    here.record_lists(hello("ap", 3, THREE))
    assert here.drop_gone(GONE_NS) == ()


def test_guest_that_comes_back_ends_no_link() -> None:
    here = links()
    here.tick(0)
    guest = here.serve(0)
    here.receive(guest, hello("ap", 3, THREE), 0)
    member = here.dial("eu", 0)
    here.receive(member, hello("eu", 2, TWO), 0)
    for _ in range(4):
        here.receive(guest, Eof("reset"), here.next_deadline)
        pass_time(here, GONE_NS // SECOND // 2)
        guest = here.serve(here.next_deadline)
        here.receive(guest, hello("ap", 3, THREE), here.next_deadline)
        here.receive(guest, Resume({}, (3,)), here.next_deadline)
        here.tick(here.next_deadline)
    assert not member.closed


def test_two_new_regions_with_two_numbers_are_accepted() -> None:
    here = links()
    ends = [here.serve(0), here.serve(0)]
    here.receive(ends[0], hello("ap", 3, THREE), 0)
    here.receive(ends[1], hello("sa", 4, (*TWO, (4, "sa"))), 0)
    assert not ends[1].closed


def test_list_that_lacks_only_us_is_not_reported_as_equal() -> None:
    here = links(THREE)
    for others in (((4, "sa"),), ()):
        last = here.receive(here.dial("eu", 0), hello("eu", 2, ((2, "eu"), (3, "ap")), others), 0)
    assert of(ListsCompared, last) == []


def test_region_learns_that_peer_does_not_list_it() -> None:
    here = links()
    events = here.receive(here.dial("eu", 0), hello("eu", 2, ((2, "eu"),)), 0)
    assert of(Unlisted, events) == [Unlisted("eu")]
    assert of(ListsCompared, events) == [], "the first event has said it"


def test_difference_of_lists_is_reported_once_with_names() -> None:
    here = links(THREE)
    lists = (
        hello("eu", 2, FOUR, others=((5, "af"), (1, "us"))),
        hello("eu", 2, TWO),
        hello("eu", 2, THREE),
    )
    found = [
        ListsCompared("eu", only_there=("sa",), from_others=("af",)),
        ListsCompared("eu", only_here=("ap",)),
        ListsCompared("eu"),
    ]
    for greeting, expected in zip(lists, found, strict=True):
        for reported in ([expected], []):
            events = here.receive(here.dial("eu", 0), greeting, 0)
            assert of(ListsCompared, events) == reported
    assert here.roster.differences == {}


@pytest.mark.parametrize(("own", "theirs"), [(TWO, ()), ((), TWO)])
def test_list_that_is_not_known_does_not_differ(own: Members, theirs: Members) -> None:
    here = roster(own)
    here.record_lists(hello("eu", 2, theirs))
    assert here.compare_with("eu") is None


def test_difference_is_forgotten_with_guest() -> None:
    here = roster()
    here.record_lists(hello("ap", 3, THREE))
    assert here.compare_with("ap") == ListsCompared("ap", only_there=("ap",))
    assert here.differences
    here.forget_peer("ap")
    assert here.differences == {}


def test_change_names_each_region_that_is_new_or_gone() -> None:
    words = describe_change("eu", ((3, "ap"), (4, "sa")), ((4, "sa"), (5, "af"), (6, "me")))
    assert words.endswith("the file of eu adds af, me, and the file of eu no longer lists ap")


def test_members_have_names_of_all_lists() -> None:
    here = roster()
    here.record_lists(hello("eu", 2, THREE, others=((4, "sa"),)))
    assert [here.name_of(region) for region in range(6)] == ["", "us", "eu", "ap", "sa", ""]


@pytest.mark.parametrize(("theirs", "is_away"), [(THREE, False), (((2, "eu"),), True)])
def test_peer_whose_file_lacks_us_does_not_dial(theirs: Members, *, is_away: bool) -> None:
    here = links()
    assert not here.is_away("eu", Direction.OUT, 0)
    here.receive(here.dial("eu", 0), hello("eu", 2, theirs), 0)
    assert here.is_away("eu", Direction.OUT, 0) is is_away


def test_link_without_reverse_must_show_equal_vectors() -> None:
    here = links()
    guest, unlisted = here.serve(0), here.dial("eu", 0)
    here.receive(guest, hello("ap", 3, THREE), 0)
    here.receive(unlisted, hello("eu", 2, ((2, "eu"),)), 0)
    assert here.convergence_queries.one_way_edges == {guest, unlisted}
    here.receive(here.dial("eu", 0), hello("eu", 2, TWO), 0)
    assert here.convergence_queries.one_way_edges == {guest}


def test_error_for_other_version_names_both() -> None:
    here = links()
    sink = here.dial("eu", 0)
    here.receive(sink, attrs.evolve(hello("eu", 2, TWO), protocol=9), 0)
    assert sink.tally.last_error == f"protocol 9, this program speaks {PROTOCOL}"
