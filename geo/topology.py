"""A topology: regions, and the directed links that data flows along.

A link `(source, sink)` carries ops from `source` to `sink`. The shapes of this module have links in
both directions, which suits a database. `Topology` accepts any directed graph in which every region
can reach every other, also through others (*relaying*). Otherwise the regions could not converge.

    mesh    every region with every other: no relaying, n(n-1) links
    ring    each with the next, the last with the first: survives the loss of one pair of links
    star    a hub with all others: 2(n-1) links, and the hub relays everything
    line    each with the next: the fewest links, the longest paths

A *cut* is a set of links that are down. It is an argument of queries and not a state of the
topology.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import combinations, pairwise
from typing import Final, Self

import attrs

from geo.arguments import check_cut, check_links, check_name, check_names, check_weight
from geo.drawing import matrix_text, topology_svg
from geo.errors import BadTopology, NoPath, UnknownRegion, nearest
from geo.path import Link, Path, Weight, hops, shortest_paths

NO_CUT: Final[frozenset[Link]] = frozenset()


@attrs.frozen
class Topology:
    """Regions in a fixed order, and links sorted by that order.

    Raises `BadTopology` if there are no regions, a region or a link is named twice, a link connects
    a region to itself, or a region cannot reach another. Raises `UnknownRegion` if a link names a
    region that is not in `regions`.

    >>> ring = Topology.ring(["us", "eu", "ap", "sa"])
    >>> ring.path("us", "ap").regions
    ('us', 'eu', 'ap')
    >>> ring.path("us", "ap", cut=ring.isolate("eu")).regions
    ('us', 'sa', 'ap')
    >>> print(Topology.line(["us", "eu", "ap"]).text())
        us  eu  ap
    us   .   x   -
    eu   x   .   x
    ap   -   x   .
    """

    regions: tuple[str, ...] = attrs.field(converter=check_names)
    links: tuple[Link, ...] = attrs.field(converter=check_links)

    def __attrs_post_init__(self) -> None:
        _check_names(self.regions, self.links)
        index = {name: place for place, name in enumerate(self.regions)}
        ordered = sorted(self.links, key=lambda link: (index[link[0]], index[link[1]]))
        object.__setattr__(self, "links", tuple(ordered))
        first, *others = self.components()
        if others:
            raise BadTopology(
                f"not connected: {_joined_names(first)} and {_joined_names(others[0])}"
                " cannot reach each other"
            )

    @classmethod
    def from_pairs(cls, regions: Iterable[str], pairs: Iterable[Sequence[str]]) -> Self:
        """Return a topology with links in both directions for each pair of regions."""
        links: list[Link] = []
        for pair in pairs:
            if len(pair) != 2:
                raise BadTopology(f"{list(pair)} is no pair of regions")
            links += [(pair[0], pair[1]), (pair[1], pair[0])]
        return cls(regions, links)

    @classmethod
    def mesh(cls, regions: Iterable[str]) -> Self:
        """Return a topology in which every region is linked with every other."""
        names = check_names(regions)
        return cls.from_pairs(names, combinations(names, 2))

    @classmethod
    def line(cls, regions: Iterable[str]) -> Self:
        """Return a topology in which each region is linked with the next."""
        names = check_names(regions)
        return cls.from_pairs(names, pairwise(names))

    @classmethod
    def ring(cls, regions: Iterable[str]) -> Self:
        """Return a topology in which each region is linked with the next, and the last with the
        first. Two regions have one pair of links."""
        names = check_names(regions)
        closing = [(names[-1], names[0])] if len(names) > 2 else []
        return cls.from_pairs(names, [*pairwise(names), *closing])

    @classmethod
    def star(cls, regions: Iterable[str], hub: str | None = None) -> Self:
        """Return a topology in which `hub`, by default the first region, is linked with all."""
        names = check_names(regions)
        centre = "".join(names[:1]) if hub is None else check_name(hub)
        if names and centre not in names:
            raise UnknownRegion(centre, nearest(centre, names))
        return cls.from_pairs(names, [(centre, name) for name in names if name != centre])

    def sinks(self, source: str, cut: Collection[Link] = NO_CUT) -> tuple[str, ...]:
        """Return the regions that the links of `source` lead to. O(L)."""
        self._require_known(source)
        check_cut(cut)
        return tuple(
            sink for here, sink in self.links if here == source and (here, sink) not in cut
        )

    def sources(self, sink: str, cut: Collection[Link] = NO_CUT) -> tuple[str, ...]:
        """Return the regions whose links lead to `sink`. O(L)."""
        self._require_known(sink)
        check_cut(cut)
        return tuple(
            here for here, there in self.links if there == sink and (here, there) not in cut
        )

    def paths(
        self, source: str, weight: Weight = hops, *, cut: Collection[Link] = NO_CUT
    ) -> dict[str, Path]:
        """Return the shortest path from `source` to each reachable region, itself first.

        See `geo.path`.
        """
        self._require_known(source)
        return shortest_paths(source, self._adjacency(cut), check_weight(weight))

    def path(
        self, source: str, sink: str, *, weight: Weight = hops, cut: Collection[Link] = NO_CUT
    ) -> Path:
        """Return the shortest path from `source` to `sink`. Raises `NoPath` if there is none."""
        self._require_known(sink)
        found = self.paths(source, weight, cut=cut).get(sink)
        if found is None:
            raise NoPath(source, sink)
        return found

    def diameter(self, weight: Weight = hops) -> Path:
        """Return the longest of all shortest paths, which the slowest op takes. O(n L log L)."""
        paths = (path for source in self.regions for path in self.paths(source, weight).values())
        return max(paths, key=lambda path: path.cost)

    def tree(
        self, origin: str, weight: Weight = hops, *, cut: Collection[Link] = NO_CUT
    ) -> tuple[Link, ...]:
        """Return the links that carry the ops of `origin` along the shortest paths.

        There is one link to each reachable region except `origin`, nearest first.
        """
        paths = self.paths(origin, weight, cut=cut).values()
        return tuple(path.links[-1] for path in paths if path.links)

    def carried(
        self, weight: Weight = hops, *, cut: Collection[Link] = NO_CUT
    ) -> dict[Link, tuple[str, ...]]:
        """Return the origins whose ops each link carries. Some links carry none.

        Links in `cut` are left out.
        """
        check_cut(cut)
        carriers: dict[Link, tuple[str, ...]] = {link: () for link in self.links if link not in cut}
        for origin in self.regions:
            for link in self.tree(origin, weight, cut=cut):
                carriers[link] = (*carriers[link], origin)
        return carriers

    def cut(self, here: Iterable[str], there: Iterable[str] | None = None) -> frozenset[Link]:
        """Return the links from any region in `here` to any region in `there`, one way only.

        Without `there`, it stands for all other regions.

        >>> sorted(Topology.mesh(["us", "eu", "ap"]).cut(["us"]))
        [('us', 'ap'), ('us', 'eu')]
        """
        sources = {self._require_known(name) for name in check_names(here)}
        others = set(self.regions) - sources
        sinks = others if there is None else set(map(self._require_known, check_names(there)))
        return frozenset(link for link in self.links if link[0] in sources and link[1] in sinks)

    def isolate(self, *names: str) -> frozenset[Link]:
        """Return the links in both directions between the named regions and all others."""
        for name in names:
            self._require_known(name)
        others = [name for name in self.regions if name not in names]
        return self.cut(names) | self.cut(others, names)

    def reachable(self, source: str, cut: Collection[Link] = NO_CUT) -> tuple[str, ...]:
        """Return the regions that ops of `source` can reach, including `source` itself.

        They are in the order of the topology.
        """
        self._require_known(source)
        adjacency = self._adjacency(cut)
        seen, frontier = {source}, [source]
        while frontier:
            fresh = [sink for sink in adjacency[frontier.pop()] if sink not in seen]
            seen.update(fresh)
            frontier += fresh
        return tuple(name for name in self.regions if name in seen)

    def components(self, cut: Collection[Link] = NO_CUT) -> tuple[tuple[str, ...], ...]:
        """Return the groups of regions that can exchange ops in both directions. O(n L).

        The regions of a group converge, even if the groups are separated.
        """
        reach = {name: frozenset(self.reachable(name, cut)) for name in self.regions}
        groups: list[tuple[str, ...]] = []
        placed: set[str] = set()
        for name in self.regions:
            if name not in placed:
                group = tuple(
                    peer for peer in self.regions if peer in reach[name] and name in reach[peer]
                )
                groups.append(group)
                placed.update(group)
        return tuple(groups)

    def text(self, weight: Weight | None = None, *, cut: Collection[Link] = NO_CUT) -> str:
        """Return a table with a row per source and a column per sink.

        `x` is a link, `/` a link that is down, and `-` no link. With a weight in nanoseconds, the
        table contains milliseconds instead of `x`.
        """
        return matrix_text(self.regions, self.links, cut=cut, weight=weight)

    def svg(self, weight: Weight | None = None, *, cut: Collection[Link] = NO_CUT) -> str:
        """Return a self-contained SVG drawing.

        It is a map if the catalogue contains every region, and a circle otherwise. Links that are
        down are dashed. With a weight in nanoseconds, each link shows its milliseconds.
        """
        return topology_svg(self.regions, self.links, cut=cut, weight=weight)

    def _repr_svg_(self) -> str:
        """Return the drawing that a notebook displays."""
        return self.svg()

    def _adjacency(self, cut: Collection[Link]) -> dict[str, list[str]]:
        check_cut(cut)
        adjacency: dict[str, list[str]] = {name: [] for name in self.regions}
        for source, sink in self.links:
            if (source, sink) not in cut:
                adjacency[source].append(sink)
        return adjacency

    def _require_known(self, given: str) -> str:
        name = check_name(given)
        if name not in self.regions:
            raise UnknownRegion(name, nearest(name, self.regions))
        return name


def _check_names(regions: Sequence[str], links: Sequence[Link]) -> None:
    """Check the names and links of a topology before its shape. Raises BadTopology."""
    if not regions:
        raise BadTopology("a topology needs at least one region")
    for name in regions:
        if regions.count(name) > 1:
            raise BadTopology(f"region {name!r} is named twice")
    seen: set[Link] = set()
    for link in links:
        for name in link:
            if name not in regions:
                raise UnknownRegion(name, nearest(name, regions))
        if link[0] == link[1]:
            raise BadTopology(f"region {link[0]!r} is linked to itself")
        if link in seen:
            raise BadTopology(f"the link from {link[0]!r} to {link[1]!r} is named twice")
        seen.add(link)


def _joined_names(names: Sequence[str]) -> str:
    return ", ".join(names)


SHAPES: Final[dict[str, Callable[[Iterable[str]], Topology]]] = {
    "mesh": Topology.mesh,
    "ring": Topology.ring,
    "star": Topology.star,
    "line": Topology.line,
}
