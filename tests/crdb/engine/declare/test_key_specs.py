"""Positions of keys, derived from the syntax."""

from __future__ import annotations

import pytest

from crdb.engine.declare.key_specs import KeySpec, derive_key_specs, key_range
from crdb.engine.declare.syntax import parse_syntax

READ = "RO access"


def derive(syntax: str, flags: str = READ, offset: int = 1) -> tuple[KeySpec, ...]:
    """Return the key specifications of a command."""
    return derive_key_specs(parse_syntax(syntax), offset, flags.split(";"))


def test_ranges() -> None:
    assert derive("key value") == (KeySpec(READ, 1),)
    assert derive("key...") == (KeySpec(READ, 1, -1),)
    assert derive("key... timeout") == (KeySpec(READ, 1, -2),)
    assert derive("(key value)...") == (KeySpec(READ, 1, -1, 2),)
    assert derive("<AND | OR> destkey key...", "OW; RO") == (KeySpec("OW", 2), KeySpec("RO", 3, -1))
    assert derive("key [SAMPLES count]", offset=2) == (KeySpec(READ, 2),)
    assert derive("pattern") == ()


def test_adjacent_keys_with_same_flags_are_one_range() -> None:
    assert derive("key1 key2 [LEN]") == (KeySpec(READ, 1, 1),)
    assert derive("key1 value key2") == (KeySpec(READ, 1), KeySpec(READ, 3))
    assert derive("key1 key2", "RO; RW") == (KeySpec("RO", 1), KeySpec("RW", 2))


def test_number_of_keys_is_argument() -> None:
    assert derive("timeout numkeys key...") == (KeySpec(READ, 2, is_numbered=True),)
    assert derive("destination numkeys key...", "OW; RO") == (
        KeySpec("OW", 1),
        KeySpec("RO", 2, is_numbered=True),
    )


def test_optional_keys_and_patterns_are_unknown() -> None:
    syntax = "key [BY by-pattern] [GET get-pattern]... [STORE destination]"
    flags = "RO access; RO: Depends on elements.; OW update"
    assert derive(syntax, flags) == (
        KeySpec("RO access", 1),
        KeySpec("RO", note="Depends on elements."),
        KeySpec("OW update"),
    )


def test_flags_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="1 key specifications, but flags for 2"):
        derive("key", "RO; RW")


@pytest.mark.parametrize("syntax", ["key... [LIMIT limit]", "min key... value..."])
def test_keys_without_known_end_are_refused(syntax: str) -> None:
    with pytest.raises(ValueError, match=r"key\.\.\. is followed by arguments of any number"):
        derive(syntax)


@pytest.mark.parametrize(
    ("syntax", "request_", "positions"),
    [
        ("key value", "SET k v", [1]),
        ("key... timeout", "BLPOP a b 0", [1, 2]),
        ("(key value)...", "MSET a 1 b 2", [1, 3]),
        ("numkeys key... [LIMIT limit]", "SINTERCARD 2 a b LIMIT 1", [2, 3]),
        ("[STORE destination]", "SORT STORE a", []),
    ],
)
def test_positions_in_request(syntax: str, request_: str, positions: list[int]) -> None:
    (spec,) = derive(syntax)
    assert list(spec.positions(request_.encode().split())) == positions


@pytest.mark.parametrize("request_", ["X 3 a b", "X 0 a", "X -1 a", "X n a", "X"])
def test_wrong_number_of_keys_is_refused(request_: str) -> None:
    (spec,) = derive("numkeys key...")
    with pytest.raises(ValueError, match="keys exceed the request"):
        spec.positions(request_.encode().split())


def test_range_for_older_clients() -> None:
    assert key_range(derive("pattern")) == (0, 0, 0)
    assert key_range(derive("numkeys key...")) == (0, 0, 0)
    assert key_range(derive("<AND | OR> destkey key...", "OW; RO")) == (2, -1, 1)
    assert key_range(derive("(key value)...")) == (1, -1, 2)
    assert key_range(derive("source destination", "RW; OW")) == (1, 2, 1)
    assert key_range(derive("destination numkeys key...", "OW; RO")) == (1, 1, 1)


def test_key_behind_keyword_is_found_among_the_options() -> None:
    syntax = "key value [COUNT count] [store: STORE storekey:key | STOREDIST storedistkey:key]"
    first, store, distances = derive(syntax, "RO; OW keyword; OW update keyword")
    assert store == KeySpec("OW", 3, keyword="STORE")
    assert distances == KeySpec("OW update", 3, keyword="STOREDIST")
    request = [b"X", b"store", b"v", b"COUNT", b"1", b"store", b"d"]
    assert [list(spec.positions(request)) for spec in (first, store, distances)] == [[1], [6], []]
    assert list(store.positions(request[:-1])) == []
    assert key_range((first, store, distances)) == (1, 1, 1)


def test_key_of_option_is_unknown_without_the_word() -> None:
    assert derive("key [STORE destination]", "RO; OW")[1] == KeySpec("OW")


def test_optional_keys_may_be_left_out() -> None:
    sources = derive("destkey [sourcekey:key...]", "RW; RO")[1]
    assert sources == KeySpec("RO", 2, -1)
    assert list(sources.positions([b"X", b"d", b"s", b"t"])) == [2, 3]
    assert list(sources.positions([b"X", b"d"], may_be_none=True)) == []
    with pytest.raises(ValueError, match="no such keys"):
        sources.positions([b"X", b"d"])
