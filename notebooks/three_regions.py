# %% [markdown]
# # Three regions under a cut
#
# Three regions of one database all accept writes. The network between them is cut, both sides
# continue to write the same keys, and the network heals. This notebook shows what all regions read
# afterwards, the reason, and the time until they agree.
#
# The simulator `sim` runs the production code. Clients send commands in the Redis protocol, regions
# exchange the frames of their links, and the latencies were measured between three cloud regions.
# Only the clock and the network are virtual. So ten seconds of cut take a few milliseconds, and the
# same seed gives the same run.

# %%
from __future__ import annotations

from collections.abc import Callable

import attrs
import matplotlib.pyplot as plt
from IPython.display import SVG, Markdown, display

from crdt import Replica
from geo import Catalog, Topology
from sim.engine.events import MS, SECOND
from sim.report.diagram import Picture
from sim.report.report import Recorder
from sim.schedule.plan import Plan, Tuning
from sim.world.world import SimWorld

US, EU, AP = REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")


def table(head: tuple[str, ...], *rows: tuple[str, ...]) -> None:
    """Show a table."""
    lines = [head, ("---",) * len(head), *rows]
    display(Markdown("\n".join("| " + " | ".join(line) + " |" for line in lines)))


# %% [markdown]
# ## The map
#
# The map shows each link with its one-way delay in milliseconds. Dashed links will be cut. (The
# shortest path from Virginia to Singapore passes near the pole, outside the map.)

# %%
mesh = Topology.mesh(REGIONS)
display(SVG(mesh.svg(Catalog.shipped().one_way_ns, cut=mesh.isolate(US))))

# %% [markdown]
# ## One cut, every type
#
# Virginia is cut off from Ireland and Singapore. Both sides write to the same keys. Virginia writes
# first, and Ireland half a second later. No client waits, and every write is acknowledged.

# %%
# By title: a command before the cut, a command in `US` and one in `EU` during the cut, and a read.
STORY = {
    "string": ("SET title draft", "SET title us", "SET title eu", "GET title"),
    "counter": ("SET visits 100", "INCRBY visits 7", "INCRBY visits 3", "GET visits"),
    "counter, deleted": ("SET hits 4", "DEL hits", "INCRBY hits 2", "GET hits"),
    "hash": (
        "HSET ada city Paris",
        "HSET ada city London",
        "HSET ada age 36",
        "HGETALL ada",
    ),
    "set": ("SADD cart milk eggs", "SREM cart milk eggs", "SADD cart milk tea", "SMEMBERS cart"),
    "sorted set": ("ZADD top 4 ada", "ZREM top ada", "ZINCRBY top 2 ada", "ZSCORE top ada"),
    "list": ("RPUSH todo a", "RPUSH todo us1 us2", "RPUSH todo eu1 eu2", "LRANGE todo 0 -1"),
    "delete": ("SET old 1", "DEL old", "SET old 2", "GET old"),
    "expiry": ("SET token 1", "EXPIRE token 60", "EXPIRE token 3600", "TTL token"),
    "types differ": ("DEL both", "SADD both member", "SET both text", "TYPE both"),
}


def text(value: object) -> str:
    """Return a reply as text."""
    match value:
        case None:
            return "(nil)"
        case bytes():
            return value.decode()
        case list():
            return " ".join(map(text, value)) or "(empty)"
        case _:
            return str(value)


def read(world: SimWorld, region: str) -> dict[str, str]:
    """Return the values that a client of a region reads under all keys."""
    shown: dict[str, str] = {}
    for title, (*_, question) in STORY.items():
        reply = world.run(region, *question.split())
        if title == "hash":
            pairs = zip(reply[::2], reply[1::2], strict=True)
            reply = sorted(b"%b=%b" % pair for pair in pairs)
        elif title == "set":
            reply = sorted(reply)
        shown[title] = text(reply)
    return shown


world = SimWorld(Plan.of(REGIONS), seed=1)
world.sleep(5 * SECOND)
for before, *_ in STORY.values():
    world.run(US, *before.split())
assert world.converge(5 * SECOND)

for other in (EU, AP):
    world.cut(US, other)
for _, alone, _, _ in STORY.values():
    world.run(US, *alone.split())
world.sleep(500 * MS)
for _, _, together, _ in STORY.values():
    world.run(EU, *together.split())
world.sleep(1 * SECOND)
apart = {region: read(world, region) for region in REGIONS}

for other in (EU, AP):
    world.heal(US, other)
assert world.converge(10 * SECOND)
agreed = {region: read(world, region) for region in REGIONS}
digests = {world.run(region, "CRDB.DIGEST") for region in REGIONS}

# %% [markdown]
# What each side reads during the cut:

# %%
table(
    ("", "before", f"{US} writes", f"{EU} writes", f"{US} reads", f"{EU} and {AP} read"),
    *((title, *words[:3], apart[US][title], apart[EU][title]) for title, words in STORY.items()),
)
assert apart[EU] == apart[AP]

# %% [markdown]
# What all regions read after the cut, and the rule for each type:

# %%
RULES = {
    "string": "the later write is shown, `CRDB.CONFLICTS` lists both",
    "counter": "increments add up",
    "counter, deleted": "the delete cancels the 4 that it has seen, and not the 2",
    "hash": "each field is a separate string",
    "set": "the remove had not seen the new `milk`, so it stays; it had seen `eggs`",
    "sorted set": "the remove cancels the 4 that it has seen; the 2 is left",
    "list": "the elements of both sides stay, and those of one side stay together",
    "delete": "the delete had not seen the write, so the write stays",
    "expiry": "the longer of two concurrent deadlines holds",
    "types differ": "all are kept and one is shown: the one whose oldest dot has the lowest origin",
}
table(
    ("", "all regions read", "because"),
    *((title, agreed[US][title], rule) for title, rule in RULES.items()),
)
assert agreed[US] == agreed[EU] == agreed[AP]
assert len(digests) == 1
assert agreed[US] | {"expiry": ""} == {
    "string": "eu",
    "counter": "110",
    "counter, deleted": "2",
    "hash": "age=36 city=London",
    "set": "milk tea",
    "sorted set": "2",
    "list": "a us1 us2 eu1 eu2",
    "delete": "2",
    "expiry": "",
    "types differ": "set",
}
assert 3590 < int(agreed[US]["expiry"]) <= 3600

# %% [markdown]
# ## The same as a picture
#
# The picture shows two regions that are 50 ms apart. Time runs downwards and is not to scale. The
# link is cut in the shaded time. An arrow is a message that carries data or requests it.
#
# The first write arrives one delay later. During the cut both sides write. `us` removes what it has
# seen. `eu` adds a member that it already has, which gives the member a new dot. Then the regions
# connect, report what they have, and send each other what is missing.


# %%
def small_cut() -> Picture:
    """Return the picture of a cut during which two regions write one key."""
    recorder = Recorder()
    world = SimWorld(Plan.of(("us", "eu"), delay_ms=50), seed=1, recorder=recorder)
    world.sleep(5 * SECOND)
    begin = world.now - MS
    world.run("us", "SADD", "cart", "milk", "eggs")
    world.sleep(200 * MS)
    world.cut("us", "eu")
    world.sleep(100 * MS)
    world.run("us", "SREM", "cart", "milk", "eggs")
    world.sleep(100 * MS)
    world.run("eu", "SADD", "cart", "milk")
    world.sleep(100 * MS)
    world.heal("us", "eu")
    assert world.converge(5 * SECOND)
    world.sleep(100 * MS)
    assert world.run("us", "SMEMBERS", "cart") == world.run("eu", "SMEMBERS", "cart") == [b"milk"]
    picture = recorder.make_picture(("us", "eu"), begin)
    return attrs.evolve(picture, marks=tuple(m for m in picture.marks if m.style == "write"))


display(small_cut())

# %% [markdown]
# ## Time until all regions agree
#
# With three regions, and equal one-way delays of 1 to 200 ms, we measure
#
# * the time from a write until the other regions show it,
# * the time from the end of a cut until all regions have converged, if the backlog still contains
#   the writes of the cut (*partial resync*),
# * the same time if the backlog no longer contains them and a snapshot is merged (*full resync*).


# %%
def time_until(world: SimWorld, holds: Callable[[], bool]) -> float:
    """Return the virtual milliseconds until `holds` returns True."""
    start = world.now
    while not holds():
        world.engine.step()
    return (world.now - start) / MS


def equal_world(delay_ms: float) -> SimWorld:
    """Return three connected regions with equal delays and 20 kB of backlog."""
    plan = Plan.of(("a", "b", "c"), delay_ms=delay_ms, tuning=Tuning(history_bytes=20_000))
    world = SimWorld(plan, seed=1)
    world.sleep(5 * SECOND)
    return world


def until_visible(delay_ms: float) -> float:
    """Return the milliseconds from a write until all regions have it."""
    world = equal_world(delay_ms)
    world.run("a", "SET", "key", "value")
    return time_until(world, world.has_converged)


def until_healed(delay_ms: float, writes: int) -> float:
    """Return the milliseconds from the end of a cut until all regions have its `writes`."""
    world = equal_world(delay_ms)
    for other in "bc":
        world.cut("a", other)
    for number in range(writes):
        world.run("a", "SET", f"key {number % 100}", f"value {number}")
    world.run("b", "SET", "key 1", "value")
    world.sleep(20 * SECOND)
    for other in "bc":
        world.heal("a", other)
    return time_until(world, world.has_converged)


DELAYS = (1, 25, 50, 100, 150, 200)
CURVES = {
    "a write is visible everywhere": [until_visible(delay) for delay in DELAYS],
    "healed, partial resync": [until_healed(delay, 10) for delay in DELAYS],
    "healed, full resync": [until_healed(delay, 2_000) for delay in DELAYS],
}

# %%
figure, axes = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
for (title, times), style in zip(CURVES.items(), ("o-", "s--", "^:"), strict=True):
    axes.plot(DELAYS, times, style, label=f"{title}: {times[-1] / DELAYS[-1]:.0f} × delay")
axes.set_xlabel("one-way delay of each link, in ms")
axes.set_ylabel("time until all regions agree, in ms (virtual)")
axes.set_title("Convergence of three regions in a full mesh")
axes.set_xlim(0, None)
axes.set_ylim(0, None)
axes.grid(alpha=0.3)
axes.legend()
plt.show()

# %% [markdown]
# The lines are straight: the time depends only on the delay, because a region accepts a write
# without waiting for another region. A write needs one delay. After a cut, each of these steps
# needs two delays:
#
# * connect,
# * prove the secret,
# * exchange Hellos,
# * request and send the missing ops.
#
# If the backlog no longer contains these ops, the request for a snapshot needs two more delays.

# %%
for delay, visible, partial, full in zip(DELAYS, *CURVES.values(), strict=True):
    assert visible == delay
    assert partial == 8 * delay
    assert full == 10 * delay

# %% [markdown]
# ## Without a server
#
# The types are also a library without I/O. Each program has a replica. Any transport can carry the
# ops that `since(vector)` returns to `accept` of another replica. During a cut nothing is carried.
# The library has the types of Redis, and types with other conflict rules. Here two replicas change
# each type concurrently.

# %%
us, eu = Replica(1), Replica(2)


def exchange() -> None:
    """Send each replica the ops that it lacks."""
    for source, sink in ((us, eu), (eu, us)):
        for op in source.since(sink.vector):
            sink.accept(op)


us.set("add wins").add("milk")
us.set_remove_wins("remove wins").add("milk")
us.flag("enable wins").enable()
us.flag("disable wins", disable_wins=True).enable()
exchange()

us.set("add wins").discard("milk")
eu.set("add wins").add("milk")
us.set_remove_wins("remove wins").discard("milk")
eu.set_remove_wins("remove wins").add("milk")
us.multi_value("title").set("Draft")
eu.multi_value("title").set("Entwurf")
us.counter("balance").increment(5)
eu.counter("balance").decrement(2)
us.counter_grow("visits").increment(5)
eu.counter_grow("visits").increment(2)
us.flag("enable wins").disable()
eu.flag("enable wins").enable()
us.flag("disable wins", disable_wins=True).disable()
eu.flag("disable wins", disable_wins=True).enable()
exchange()

# %%
seen = {
    "set, an add wins": sorted(eu.set("add wins")),
    "set, a remove wins": sorted(eu.set_remove_wins("remove wins")),
    "register that shows all values": sorted(eu.multi_value("title").values()),
    "counter": eu.counter("balance").value,
    "counter that only grows": eu.counter_grow("visits").value,
    "flag, enable wins": bool(eu.flag("enable wins")),
    "flag, disable wins": bool(eu.flag("disable wins", disable_wins=True)),
}
table(("", "both read"), *((name, str(value)) for name, value in seen.items()))
assert us.digest() == eu.digest()
assert list(seen.values()) == [["milk"], [], ["Draft", "Entwurf"], 3, 7, True, False]
