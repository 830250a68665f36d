"""Each accepted parameter has an effect, or is listed as having none."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdb.engine.errors import CommandError
from crdb.engine.parameters.parameter_effects import EFFECTIVE, REFUSED, UNOBSERVABLE
from crdb.engine.parameters.settings import Parameter
from crdb.engine.parameters.table import PARAMETERS, ParameterTable

ROOT = Path(__file__).parents[4]
SETTABLE = {name: p for name, p in PARAMETERS.items() if not p.immutable and not p.protected}
OTHER_TEXTS = {
    "bind": "127.0.0.9",
    "client-output-buffer-limit": "normal 5 5 5",
    "latency-tracking-info-percentiles": "75",
    "notify-keyspace-events": "AKE",
    "oom-score-adj-values": "1 2 3",
    "save": "60 1",
}


def other_value(parameter: Parameter) -> str:
    """Return an allowed value that is not the default."""
    if parameter.kind == "BOOL":
        return "no" if parameter.default == "yes" else "yes"
    if parameter.kind == "CHOICE":
        if parameter.name == "oom-score-adj":
            return "absolute"
        return next(word for word in parameter.choices if word != parameter.default)
    if parameter.kind in {"TEXT", "SPECIAL"}:
        return OTHER_TEXTS.get(parameter.name, "something")
    number = int(parameter.default)
    return str(number + 1 if number < parameter.high else number - 1)


def test_every_parameter_that_can_be_set_is_in_one_table() -> None:
    tables = [*EFFECTIVE, *UNOBSERVABLE, *REFUSED]
    assert sorted(tables) == sorted(SETTABLE)


@pytest.mark.parametrize("name", EFFECTIVE)
def test_effective_parameter_has_test(name: str) -> None:
    text = (ROOT / EFFECTIVE[name]).read_text(encoding="utf-8")
    assert name in text or name.replace("-", "_") in text


@pytest.mark.parametrize("name", [*EFFECTIVE, *UNOBSERVABLE])
def test_set_parameter_changes_value(name: str) -> None:
    config = ParameterTable()
    before = config.values[name]
    config.set([(name.encode(), other_value(PARAMETERS[name]).encode())])
    assert config.values[name] != before


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_effect_is_refused_with_its_reason(name: str) -> None:
    config = ParameterTable()
    before = config.values[name]
    with pytest.raises(CommandError) as caught:
        config.set([(b"timeout", b"7"), (name.encode(), other_value(PARAMETERS[name]).encode())])
    assert f"'{name}' is not supported by crdb: {REFUSED[name]}".encode() in caught.value.text
    assert config.values[name] == before
    assert config.values["timeout"] == "0"


@pytest.mark.parametrize("name", REFUSED)
def test_refused_parameter_can_be_set_to_what_it_is(name: str) -> None:
    config = ParameterTable()
    config.set([(name.encode(), config.values[name].encode())])


def test_alias_is_refused_under_its_own_name() -> None:
    with pytest.raises(CommandError) as caught:
        ParameterTable().set([(b"slave-priority", b"7")])
    assert b"'slave-priority' is not supported by crdb" in caught.value.text


@pytest.mark.parametrize("name", [*UNOBSERVABLE, *REFUSED])
def test_reason_is_part_of_sentence(name: str) -> None:
    reason = {**UNOBSERVABLE, **REFUSED}[name]
    assert not reason.endswith(".")
    assert len(reason) > 15
