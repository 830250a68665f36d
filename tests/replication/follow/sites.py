"""Databases and followers on a simulated wire."""

from __future__ import annotations

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from replication.follow.follower import Follower
from replication.mesh.links import Links
from replication.protocol.limits import MS
from replication.protocol.peers import Member, Peer
from tests.replication.wire import Site, WireWorld


class Database(Site):
    """A database of one region. Other databases may use the same number."""

    number = 1

    def start(self) -> None:
        origin = make_origin(self.number, self.incarnation)
        self.replica = Replica(
            origin,
            clock=lambda: self.world.now // MS,
            members=(),
            history_bytes=self.world.history_bytes,
        )
        self.links = Links(self.replica, Member(self.name, self.number, origin))
        self.wires = {}


class FollowerSite(Database):
    """An instance that follows its peers. It serves its own followers by `serving`."""

    number = 1

    def start(self) -> None:
        super().start()
        self.serving = self.links
        member = Member(self.name, self.number, self.replica.origin)
        names = [peer.name for peer in self.peers]
        self.follower = Follower(self.replica, member, names, serving=self.serving)
        self.links = self.follower

    def tick(self) -> None:
        super().tick()
        self.note(self.serving.tick(self.world.now))
        self.serving.wake()


def sources(*names: str) -> list[Peer]:
    return [Peer(name, 0, None) for name in names]


def fill(replica: Replica, prefix: str) -> None:
    """Write values of every type, with increments, deletes and elements in the middle."""
    replica.string(f"{prefix}s").set("v")
    replica.counter(f"{prefix}c").increment(5)
    replica.counter(f"{prefix}gone").increment(5)
    replica.seal()
    replica.keyspace.delete(f"{prefix}gone".encode())
    replica.set(f"{prefix}t").add("x")
    replica.hash(f"{prefix}h")["f"] = "v"
    replica.hash(f"{prefix}h").increment("n", 3)
    replica.sorted_set(f"{prefix}z")["m"] = 1.5
    replica.sorted_set(f"{prefix}z").increment("m", 2)
    items = replica.list(f"{prefix}l")
    items.append("a")
    items.append("c")
    items.insert(1, "b")
    items[0] = "A"
    replica.keyspace.expire(f"{prefix}t".encode(), 1 << 45)


def world_of(*databases: str, history_bytes: int = 1 << 20) -> WireWorld:
    world = WireWorld({}, history_bytes=history_bytes)
    for name in databases:
        world.sites[name] = Database(world, name, 1, [])
    return world


def follow(world: WireWorld, *names: str, kind: type[FollowerSite] = FollowerSite) -> FollowerSite:
    site = kind(world, "f", kind.number, sources(*names))
    world.sites["f"] = site
    return site


def visible(replica: Replica) -> dict[bytes, object]:
    db = replica.keyspace
    found = {key: db.lookup(key) for key in db.data}
    return {key: value.visible() for key, value in found.items() if value is not None}
