"""The options of a run. All of them are drawn from the seed before the run starts.

*Swarm testing*: each kind of fault and each family of keys is switched on or off for a whole run.
If every run had all faults, all runs would be alike.

*Extremes*: some runs set a limit of the links to an end of its range. Examples are windows of one
byte, backlogs of a few operations, and heartbeats that are rarer than writes.

Snapshots are mostly read in small pieces, so that writes can happen between two pieces. Many runs
use small list blocks, so that short lists already have several blocks. *Long* runs use longer
heartbeat intervals, because regular messages would otherwise be most of the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from crdb.engine.execution.slices import SLICE_ITEMS
from crdt.causality.op import OP_BYTES
from crdt.store.snapshot import PIECE_KEYS
from crdt.structures.blocks import BLOCK_MAX
from geo.latency import PRESETS, Latency, preset
from geo.topology import SHAPES
from replication.protocol.limits import Limits
from replication.protocol.secret import LinkSecret
from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.faults.kinds import FAULTS, Cast
from sim.schedule.plan import Copy, Plan, Tuning
from sim.schedule.step import FOREVER, ScheduleStep
from sim.schedule.writes import Load

PLACES: Final = (
    *("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "ap-northeast-1"),
    *("ap-south-1", "sa-east-1", "ap-southeast-2", "ca-central-1"),
)
LONG_NS: Final = 600 * SECOND
PER_KIND: Final = 40  # about the largest number of occurrences of one kind of fault in a run
NEVER_OFF: Final = ("set", "free")

# (field of Limits, its extreme values).
EXTREMES: Final[tuple[tuple[str, tuple[int, ...]], ...]] = (
    ("window_bytes_max", (1, 400, 4_000)),
    ("pinned_bytes_max", (2_000, 20_000, 1 << 20)),
    ("batch_bytes_max", (40, 300, 3_000)),
    ("ack_bytes", (1, 1_000, 1 << 30)),
    ("ack_ns", (MS, 200 * MS, SECOND)),
    ("heartbeat_ns", (25 * MS, SECOND, 3 * SECOND)),
    ("rest_ns", (SECOND, 2 * SECOND, 8 * SECOND)),
    ("silence_ns_max", (SECOND, 20 * SECOND)),
    ("repair_delay_ns", (MS, 2 * SECOND)),
    ("no_link_delay_ns", (MS, SECOND)),
    ("stall_ns", (MS, 500 * MS)),
    ("scan_ops_max", (1, 3, 30)),
    ("snapshots_max", (1,)),
    ("collect_ns", (20 * MS, 30 * SECOND)),
    ("piece_bytes_max", (1, 300, 3_000)),
)
BATCH_SMALL: Final = 300  # with a small window: a large batch would hide a violation of the window
HISTORIES: Final = (400, 2_000, 10_000, 100_000, 1 << 20)
LASTING: Final = {
    "cut": (0, 0),
    "one-way": (0, 0),
    "black-hole": (0, 0),
    "squeeze": (5_000, 50_000),
    "slow": (2, 5),
    "loss": (10, 100),
}
"""The faults that may last to the end of a run, each with its smallest and largest strength."""
SEPARATING: Final = frozenset({"cut", "one-way", "black-hole"})
COLLECTED: Final = (1, 3, Limits().collect_keys_max)
IDLE_NS: Final = (2 * SECOND, 8 * SECOND)  # after which a peer that takes nothing is given up
RESTS: Final = (0, 5 * MS, 40 * MS)
DISKS: Final = (0, 20 * MS, SECOND)
BLOCK_SIZES: Final = (2, 9, BLOCK_MAX)
SLICE_SIZES: Final = (1, 3, SLICE_ITEMS)
WAITING: Final = (300, 3_000, 64 << 20)
OP_SIZES: Final = (60, 300, OP_BYTES, OP_BYTES, OP_BYTES, OP_BYTES)


@attrs.frozen
class RunOptions:
    """The options of one run. Times are in ns.

    `faults` are the kinds that are on. `mean` is the average time between two faults of one kind.
    """

    seed: int
    names: tuple[str, ...]
    topology: str
    latency: str
    """`measured`, or the name of a preset for all pairs."""
    length: int
    load: Load
    bursts: int
    faults: tuple[str, ...]
    mean: int
    tunings: Mapping[str, Tuning]
    offsets: Mapping[str, int]
    """The error of each region's wall clock, in ms."""
    tick_ms: int
    """The resolution of the wall clocks, in ms."""
    chops: int
    """The percentage of chunks that always arrive in pieces."""
    copies: tuple[Copy, ...]
    """The followers."""
    lasting: tuple[ScheduleStep, ...]
    """Faults that last to the end. The regions must converge in spite of them. A fault whose kind
    is not in `faults` is skipped."""
    core: int
    """The number of regions that must converge while the others are cut off; 0 to skip this."""

    @staticmethod
    def draw_from_seed(seed: int, **fixed: Any) -> RunOptions:
        """Return the options of a seed. Options in `fixed` override the drawn values.

        Each option has a random stream of its own, so a fixed option does not change the others.
        """
        rng = SeededRandom(seed, "options")
        regions = fixed.pop("regions", None) or rng.substream("regions").choose_one(
            (2, 3, 3, 3, 4, 5)
        )
        names = tuple(
            fixed.pop("names", None) or rng.substream("names").choose_several(PLACES, regions)
        )
        length = fixed.pop("length", None) or 60 * SECOND
        topology = rng.substream("topology").choose_one(("mesh", "mesh", "mesh", *SHAPES))
        tunings = draw_tunings(rng.substream("tuning"), names, length > LONG_NS)
        are_divided = any(tuning.op_bytes < OP_BYTES for tuning in tunings.values())
        drawn: dict[str, Any] = {
            "names": names,
            "topology": topology,
            "latency": rng.substream("latency").choose_one(
                ("measured", "measured", "measured", *PRESETS)
            ),
            "length": length,
            "load": draw_load(rng.substream("load"), are_divided=are_divided),
            "bursts": rng.substream("bursts").choose_one((0, 0, 50, 300)),
            "faults": draw_faults(rng.substream("faults")),
            "mean": max(
                rng.substream("mean").choose_one((3, 6, 12, 25)) * SECOND, length // PER_KIND
            ),
            "tunings": tunings,
            "offsets": draw_offsets(rng.substream("clocks"), names),
            "tick_ms": rng.substream("ticks").choose_one((1, 1, 1, 1_000)),
            "chops": rng.substream("chops").choose_one((0, 0, 0, 5, 30)),
            "copies": draw_copies(rng.substream("followers"), names, fixed.pop("followers", None)),
            "lasting": draw_lasting(rng.substream("lasting"), names, topology, length),
            "core": len(names) // 2 + 1 if rng.substream("core").happens_in(1, 4) else 0,
        }
        given = {name: value for name, value in fixed.items() if value is not None}
        if "writes_per_second" in given:
            rate = given.pop("writes_per_second")
            drawn["load"] = attrs.evolve(drawn["load"], writes_per_second=rate)
        if drawn["tick_ms"] > 1:
            drawn["offsets"] = dict.fromkeys(names, 0)  # so that regions produce equal times
        options = RunOptions(seed, **(drawn | given))
        return options if "faults" in given else options.fit_faults(rng)

    def fit_faults(self, rng: SeededRandom) -> RunOptions:
        """Return these options with the drawn faults that can happen in their world. Followers are
        promoted in half of the runs at least."""
        faults = fitting_faults(rng.substream("fitting"), self.faults, self.fault_targets())
        if self.copies and "promote" not in faults:
            promotes = rng.substream("promotion").happens_in(1, 2)
            faults = (*faults, "promote") if promotes else faults
        return attrs.evolve(self, faults=faults)

    def make_plan(self) -> Plan:
        """Return the plan of the world that these options describe."""
        base = Plan.of(
            self.names,
            topology=self.topology,
            delay_ms=None if self.latency == "measured" else 50.0,
        )
        latencies: dict[tuple[str, str], Latency] = {}
        if self.latency != "measured":
            way = preset(self.latency)
            latencies = {(a, b): way for a in self.names for b in self.names if a != b}
        secret = LinkSecret(b"of every other seed" if self.seed % 2 else b"")
        copying = {copy.name: self.follower_tuning(copy) for copy in self.copies}
        tunings = {**self.tunings, **copying}
        return attrs.evolve(
            base, tunings=tunings, latencies=latencies, copies=self.copies, secret=secret
        )

    def follower_tuning(self, copy: Copy) -> Tuning:
        """Return the tuning of a follower. It refuses stale reads if its first source does."""
        source = self.tunings.get(copy.sources[0])
        return Tuning(refuses_stale=source is not None and source.refuses_stale)

    def fault_targets(self) -> Cast:
        """Return the regions, links and followers that faults may affect."""
        topology = self.make_plan().config.topology
        links = tuple((source, sink) for source, sink in topology.links)
        return Cast(self.names, links, self.followers)

    @property
    def followers(self) -> tuple[str, ...]:
        """The names of the followers."""
        return tuple(copy.name for copy in self.copies)

    def describe_lines(self) -> Iterator[str]:
        """Yield the lines that show every option to a reader."""
        yield f"seed          {self.seed}"
        yield f"regions       {', '.join(self.names)}"
        yield f"topology      {self.topology}, delays: {self.latency}"
        yield f"length        {self.length / SECOND:g} s, then healed"
        load = self.load
        yield (
            f"writes        {load.writes_per_second} a second and region on {load.keys} keys each"
            f" of {', '.join(load.families)}"
        )
        yield (
            f"              {load.expiry} % expiry, {load.deletes} % deletes, {load.transactions} %"
            f" transactions, {load.flushes} in 10,000 flush; bursts of {self.bursts}"
        )
        kinds = ", ".join(self.faults) or "none"
        yield f"faults        each every {self.mean / SECOND:g} s: {kinds}"
        offsets = [f"{name} {ms:+} ms" for name, ms in self.offsets.items() if ms]
        ticks = "" if self.tick_ms == 1 else f", advancing by {self.tick_ms} ms at a time"
        yield f"clocks        {', '.join(offsets) or 'right'}{ticks}"
        yield f"pieces        {self.chops} % of all data"
        for name, tuning in self.tunings.items():
            yield f"tuning        {name}: {describe_value(tuning)}"
        for copy in self.copies:
            whom = " and ".join(copy.sources)
            yield f"follower      {copy.name}, as region {copy.number}, of {whom}"
        for step in self.lasting:
            if step.kind in self.faults:
                yield f"to the end    {step}"
        if self.core:
            yield f"core          {self.core} regions must converge while the others stay away"


def describe_value(tuning: Tuning) -> str:
    """Return a region's tuning as text. Limits with their default values are left out."""
    usual, limits = Limits(), tuning.limits
    names = [field.name for field in attrs.fields(Limits)]
    differing = [name for name in names if getattr(limits, name) != getattr(usual, name)]
    text = [f"backlog {tuning.history_bytes}", f"waiting {tuning.waiting_bytes}"]
    if tuning.snapshot_rest_ns:
        text.append(f"snapshots rest {tuning.snapshot_rest_ns // MS} ms")
    if tuning.op_bytes != OP_BYTES:
        text.append(f"operations divided at {tuning.op_bytes}")
    if tuning.block_max != BLOCK_MAX:
        text.append(f"blocks of {tuning.block_max}")
    if tuning.slice_items != SLICE_ITEMS:
        text.append(f"slices of {tuning.slice_items}")
    if tuning.disk_ns:
        text.append(f"writes to disk take {tuning.disk_ns // MS} ms")
    if tuning.refuses_stale:
        text.append("refuses stale reads")
    return ", ".join(text + [f"{name} {getattr(limits, name)}" for name in differing])


def draw_load(rng: SeededRandom, *, are_divided: bool = False) -> Load:
    """Draw the write load and the families of keys.

    Readers can see a part of an operation that is divided. If operations `are_divided`, the family
    of paired writes is therefore left out.
    """
    usual = Load()
    families = [f for f in usual.families if f in NEVER_OFF or rng.happens_in(2, 3)]
    if are_divided:
        families = [family for family in families if family != "pair"]
    return Load(
        writes_per_second=rng.choose_one((1, 3, 5, 10)),
        keys=rng.choose_one((1, 2, 4)),
        families=tuple(families),
        expiry=rng.choose_one((0, 5, 20)),
        deletes=rng.choose_one((0, 3, 10)),
        transactions=rng.choose_one((0, 5, 20)),
        flushes=rng.choose_one((0, 0, 0, 20)),
    )


def draw_faults(rng: SeededRandom) -> tuple[str, ...]:
    """Draw the kinds of faults that are on: at least one. In some runs a kind is the only one."""
    parts = rng.choose_one((10, 25, 50))
    chosen = tuple(name for name in FAULTS if rng.happens_in(parts))
    return chosen or (rng.choose_one(tuple(FAULTS)),)


def fitting_faults(rng: SeededRandom, chosen: Sequence[str], cast: Cast) -> tuple[str, ...]:
    """Return the kinds in `chosen` that can happen in `cast`, or a random possible kind if none."""
    possible = tuple(name for name, fault in FAULTS.items() if fault.can_happen(cast))
    return tuple(name for name in chosen if name in possible) or (rng.choose_one(possible),)


def draw_copies(rng: SeededRandom, names: tuple[str, ...], count: int | None) -> tuple[Copy, ...]:
    """Draw followers of one or two regions. Without `count`, the number is drawn too."""
    drawn = rng.choose_one((0, 0, 1, 1, 1, 2))
    copies = (
        Copy(
            f"follower-{i}",
            rng.choose_one((1, 255)),
            tuple(rng.choose_several(names, rng.choose_one((1, 1, 2)))),
        )
        for i in range(1, 1 + (drawn if count is None else count))
    )
    return tuple(copies)


def draw_tunings(rng: SeededRandom, names: tuple[str, ...], is_long: bool) -> dict[str, Tuning]:
    """Draw each region's tuning: default values, or some extremes.

    All regions get the same limits, because they must agree on when a link counts as silent.
    """
    is_extreme = rng.happens_in(1, 2)
    chosen = {
        field: rng.choose_one(values)
        for field, values in EXTREMES
        if is_extreme and rng.happens_in(1, 4)
    }
    if "window_bytes_max" in chosen:
        chosen.setdefault("batch_bytes_max", BATCH_SMALL)
    if is_long:
        chosen = {"heartbeat_ns": SECOND, "ack_ns": 200 * MS, **chosen}
    heartbeat = chosen.get("heartbeat_ns", Limits().heartbeat_ns)
    silence = chosen.get("silence_ns_max", Limits().silence_ns_max)
    chosen["silence_ns_max"] = max(silence, 3 * heartbeat + SECOND)
    chosen.setdefault("piece_keys_max", rng.substream("pieces").choose_one((1, 8, PIECE_KEYS)))
    chosen["collect_keys_max"] = rng.substream("collections").choose_one(COLLECTED)
    if is_extreme and rng.substream("idle").happens_in(1, 3):
        chosen["idle_ns_max"] = rng.substream("idle time").choose_one(IDLE_NS)
    if rng.substream("donors").happens_in(1, 2):
        chosen["snapshots_max"] = 1
    rest = rng.substream("rests").choose_one(RESTS)
    block_max = rng.substream("blocks").choose_one(BLOCK_SIZES)
    slice_items = rng.substream("slices").choose_one(SLICE_SIZES)
    refuses_stale = rng.substream("stale").happens_in(2, 3)
    disk_ns = rng.substream("disks").choose_one(DISKS)
    op_bytes = rng.substream("operations").choose_one(OP_SIZES)
    # The checkers read the parts of an operation from the backlog, so it must be large enough.
    histories = HISTORIES if op_bytes == OP_BYTES else HISTORIES[-2:]
    limits = Limits(**chosen)
    return {
        name: Tuning(
            limits,
            rng.choose_one(histories) if rng.happens_in(1, 3) else HISTORIES[-1],
            rng.choose_one(WAITING) if is_extreme and rng.happens_in(1, 4) else WAITING[-1],
            snapshot_rest_ns=rest,
            op_bytes=op_bytes,
            block_max=block_max,
            disk_ns=disk_ns,
            refuses_stale=refuses_stale,
            slice_items=slice_items,
        )
        for name in names
    }


def draw_lasting(
    rng: SeededRandom, names: tuple[str, ...], topology: str, length: int
) -> tuple[ScheduleStep, ...]:
    """Draw a fault that lasts to the end, or none.

    A fault that separates two regions is drawn only if they stay connected through others.
    """
    kind = rng.choose_one(("", *LASTING))
    pair = tuple(rng.choose_several(names, 2))
    at = length // 4 + rng.integer_below(max(1, length // 2))
    strength = rng.integer_between(*LASTING.get(kind, (0, 0)))
    is_connected = topology == "mesh" and len(names) > 2
    if not kind or (kind in SEPARATING and not is_connected):
        return ()
    return (ScheduleStep(at, kind, pair, FOREVER, strength),)


def draw_offsets(rng: SeededRandom, names: tuple[str, ...]) -> dict[str, int]:
    """Draw the error of each wall clock in ms: none, small or large."""
    worst = rng.choose_one((0, 0, 50, 5_000, 3_600_000))
    return {name: rng.integer_between(-worst, worst) for name in names}
