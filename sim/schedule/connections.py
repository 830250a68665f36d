"""The steps of sessions that use the state of their connections: pauses, replies that are switched
off, transactions with errors, long pipelines, and clients that are unblocked, killed or idle.

Each region has an operator and three clients. They do one thing after another, and write to keys
that no other client uses. Each argument is used once, so that each reply shows what it replies to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.session import CONNECTIONS, SLOTS
from sim.redis.connection import LACKING, UNKNOWN
from sim.schedule.step import ScheduleStep, Words
from sim.schedule.writes import PERIOD_NS, Load

FAMILY: Final = "conn"
OPERATOR, FIRST, SECOND_CLIENT, THIRD = range(4)
MEAN_NS: Final = 4 * SECOND
"""The average time between two things that these sessions do in a region."""
PIPELINE_MIN: Final = 5
PIPELINE_MAX: Final = 25
LONG: Final = 300
LONGEST: Final = 4200
"""The lengths of long pipelines. After 4,096 requests a server turns to its other clients."""
REPLY_MODES: Final = ("ON", "OFF", "SKIP", "SKIP")
PAUSES_MS: Final = (20, 60, 150, 300)
IDLE_MS: Final = 1000
BURST: Final = 80


class ConnectionClients:
    """Draws the steps of the sessions of one region."""

    def __init__(self, rng: SeededRandom, load: Load, region: str, number: int) -> None:
        self.rng = rng
        self.region = region
        self.number = number
        self.mean = MEAN_NS * 100 // max(1, load.requests)
        self.count = 0
        self.at = 0
        """The time of the next step."""
        self.is_queueing = False

    def draw_steps(self, end: int) -> Iterator[ScheduleStep]:
        """Yield all steps until `end`."""
        rng = self.rng
        self.at = rng.exponential(self.mean)
        acts = (
            *(self.draw_pipeline, self.draw_pipeline, self.draw_pipeline, self.draw_pause),
            *(self.draw_pause, self.draw_pause, self.draw_wait, self.draw_wait, self.draw_idle),
        )
        while self.at < end:
            for step in rng.choose_one(acts)():
                if step.at < end:
                    yield step
            self.at += 10 * MS + rng.exponential(self.mean)

    def make_step(self, slot: int, *commands: Words) -> ScheduleStep:
        """Return a step in which a session sends commands now."""
        number = CONNECTIONS.start + SLOTS * self.number + slot
        return ScheduleStep(self.at, "client", (self.region,), value=number, commands=commands)

    def unique_word(self) -> str:
        """Return a word that is used once in the run."""
        self.count += 1
        return f"c{self.number}.{self.count}"

    @property
    def key(self) -> str:
        """The key of a set."""
        return f"{FAMILY}:{self.at // PERIOD_NS}.{self.number}"

    # -- what they do ----------------------------------------------------------------------

    def draw_pipeline(self) -> Iterator[ScheduleStep]:
        """Yield pipelines of all commands, at times of very many, and a new beginning."""
        rng = self.rng
        if rng.happens_in(1, 12):
            length = rng.choose_one((LONG, LONG, LONGEST))
            yield self.make_step(FIRST, *((("PING",),) * length), ("ECHO", self.unique_word()))
        for _ in range(rng.integer_between(1, 3)):
            yield self.make_step(FIRST, *self.draw_commands())
            self.at += rng.integer_below(50 * MS)
        self.is_queueing = False
        yield self.make_step(FIRST, ("RESET",), ("CLIENT", "GETNAME"), ("ECHO", self.unique_word()))
        if rng.happens_in(1, 6):
            yield self.make_step(FIRST, ("PING",), ("QUIT",), ("PING",))

    def draw_commands(self) -> tuple[Words, ...]:
        """Draw a pipeline."""
        rng = self.rng
        commands: list[Words] = []
        for _ in range(rng.integer_between(PIPELINE_MIN, PIPELINE_MAX)):
            commands.append(self.draw_command())
            if commands[-1][0] in {"MULTI", "EXEC", "DISCARD", "RESET"}:
                self.is_queueing = commands[-1][0] == "MULTI"
        return tuple(commands)

    def draw_command(self) -> Words:
        """Draw a command. No subcommand of CLIENT is queued."""
        rng, word = self.rng, self.unique_word()
        plain = self.draw_plain()
        others: tuple[Words, ...] = (
            *((UNKNOWN, word), LACKING, ("SETRANGE", self.key, "-1", word), ("SELECT", "1")),
            *(("WATCH", self.key), ("UNWATCH",), ("DISCARD",), ("MULTI",), ("SELECT", "0")),
        )
        if self.is_queueing:
            ending: Words = rng.choose_one((("EXEC",), ("EXEC",), ("EXEC",), ("DISCARD",)))
            blocking = ("BLPOP", f"{self.key}.none", "0")
            return rng.choose_one((plain, plain, plain, ending, blocking, rng.choose_one(others)))
        client: tuple[Words, ...] = (
            *(("CLIENT", "REPLY", rng.choose_one(REPLY_MODES)), ("CLIENT", "SETNAME", word)),
            *(("CLIENT", "GETNAME"), ("CLIENT", "ID"), ("RESET",), ("CLIENT", "REPLY", "ON")),
        )
        begin: tuple[Words, ...] = (("MULTI",), ("MULTI",), ("WATCH", self.key), ("EXEC",))
        return rng.choose_one(
            (plain, plain, *(rng.choose_one(each) for each in (others, client, client, begin)))
        )

    def draw_plain(self) -> Words:
        """Draw a command that is never refused: it reads or writes."""
        word = self.unique_word()
        return self.rng.choose_one(
            (("ECHO", word), ("PING", word), ("PING",), ("SADD", self.key, word))
        )

    def draw_pause(self) -> Iterator[ScheduleStep]:
        """Yield a pause, perhaps a second one, and what clients send meanwhile and afterwards."""
        rng = self.rng
        ms = rng.choose_one(PAUSES_MS)
        until = self.at + ms * MS
        yield self.make_step(OPERATOR, self.draw_pause_command(ms))
        if rng.happens_in(2, 3):
            self.at += rng.integer_below(ms * MS // 4)
            again = rng.choose_one((1, ms // 2, ms))
            until = max(until, self.at + again * MS)
            yield self.make_step(OPERATOR, self.draw_pause_command(again))
        for slot in (FIRST, SECOND_CLIENT):
            self.at += rng.integer_below(ms * MS // 8)
            yield self.make_step(slot, *self.draw_held_commands())
        if rng.happens_in(1, 2):
            self.at += rng.integer_below(ms * MS // 4)
            yield self.make_step(OPERATOR, ("CLIENT", "UNPAUSE"))
        else:
            self.at = until + MS
        for slot in (FIRST, SECOND_CLIENT):
            self.at += rng.integer_below(20 * MS)
            yield self.make_step(slot, ("RESET",), ("ECHO", self.unique_word()))

    def draw_pause_command(self, ms: int) -> Words:
        """Draw CLIENT PAUSE with or without its mode."""
        modes: tuple[Words, ...] = ((), ("ALL",), ("WRITE",), ("WRITE",))
        return ("CLIENT", "PAUSE", str(ms), *self.rng.choose_one(modes))

    def draw_held_commands(self) -> tuple[Words, ...]:
        """Draw a pipeline of which a pause holds a part: reads, writes and a transaction."""
        rng = self.rng
        commands = [self.draw_plain() for _ in range(rng.integer_between(1, 4))]
        if rng.happens_in(1, 2):
            queued = [self.draw_plain() for _ in range(rng.integer_between(1, 3))]
            commands += [("MULTI",), *queued, ("EXEC",)]
        return (*commands, ("ECHO", self.unique_word()))

    def draw_wait(self) -> Iterator[ScheduleStep]:
        """Yield clients that block for one key, and an operator that serves, unblocks or kills."""
        rng = self.rng
        key = f"{self.key}.{self.unique_word()}"
        target = "$id2"
        if rng.happens_in(1, 2):
            yield self.make_step(FIRST, ("BZPOPMIN", key, "0"))
        seconds = rng.choose_one(("0", "0", "0.1", "0.0004"))
        skip: tuple[Words, ...] = (("CLIENT", "REPLY", "SKIP"),) if rng.happens_in(1, 4) else ()
        yield self.make_step(
            *(SECOND_CLIENT, ("ECHO", self.unique_word()), *skip, ("BLPOP", key, seconds)),
            *(("ECHO", self.unique_word()), ("PING",)),
        )
        yield self.make_step(THIRD, ("BLPOP", key, "0"))
        self.at += rng.integer_below(150 * MS)
        ends: tuple[Words, ...] = (
            *(("RPUSH", key, self.unique_word()), ("RPUSH", key, self.unique_word())),
            *(("CLIENT", "UNBLOCK", target), ("CLIENT", "UNBLOCK", target, "ERROR")),
            *(("CLIENT", "UNBLOCK", target, "TIMEOUT"), ("CLIENT", "KILL", "ID", target)),
        )
        for _ in range(rng.integer_between(1, 2)):
            yield self.make_step(OPERATOR, rng.choose_one(ends))
            self.at += rng.integer_below(20 * MS)
        self.at += 100 * MS
        for slot in (FIRST, SECOND_CLIENT, THIRD):
            yield self.make_step(OPERATOR, ("CLIENT", "UNBLOCK", f"$id{slot}", "ERROR"))
            yield self.make_step(slot, ("ECHO", self.unique_word()))

    def draw_idle(self) -> Iterator[ScheduleStep]:
        """Yield a time in which idle clients are closed, and one in which INFO shows a rate."""
        rng = self.rng
        key = f"{self.key}.{self.unique_word()}"
        yield self.make_step(FIRST, ("ECHO", self.unique_word()))
        yield self.make_step(SECOND_CLIENT, ("BLPOP", key, "0"))
        yield self.make_step(OPERATOR, ("CONFIG", "SET", "timeout", str(IDLE_MS // 1000)))
        begin = self.at
        info = ("INFO", "stats")
        yield from self.draw_busy(begin, 300 * MS)
        yield self.make_step(OPERATOR, info)
        yield from self.draw_busy(begin, 1750 * MS)  # later than the first samples
        burst = [("ECHO", self.unique_word()) for _ in range(BURST)]
        yield self.make_step(THIRD, *burst)
        yield from self.draw_busy(begin, 2300 * MS + rng.integer_below(50 * MS))
        yield self.make_step(OPERATOR, info)
        yield self.make_step(OPERATOR, ("CONFIG", "SET", "timeout", "0"))
        yield self.make_step(OPERATOR, ("CLIENT", "UNBLOCK", "$id2"))
        yield self.make_step(SECOND_CLIENT, ("ECHO", self.unique_word()))

    def draw_busy(self, begin: int, until: int) -> Iterator[ScheduleStep]:
        """Yield steps in which the operator and the third client stay active until a time after
        `begin`."""
        while self.at + 300 * MS < begin + until:
            self.at += 300 * MS
            for slot in (OPERATOR, THIRD):
                yield self.make_step(slot, ("ECHO", self.unique_word()))
        self.at = begin + until
