"""Check the files in `examples/` and the list of programs there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import attrs
import pytest

from crdb.deployment.config_file import SCHEMA, read_config
from crdt.testing import check_type

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_file_of_regions_can_be_read() -> None:
    path = EXAMPLES / "regions.toml"
    config = read_config(path.read_text(encoding="utf-8"), path.name)
    assert [region.port for region in config.regions] == [7001, 7002, 7003]
    assert [region.link_port for region in config.regions] == [17001, 17002, 17003]


def test_file_of_regions_names_every_setting_and_its_default() -> None:
    text = (EXAMPLES / "regions.toml").read_text(encoding="utf-8")
    for keys in SCHEMA.values():
        for key in keys:
            assert re.search(rf"\b{key}\b( =|\])", text) or f"[[{key}]]" in text, key
    config = read_config(text)
    plain = read_config("".join(f'[[region]]\nname = "{r.name}"\n' for r in config.regions))
    assert attrs.evolve(config, link=attrs.evolve(config.link, delay="none")) == plain


def test_offer_type_that_forgets_dearer_offers_is_found_out() -> None:
    example = runpy.run_path(str(EXAMPLES / "best_offer.py"))
    base: Any = example["BestOffer"]

    class Thrifty(base):
        def apply(self, effect: tuple[Any, ...], dot: int, observed: Any) -> None:
            if all(effect[1] < price for price in self.offers.values()):
                self.offers = {dot: effect[1]}

    commands = [(example["OFFER"], price) for price in (7, 8, 9)]
    with pytest.raises(AssertionError, match="value equals specification"):
        check_type(Thrifty, commands, example["lowest"])
