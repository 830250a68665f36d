"""Equal histories give equal bytes under any hash seed, and `import crdt` loads few modules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
import hashlib, random
from crdt.testing import SUBJECTS, World
from crdt.testing.worlds.steps import draw

seen = hashlib.sha256()
for name in ("keyspace", "embedded"):
    world = World(SUBJECTS[name])
    world.run_on(draw(random.Random(name), 80))
    for site in world.sites:
        seen.update(site.replica.to_bytes())
        seen.update(repr(site.waiting).encode())
        seen.update(b"".join(site.replica.snapshot()))
print(seen.hexdigest())
"""

NEEDS = """
import sys
import crdt
print(*{name.partition(".")[0] for name in sys.modules})
"""


def run(program: str, hash_seed: str) -> str:
    """Return the output of a program under a given hash seed."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_hash_seed_is_not_seen() -> None:
    assert run(PROGRAM, "1") == run(PROGRAM, "4242")


def test_embedding_needs_little() -> None:
    loaded = set(run(NEEDS, "0").split())
    assert loaded >= {"attr", "crdt", "msgpack"}
    assert not loaded & {"hypothesis", "trio", "rich", "hiredis", "pytest", "replication", "crdb"}
