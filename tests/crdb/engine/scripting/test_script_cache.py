"""The scripts that EVALSHA finds."""

from __future__ import annotations

from crdb.engine.scripting.script_cache import EVAL_SCRIPTS_MAX, SCRIPT_BYTES, Script, ScriptCache


def script(number: int, is_loaded: bool = False) -> Script:
    made = Script(b"%d" % number, b"body", 0, None)
    made.is_loaded = is_loaded
    return made


def test_least_recently_used_script_of_eval_is_forgotten() -> None:
    cache = ScriptCache()
    first = script(0)
    cache.add(first)
    cache.add(script(-1, is_loaded=True))
    for number in range(1, EVAL_SCRIPTS_MAX):
        cache.add(script(number))
    cache.touch(first)
    cache.add(script(EVAL_SCRIPTS_MAX))
    assert b"1" not in cache.by_name
    assert {b"0", b"-1", b"2"} < cache.by_name.keys()
    assert cache.evicted == 1
    assert cache.used_bytes == (EVAL_SCRIPTS_MAX + 1) * (SCRIPT_BYTES + 4)


def test_script_that_was_loaded_stays() -> None:
    cache = ScriptCache()
    cache.add(script(0))
    cache.pin(cache.by_name[b"0"])
    for number in range(1, EVAL_SCRIPTS_MAX + 5):
        cache.add(script(number))
    assert b"0" in cache.by_name
    cache.touch(cache.by_name[b"0"])
    cache.clear()
    assert (cache.by_name, cache.used_bytes) == ({}, 0)
