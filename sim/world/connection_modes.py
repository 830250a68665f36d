"""The invariants `connection modes` and `secrets`: a connection is in the mode that its client has
asked for, and passwords stay secret.

In some runs, clients of a quiet region send HELLO, AUTH, RESET and CLIENT with right and wrong
arguments. An operator changes the password meanwhile.

* Replies and CLIENT LIST follow from what a connection has sent before (`sim.redis.modes`). What is
  refused changes nothing: neither the protocol, the name, nor the authentication.
* A read counts as a use of its key (OBJECT IDLETIME), except after CLIENT NO-TOUCH ON, whatever
  other clients have switched on.
* MONITOR shows what runs, in order, until RESET, QUIT, CLIENT KILL or the end of the connection.
  Nothing is kept for a connection that is closed.
* No password that a client has sent, right or wrong, appears in MONITOR, SLOWLOG, CLIENT LIST,
  INFO, LATENCY, or in the reply to the command. Only CONFIG GET shows the password.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from crdb.engine.execution.executor import receive
from sim.checkers.clients.commands import plain
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.client import Reply, SimClient, parse_fields
from sim.nodes.region import SimRegion
from sim.redis.commands import is_expected
from sim.redis.connection import ANY
from sim.redis.modes import USER, ModesModel, Properties, ServerModel
from sim.schedule.step import Words
from sim.world.world import SimWorld

MODES: Final = "connection modes"
SECRETS: Final = "secrets"
RUNS: Final = 5  # in one of so many runs this is checked
STEPS: Final = 50
ROUNDS: Final = 3
READS_MAX: Final = 4
KEY: Final = "modes"
SECRET: Final = "pa55"
"""The beginning of all passwords. Nothing else contains it."""
INSPECTIONS: Final = (
    *(("SLOWLOG", "GET", "-1"), ("CLIENT", "LIST"), ("INFO", "everything")),
    *(("LATENCY", "LATEST"), ("CLIENT", "INFO"), ("COMMAND", "DOCS", "AUTH"), ("ACL", "LOG")),
)
"""Commands whose replies contain no secrets."""


def check_connection_modes(world: SimWorld) -> None:
    """Let clients change the modes of their connections, in some runs. Raises Violation."""
    rng = SeededRandom(world.seed, "modes")
    if rng.happens_in(1, RUNS):
        world.count_probe(MODES)
        probe = ModesProbe(world, rng, rng.choose_one(tuple(world.sites)))
        probe.check_uses()
        probe.check_modes()
        probe.check_end_of_monitor()


class ProbedClient:
    """A client with the model of its connection."""

    def __init__(self, site: SimRegion, server: ServerModel) -> None:
        self.site = site
        self.sim_client = SimClient(site.instance)
        self.model = ModesModel(server)

    @property
    def identity(self) -> int:
        """The number of the connection."""
        return self.sim_client.client.id

    def send(self, words: Words) -> Reply:
        """Send a command. Return its reply, the last of those that have come."""
        self.site.advance_clocks()
        replies = self.sim_client.send_commands(words)
        self.site.finish_turn()
        return replies[-1]

    def read(self) -> bytes:
        """Return what has come since the last reply."""
        return receive(self.sim_client.client, b"")

    def close(self) -> None:
        """Close the connection."""
        self.site.instance.forget(self.sim_client.client)


class ModesProbe:
    """Clients of one region, and what they have done."""

    def __init__(self, world: SimWorld, rng: SeededRandom, region: str) -> None:
        self.world = world
        self.rng = rng
        self.site = world.sites[region]
        self.server = ServerModel()
        self.operator = self.connect()
        self.clients = [self.connect() for _ in range(3)]
        self.count = 0
        self.shown: list[str] = []
        """The words that clients have sent with ECHO since MONITOR began."""

    def connect(self) -> ProbedClient:
        """Return a new client."""
        return ProbedClient(self.site, self.server)

    def unique_word(self, prefix: str) -> str:
        """Return a word that has not been used before."""
        self.count += 1
        return f"{prefix}{self.count}x"

    def violation(self, promise: str, text: str) -> Violation:
        """Return a violation in the region."""
        return Violation(promise, f"{self.site.name} {text}")

    # -- uses of keys ----------------------------------------------------------------------

    def check_uses(self) -> None:
        """Read a key from clients, some of them after CLIENT NO-TOUCH ON. Raises Violation."""
        self.world.run(self.site.name, "SET", KEY, "x")
        used_at = self.site.now_ms // 1000
        for client in self.clients:
            client.model.keeps_marks = self.rng.happens_in(1, 2)
            client.send(("CLIENT", "NO-TOUCH", "ON" if client.model.keeps_marks else "OFF"))
        for _ in range(ROUNDS):
            self.world.sleep(SECOND)
            for _ in range(self.rng.integer_between(1, READS_MAX)):
                client = self.rng.choose_one(self.clients)
                client.send(("GET", KEY))
                if not client.model.keeps_marks:
                    used_at = self.site.now_ms // 1000
            idle = self.site.now_ms // 1000 - used_at
            found = self.operator.send(("OBJECT", "IDLETIME", KEY))
            if found != idle:
                raise self.violation(
                    MODES, f"reports that {KEY} has not been used for {found} s, not {idle} s"
                )
        self.world.run(self.site.name, "DEL", KEY)
        for client in self.clients:
            client.send(("RESET",))
            client.model.keeps_marks = False

    # -- modes and secrets -----------------------------------------------------------------

    def check_modes(self) -> None:
        """Let clients send commands with passwords while one watches. Raises Violation."""
        self.monitor = self.connect()
        self.monitor.send(("MONITOR",))
        self.operator.send(("CONFIG", "SET", "slowlog-log-slower-than", "0"))
        for _ in range(STEPS):
            if self.rng.happens_in(1, 10):
                self.change_password()
            elif self.rng.happens_in(1, 10):
                self.replace_client()
            else:
                client = self.rng.choose_one(self.clients)
                self.run(client, self.draw_command())
        lines = self.monitor.read()
        self.check_secrets("MONITOR", lines)
        self.check_lines(lines)
        for words in INSPECTIONS:
            self.check_secrets(" ".join(words), self.operator.send(words))
        self.server.password = ""
        self.operator.send(("CONFIG", "SET", "slowlog-log-slower-than", "10000", "requirepass", ""))
        self.operator.send(("SLOWLOG", "RESET"))

    def run(self, client: ProbedClient, words: Words) -> None:
        """Send a command, and compare the reply and the modes. Raises Violation."""
        expected = client.model.run(words)
        if words[0] == "ECHO" and expected == words[1]:
            self.shown.append(words[1])
        found = client.send(words)
        self.check_secrets(" ".join(words), found)
        if not is_reply(expected, found):
            raise self.violation(MODES, f"answers {' '.join(words)} with {found!r}")
        line = self.operator.send(("CLIENT", "LIST", "ID", str(client.identity)))
        fields = parse_fields(cast("bytes", line).decode())
        for name, value in client.model.describe().items():
            if fields.get(name) != value:
                raise self.violation(
                    MODES, f"shows {name}={fields.get(name)}, not {value}, after {' '.join(words)}"
                )

    def draw_command(self) -> Words:
        """Draw a command."""
        rng = self.rng
        name = rng.choose_one((self.unique_word("n"), "two words"))
        mode = rng.choose_one(("ON", "OFF", "ON", "OFF", "no"))
        return rng.choose_one(
            (
                *(self.draw_hello(), self.draw_hello(), self.draw_hello()),
                *(self.draw_auth(), ("ECHO", self.unique_word("e")), ("RESET",)),
                *(("CLIENT", "SETNAME", name), ("CLIENT", "GETNAME")),
                *(("CLIENT", "NO-TOUCH", mode), ("CLIENT", "NO-EVICT", mode)),
            )
        )

    def draw_hello(self) -> Words:
        """Draw HELLO with options in any order. At times the last argument is missing."""
        rng = self.rng
        words = ["HELLO"]
        if rng.happens_in(7, 8):
            words.append(rng.choose_one(("2", "3", "2", "3", "4", "x")))
            for _ in range(rng.integer_below(3)):
                words += self.draw_option()
            if rng.happens_in(1, 16):
                words.pop()
        return tuple(word.lower() if rng.happens_in(1, 8) else word for word in words)

    def draw_option(self) -> Words:
        """Draw an option of HELLO."""
        rng = self.rng
        name = rng.choose_one((self.unique_word("n"), self.unique_word("n"), "two words"))
        user = rng.choose_one((USER, USER, "other"))
        if rng.happens_in(2, 5):
            return ("SETNAME", name)
        return ("AUTH", user, self.draw_password())

    def draw_auth(self) -> Words:
        """Draw AUTH with one or two arguments."""
        user = self.rng.choose_one(((), (USER,), ("other",)))
        return ("AUTH", *user, self.draw_password())

    def draw_password(self) -> str:
        """Draw a password, mostly the right one if there is one."""
        wrong = self.unique_word(SECRET)
        return (self.server.password or wrong) if self.rng.happens_in(2, 3) else wrong

    def change_password(self) -> None:
        """Let the operator change or empty the password, perhaps with another parameter that is
        refused."""
        password = "" if self.rng.happens_in(1, 3) else self.unique_word(SECRET)
        words: Words = ("requirepass", password)
        is_refused = self.rng.happens_in(1, 3)
        if is_refused:
            words = (*words, "maxclients", "none")
        if self.rng.happens_in(1, 2):
            words = (*words[2:], *words[:2])
        found = self.operator.send(("CONFIG", self.rng.choose_one(("SET", "set")), *words))
        self.check_secrets("CONFIG SET", found)
        if not is_refused:
            self.server.password = password

    def replace_client(self) -> None:
        """Close the connection of a client, and open another one."""
        index = self.rng.integer_below(len(self.clients))
        self.clients[index].close()
        self.clients[index] = self.connect()

    def check_secrets(self, where: str, found: object) -> None:
        """Check that a text or a reply contains no password. Raises Violation."""
        text = found if isinstance(found, bytes) else repr(found).encode()
        at = text.find(SECRET.encode())
        if at >= 0:
            shown = text[max(0, at - 40) : at + 20]
            raise self.violation(SECRETS, f"shows a password to {where}: {shown!r}")

    # -- MONITOR ---------------------------------------------------------------------------

    def check_lines(self, lines: bytes) -> None:
        """Check that MONITOR has shown each ECHO that ran. Raises Violation."""
        found = [line.split('"')[3] for line in lines.decode().splitlines() if '"ECHO"' in line]
        if found != self.shown:
            raise self.violation(MODES, f"shows {found} in MONITOR, where {self.shown} ran")

    def check_end_of_monitor(self) -> None:
        """End MONITOR in one of several ways. Check that nothing is sent to it afterwards, or kept
        for it if it is closed. Raises Violation."""
        monitor = self.monitor
        end = self.rng.choose_one(("RESET", "QUIT", "CLIENT KILL", "the end of its connection"))
        if end == "CLIENT KILL":
            self.operator.send(("CLIENT", "KILL", "ID", str(monitor.identity)))
        elif end in {"RESET", "QUIT"}:
            monitor.send((end,))
        monitor.read()
        if end != "RESET":
            monitor.close()
        for client in self.clients:
            client.send(("ECHO", self.unique_word("e")))
        kept = b"".join(monitor.sim_client.client.out)
        if kept:
            raise self.violation(MODES, f"keeps {kept[:80]!r} for a client after {end} in MONITOR")
        for client in (*self.clients, self.operator, monitor):
            client.close()


def is_reply(expected: Any, found: Reply) -> bool:
    """Return whether a reply is the expected one, in the form of the protocol."""
    if not isinstance(expected, Properties):
        return expected is ANY or is_expected(expected, plain(found))
    pairs: Iterator[Any]
    if expected.protocol == 3:
        if not isinstance(found, tuple):
            return False
        pairs = iter(cast("tuple[str, list[Any]]", found)[1])
    else:
        if not isinstance(found, list):
            return False
        flat = iter(cast("list[Any]", found))
        pairs = zip(flat, flat, strict=True)
    return dict(map(tuple, pairs)).get(b"proto") == expected.protocol
