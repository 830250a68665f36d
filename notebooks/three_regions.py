# %% [markdown]
# # Three regions under a cut
#
# Three regions of one database all take writes. The network between them is cut, both sides go
# on writing the same keys, and the network heals. What does everybody read then, why, and how
# long does it take?
#
# Everything below is run by the production code, clocks and network apart: commands in the Redis
# protocol go in, the links' own frames pass between the regions, and the latencies are those
# measured between three cloud regions. `sim` puts a virtual clock and a virtual network under it,
# so that ten seconds of cut take a few milliseconds, and the same seed gives the same run.

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
# Each link with its one-way delay in milliseconds. (The shortest way from Virginia to Singapore
# leads past the pole, and off the map.) Dashed: the links that we shall cut.

# %%
mesh = Topology.mesh(REGIONS)
display(SVG(mesh.svg(Catalog.shipped().one_way_ns, cut=mesh.isolate(US))))

# %% [markdown]
# ## One cut, every type
#
# Virginia is cut off from Ireland and Singapore. Both sides write to the same keys, half a second
# apart: first the lone region, then the other side. Nobody waits, and every write is acknowledged.

# %%
# Key: what all have seen before the cut, what `US` does in it, what `EU` does, how it is read.
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
    """A reply as people write it."""
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
# What everybody reads after it, and the rule that says so:

# %%
RULES = {
    "string": "the later write is shown, `CRDB.CONFLICTS` lists both",
    "counter": "increments add up",
    "counter, deleted": "the delete takes the 4 that it saw, and not the 2",
    "hash": "each field is a string of its own",
    "set": "the remove had not seen the new `milk`: add wins; `eggs` was seen, and goes",
    "sorted set": "the remove takes the 4 that it saw; the 2 is left",
    "list": "both sides stay, and each side's run stays together",
    "delete": "the write was not seen by the delete, so it stays",
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
# Two regions, 50 ms apart. Time runs down and is not to scale; in the shaded time nothing
# passes; an arrow is a message that carries data or asks for it. The first write arrives one delay
# later. The cut comes, and both sides write: `us` removes what it has seen, `eu` adds a member that
# is there already, which gives it a new dot. Then they connect, say what they have, and send each
# other the rest.


# %%
def small_cut() -> Picture:
    """A cut in which two regions write one key."""
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
# ## How long until all agree?
#
# In three regions with equal delays, on links of 1 to 200 ms one way, we measure
#
# * the time from a write until the other regions show it,
# * the time from the end of a cut until all regions hold the same, when the backlog still has
#   what was written meanwhile (*partial resync*),
# * the same when the backlog has run out and a snapshot is merged (*full resync*).


# %%
def time_until(world: SimWorld, holds: Callable[[], bool]) -> float:
    """Virtual milliseconds until something holds."""
    start = world.now
    while not holds():
        world.engine.step()
    return (world.now - start) / MS


def equal_world(delay_ms: float) -> SimWorld:
    """Three regions at equal distances, long since connected, that keep 20 kB of backlog."""
    plan = Plan.of(("a", "b", "c"), delay_ms=delay_ms, tuning=Tuning(history_bytes=20_000))
    world = SimWorld(plan, seed=1)
    world.sleep(5 * SECOND)
    return world


def until_visible(delay_ms: float) -> float:
    """From a write until everybody has it."""
    world = equal_world(delay_ms)
    world.run("a", "SET", "key", "value")
    return time_until(world, world.has_converged)


def until_healed(delay_ms: float, writes: int) -> float:
    """From the end of a cut, in which so much was written, until everybody has it."""
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
axes.set_title("Convergence of three regions, each linked with each")
axes.set_xlim(0, None)
axes.set_ylim(0, None)
axes.grid(alpha=0.3)
axes.legend()
plt.show()

# %% [markdown]
# Straight lines: nothing but the distance counts, since a region waits for nobody to take a write.
# A write needs one delay. After a cut, two delays make a connection, two prove the secret, two
# exchange names, two ask and bring what is missing. When the backlog has run out, two more ask for
# a snapshot instead.

# %%
for delay, visible, partial, full in zip(DELAYS, *CURVES.values(), strict=True):
    assert visible == delay
    assert partial == 8 * delay
    assert full == 10 * delay

# %% [markdown]
# ## Without a server
#
# The types are a library: a replica each, no I/O, and whatever transport there is brings
# `since(vector)` to `accept`. A cut is simply not exchanging anything. Beside the types of Redis
# there are some whose rule is another; here each with what two replicas do to it meanwhile.

# %%
us, eu = Replica(1), Replica(2)


def exchange() -> None:
    """Bring each what it lacks of the other."""
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
    "register that shows all": sorted(eu.multi_value("title").values()),
    "counter": eu.counter("balance").value,
    "counter that only grows": eu.counter_grow("visits").value,
    "flag, enable wins": bool(eu.flag("enable wins")),
    "flag, disable wins": bool(eu.flag("disable wins", disable_wins=True)),
}
table(("", "both read"), *((name, str(value)) for name, value in seen.items()))
assert us.digest() == eu.digest()
assert list(seen.values()) == [["milk"], [], ["Draft", "Entwurf"], 3, 7, True, False]
