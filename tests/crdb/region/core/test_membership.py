"""A region's configuration as given to links and clients."""

from __future__ import annotations

import attrs

from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.region.core.membership import member_of, parameters, peers_of, serves_stale
from crdt.causality.dots import make_origin


def test_members_of_one_crdb_have_its_id_and_list_of_regions() -> None:
    text = 'id = "shop"\n[[region]]\nname = "us"\nid = 7\n[[region]]\nname = "eu"\nid = 2\n'
    config = read_config(text)
    members = [member_of(config, region, make_origin(region.id)) for region in config.regions]
    assert [(member.name, member.region) for member in members] == [("us", 7), ("eu", 2)]
    assert {member.cluster for member in members} == {"shop"}
    assert {member.members for member in members} == {((2, "eu"), (7, "us"))}


def test_in_mesh_every_peer_brings_its_own_writes() -> None:
    config = Config.from_names(["us", "eu", "ap"])
    peers = peers_of(config, config.region("us"))
    assert [(peer.name, peer.region, peer.routes) for peer in peers] == [
        ("eu", 2, (2,)),
        ("ap", 3, (3,)),
    ]


def test_neighbour_in_line_relays_other_regions() -> None:
    config = Config.from_names(["us", "eu", "ap"], topology="line")
    (peer,) = peers_of(config, config.region("us"))
    assert (peer.name, sorted(peer.routes or ())) == ("eu", [2, 3])


def test_clients_see_file_in_config() -> None:
    config = read_config('requirepass = "x"\nmaxclients = 7\n[[region]]\nname = "us"\n')
    shown = parameters(config, config.region("us"))
    assert shown.values["port"] == "7001"
    assert shown.values["maxclients"] == "7"
    assert shown.password == b"x"
    assert shown.values["repl-backlog-size"] == str(16 << 20)


def test_stale_reads_need_a_parameter() -> None:
    pair = Config.from_names(["us", "eu"])
    assert not serves_stale(pair, pair.region("us"))
    alone = Config.from_names(["us"])
    assert serves_stale(alone, alone.region("us"))
    chosen = attrs.evolve(pair, serve_stale=True)
    assert parameters(chosen, chosen.region("us")).values["replica-serve-stale-data"] == "yes"
