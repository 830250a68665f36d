"""Read the configuration from the text of a TOML file.

`crdb up` and every `crdb serve` read the same file, so that all regions agree on names, ids and
links. The keys of a table are the attributes of a class (`Config`, `RegionConfig`, `LinkConfig`),
and cattrs converts their values. Every error is one line with the place and the values that are
allowed. An unknown key is an error that names the most similar key. A key that belongs to another
table is an error that names that table.

All keys, most of them with their defaults:

    id = "crdb"              # of the CRDB: only regions of the same id are linked
    topology = "mesh"        # mesh, ring, star (with hub = "name") or line;
                             # or instead of it pairs = [["a", "b"], ...]
    requirepass = ""         # what clients have to AUTH with; empty: nothing
    users = []               # what all regions start with: "name rule ..." each, as ACL SETUSER
    protected_mode = true    # without requirepass, serve clients of this machine only
    secret = ""              # what regions and followers prove to each other on links; empty: links
                             # stay on this machine. Or secret_file = "a path from here"
    maxclients = 10000       # per region
    maxmemory = 0            # of the process: bytes, or "512mb", "4gb"; beyond it clients get OOM
                             # errors for writes; 0: no limit but the system's
    test_clock = false       # whether CRDB.CLOCK SET is allowed
    seed = 0                 # what random choices start from
    serve_stale = false      # whether a region serves reads before it has caught up with its peers,
                             # and a copy while its source is away; by default only a copy does

    [[region]]
    name = "us-east-1"
    id = 1                   # the same in all files; by default 1, 2, 3, ... in the file's order
    place = "us-east-1"      # its name in the catalogue, for "measured" delays; by default the name
    host = "127.0.0.1"       # where clients and peers reach the region
    bind = ["127.0.0.1"]     # where it listens: addresses of its machine; by default the host
    link_bind = ["127.0.0.1"]  # the same for link_port; by default as bind
    port = 7001              # clients; by default 7000 + id
    link_port = 17001        # peers; by default 10000 above the port, or below if that is too high
    replica_of = []          # "host:port" of what the region follows, read-only
    aclfile = ""             # the file of its users, a path from here; instead of users

    [link]
    delay = "none"           # "none"; "measured", from the catalogue; or milliseconds one way
    delays = []              # exceptions, ["from", "to", ms]; the way back as well, unless given
    backlog = "auto"         # ops kept for a peer that is away: "auto", or bytes, or "16mb", "1gb"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from operator import eq
from typing import Any, Final, TypeVar, cast

import attrs
from cattrs import (
    BaseValidationError,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
)
from cattrs.gen import make_dict_structure_fn, override

from crdb.deployment.config import (
    AUTO,
    Backlog,
    Config,
    Delay,
    LinkConfig,
    LinkDelay,
    Secret,
    Size,
    check_count,
    check_delays,
    check_milliseconds,
    check_users,
)
from crdb.deployment.errors import ConfigError, InvalidSetting, hint, shown
from crdb.deployment.region_config import NOT_LISTENED_AT, PORT_MAX, Address, RegionConfig
from crdb.engine.parameters.settings import parse_memory
from geo import Catalog, GeoError, Link

T = TypeVar("T")

_ADDRESS: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):(\d{1,5})")
_KEYS: Final = {"regions": "region", "shape": "topology"}
"""The keys of the file whose names differ from the attributes of `Config`."""
_NOT_IN_FILE: Final = {"start_empty"}


def read_config(text: str, source: str = "regions.toml") -> Config:
    """Return the configuration in a file's text. Errors call the file `source`.

    Raises `ConfigError`.
    """
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # absurd numbers and nesting too
        raise ConfigError(f"{source}: not TOML: {error}") from None
    try:
        if "pairs" in data and "topology" in data:
            raise InvalidSetting("give either topology or pairs, not both")
        return _complete(_CONVERTER.structure(data, Config))
    except BaseValidationError as error:
        raise ConfigError(f"{source}: {_describe(error)}") from None
    except InvalidSetting as mistake:
        raise ConfigError(f"{source}: {mistake}") from None


def _complete(config: Config) -> Config:
    """Return a configuration with the delays of all ways back, after all checks."""
    if config.secret and config.secret_file:
        raise InvalidSetting("give either secret or secret_file, not both")
    check_users(config)
    config = attrs.evolve(config, link=config.link.with_ways_back())
    check_delays(config)
    return config


# --- values --------------------------------------------------------------------------------------


class _Unfit(ValueError):
    """A value that is not valid for its key. The text completes a sentence that begins with the
    key."""


def _read_string(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise _Unfit(f" must be a string, not {shown(value)}")
    return value


def _read_secret(value: object, _: object) -> Secret:
    if not isinstance(value, str):
        raise _Unfit(' must be a string: put it between quotes (")')
    return Secret(value)


def _read_boolean(value: object, _: object) -> bool:
    if not isinstance(value, bool):
        raise _Unfit(f" must be true or false, not {shown(value)}")
    return value


def _read_integer(value: object, _: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Unfit(f" must be a whole number, not {shown(value)}")
    return value


def _read_size(value: object, kind: object) -> Size:
    if not isinstance(value, str):
        return Size(_read_integer(value, kind))
    size = parse_memory(value)
    if size is None:
        raise _Unfit(f' {shown(value)} is not a size: give bytes, or "512kb", "1mb"')
    return Size(size)


def _read_backlog(value: object, kind: object) -> Backlog:
    if value == "auto":
        return AUTO
    try:
        size = _read_size(value, kind)
    except _Unfit as mistake:
        raise _Unfit(f'{mistake}, or "auto"') from None
    if size == AUTO:
        raise _Unfit(' 0 is not a size: give bytes, "512kb", "1mb", or "auto"')
    return Backlog(size)


def _read_milliseconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidSetting(f"a delay must be a number of milliseconds, not {shown(value)}")
    check_milliseconds(value)
    return float(value)


def _read_delay(value: object, _: object) -> Delay:
    return value if isinstance(value, str) else _read_milliseconds(value)


def _read_place(value: object, kind: object) -> str:
    """Return a region's name in the catalogue of latencies."""
    place = _read_string(value, kind)
    try:
        Catalog.shipped().find(place)
    except GeoError as error:
        remedy = "name a place of the catalogue, or leave place out"
        raise _Unfit(f" {shown(place)}: {error} ({remedy})") from None
    return place


def _read_addresses(value: object, _: object) -> tuple[str, ...]:
    """Return addresses to listen at. One address need not be a list."""
    listed = cast("list[object]", value) if isinstance(value, list) else [value]
    found: list[str] = []
    for address in listed:
        if not isinstance(address, str):
            raise _Unfit(f": {shown(address)} {NOT_LISTENED_AT}")
        found.append(address)
    return tuple(found)


def _read_users(value: object, _: object) -> tuple[Secret, ...]:
    """Return the lines of users. Errors do not show them, as they may hold passwords."""
    listed = cast("list[object]", value) if isinstance(value, list) else [None]
    found = tuple(Secret(line) for line in listed if isinstance(line, str))
    if len(found) != len(listed):
        raise _Unfit(' must be a list of strings, such as ["alice on >password ~* +@all"]')
    return found


# --- items of lists ------------------------------------------------------------------------------


def _read_pair(value: object) -> Link:
    match value:
        case [str(one), str(other)]:
            return one, other
        case _:
            raise _Unfit(f': {shown(value)} is not ["region", "region"]')


def _read_link_delay(value: object) -> LinkDelay:
    match value:
        case [str(one), str(other), int() | float() as delay]:
            return one, other, _read_milliseconds(delay)
        case _:
            raise _Unfit(f': {shown(value)} is not ["from", "to", milliseconds]')


def _read_source(value: object) -> Address:
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[2]) <= PORT_MAX:
        raise _Unfit(f': {shown(value)} is not "host:port"')
    return match[1].strip("[]"), int(match[2])


def _list_reader(
    what: str, read: Callable[[object], T]
) -> Callable[[object, object], tuple[T, ...]]:
    """Return a function that reads a list. `what` names its items in an error."""

    def read_list(value: object, _: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise _Unfit(f" must be a list of {what}, not {shown(value)}")
        return tuple(read(item) for item in cast("list[object]", value))

    return read_list


# --- tables --------------------------------------------------------------------------------------


class _RegionError(Exception):
    """A mistake in the region at this place of the file, counted from 1."""

    def __init__(self, number: int, cause: Exception) -> None:
        super().__init__(number, cause)
        self.number = number
        self.cause = cause


def _read_regions(value: object, _: object) -> tuple[RegionConfig, ...]:
    """Return all regions. The default id of a region is its place in the file."""
    if isinstance(value, dict):
        raise _Unfit(" is a list: write [[region]], with two brackets")
    if not isinstance(value, list):
        raise _Unfit(f" must be a list of tables, not {shown(value)}")
    listed = cast("list[object]", value)
    check_count(len(listed))
    regions: list[RegionConfig] = []
    for number, item in enumerate(listed, 1):
        data = item
        if isinstance(item, dict):
            data = {"name": "", "id": number, **cast("dict[str, object]", item)}
        try:
            regions.append(_CONVERTER.structure(data, RegionConfig))
        except (BaseValidationError, _Unfit) as error:
            raise _RegionError(number, error) from None
    return tuple(regions)


def _table_reader(kind: type[T], **options: Any) -> Callable[[object, object], T]:
    """Return a function that reads a table into an object of this class."""
    structure = make_dict_structure_fn(kind, _CONVERTER, _cattrs_forbid_extra_keys=True, **options)

    def read_table(value: object, _: object) -> T:
        if not isinstance(value, dict):
            raise _Unfit(f" must be a table, not {shown(value)}")
        return structure(cast("dict[str, object]", value), kind)

    return read_table


def _keys(kind: type[attrs.AttrsInstance]) -> tuple[str, ...]:
    """Return the keys of the table that is read into this class."""
    names: list[str] = [field.name for field in attrs.fields(kind) if field.init]
    return tuple(sorted(_KEYS.get(name, name) for name in names if name not in _NOT_IN_FILE))


_TABLES: Final[Mapping[type, str]] = {Config: "", RegionConfig: "region", LinkConfig: "link"}
SCHEMA: Final = {name: _keys(kind) for kind, name in _TABLES.items()}
"""The keys of each table, by the table's name; "" is the top of the file."""

_CONVERTER: Final = Converter()
for _kind, _read in (
    (str, _read_string),
    (Secret, _read_secret),
    (bool, _read_boolean),
    (int, _read_integer),
    (Size, _read_size),
    (Backlog, _read_backlog),
    (Delay, _read_delay),
):
    _CONVERTER.register_structure_hook(_kind, _read)
for _kind, _read in (
    (tuple[Secret, ...], _read_users),
    (tuple[str, ...], _read_addresses),
    (tuple[Link, ...], _list_reader("pairs of regions", _read_pair)),
    (tuple[LinkDelay, ...], _list_reader("delays", _read_link_delay)),
    (tuple[Address, ...], _list_reader("addresses", _read_source)),
    (tuple[RegionConfig, ...], _read_regions),
):
    _CONVERTER.register_structure_hook_func(partial(eq, _kind), _read)
_CONVERTER.register_structure_hook(
    RegionConfig, _table_reader(RegionConfig, place=override(struct_hook=_read_place))
)
_CONVERTER.register_structure_hook(LinkConfig, _table_reader(LinkConfig))
_CONVERTER.register_structure_hook(
    Config,
    _table_reader(
        Config,
        **{name: override(rename=key) for name, key in _KEYS.items()},
        **{name: override(omit=True) for name in _NOT_IN_FILE},
    ),
)


# --- errors --------------------------------------------------------------------------------------


def _describe(error: Exception, place: str = "", key: str = "") -> str:
    """Return the first mistake of a file; in each table an unknown key comes before all others.

    `place` is the table, as the beginning of a sentence. `key` is the key whose value is wrong.
    """
    if isinstance(error, _RegionError):
        return _describe(error.cause, key=f"region {error.number}")
    if isinstance(error, ClassValidationError):
        place = f"{key}: " if key else ""
        of_keys, of_table = error.group_exceptions()
        if of_table:
            return _describe(of_table[0], place)
        first, note = of_keys[0]
        return _describe(first, place, _KEYS.get(note.name, note.name))
    if isinstance(error, ForbiddenExtraKeysError):
        unknown = min(error.extra_fields)
        return f"{place}unknown key {shown(unknown)}{_suggest_key(unknown, _TABLES[error.cl])}"
    if isinstance(error, _Unfit):
        return f"{place}{key}{error}"
    assert isinstance(error, InvalidSetting), error
    return f"{place}{error}"


def _suggest_key(key: str, table: str) -> str:
    """Return the table that an unknown key belongs to, or the most similar key."""
    for home, keys in SCHEMA.items():
        if key in keys:
            where = f"under {shown(home)}" if home else "at the top, before the first [table]"
            return f"; it belongs {where}"
    return hint(key, SCHEMA[table])
