"""CONFIG GET and SET."""

from __future__ import annotations

import pytest

from crdb.engine.errors import CommandError
from crdb.engine.parameters.settings import InvalidValue
from crdb.engine.parameters.table import OutputLimit, ParameterTable
from crdb.engine.session import OUTPUT_UNLIMITED


def test_hidden_parameters_are_found_by_name_only() -> None:
    config = ParameterTable()
    assert config.get([b"watchdog-period"]) == [(b"watchdog-period", b"0")]
    assert config.get([b"watchdog-p*"]) == []


def test_all_or_nothing() -> None:
    config = ParameterTable()
    changes: list[str] = []
    config.on_change.append(lambda: changes.append(config.values["timeout"]))
    with pytest.raises(CommandError):
        config.set([(b"timeout", b"5"), (b"maxclients", b"0")])
    assert config.values["timeout"] == "0"
    config.set([(b"timeout", b"5"), (b"maxclients", b"7")])
    assert (config.idle_seconds_max, config.clients_max) == (5, 7)
    assert changes == ["5"]


def test_what_runtime_owns_cannot_be_set_by_clients() -> None:
    config = ParameterTable({"port": "7000"})
    with pytest.raises(CommandError) as caught:
        config.set([(b"port", b"7001")])
    assert caught.value.text == (
        b"ERR CONFIG SET failed (possibly related to argument 'port') - 'port' is not supported by"
        b" crdb: the regions' file sets it, and peers must know it"
    )
    config.put("port", "7002")
    assert config.get([b"port"]) == [(b"port", b"7002")]
    with pytest.raises(InvalidValue):
        config.put("port", "70000")


def test_more_clients_than_files_are_refused() -> None:
    config = ParameterTable()
    config.clients_possible = 92
    with pytest.raises(CommandError) as caught:
        config.set([(b"timeout", b"5"), (b"maxclients", b"93")])
    assert caught.value.text == (
        b"ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system"
        b" is not able to handle the specified number of clients, try with 92"
    )
    assert config.values["timeout"] == "0"
    config.set([(b"maxclients", b"92")])
    assert config.clients_max == 92


def test_limits_that_are_off() -> None:
    config = ParameterTable({"client-output-buffer-limit": "normal 0 0 0"})
    assert config.output_limit == OutputLimit(OUTPUT_UNLIMITED, OUTPUT_UNLIMITED, 0)


def test_values_may_hold_any_byte() -> None:
    config = ParameterTable()
    config.set([(b"requirepass", b"\xff\x00")])
    assert config.get([b"requirepass"]) == [(b"requirepass", b"\xff\x00")]
