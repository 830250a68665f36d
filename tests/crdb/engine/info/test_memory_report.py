"""Memory usage of an instance."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.info.memory_report import dataset_bytes, human, memory_report, own_bytes
from crdb.engine.info.sections import information
from tests.crdb.raw import instance

MB = 1 << 20


def test_lone_region_reports_memory_of_process() -> None:
    database = instance()
    database.memory.probe = lambda: (50 * MB, 1 << 40)
    database.memory.startup_bytes = 40 * MB
    client = Client(database)
    for number in range(100):
        receive(client, b"SET key:%d %b\r\n" % (number, b"x" * 1000))
    report = memory_report(database)
    assert report.used_bytes == report.process_bytes == report.peak_bytes == 50 * MB
    assert 100_000 < report.dataset_bytes < 200_000
    assert report.overhead_bytes == 50 * MB - report.dataset_bytes
    assert report.client_bytes == client.memory_bytes
    assert report.needed_bytes == 40 * MB + sum(own_bytes(database))
    assert 1.1 < report.fragmentation < 1.25
    assert report.peak_percentage == 100
    assert 0.2 < report.dataset_percentage < 0.4


def test_regions_of_one_process_report_own_memory() -> None:
    one, two = instance(), instance()
    for each, other in ((one, two), (two, one)):
        each.memory.probe = lambda: (50 * MB, 1 << 40)
        each.memory.startup_bytes = 40 * MB
        each.surroundings.neighbours = [other]
    client = Client(one)
    receive(client, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%b\r\n" % (MB, b"x" * MB))
    full, empty = memory_report(one), memory_report(two)
    assert full.process_bytes == empty.process_bytes == 50 * MB
    assert MB < full.dataset_bytes < 1.1 * MB
    assert empty.dataset_bytes == 0
    assert full.startup_bytes == empty.startup_bytes == 20 * MB
    assert full.used_bytes - empty.used_bytes >= MB
    assert 49 * MB <= full.used_bytes + empty.used_bytes <= 50 * MB


def test_oldest_and_newest_keys_stand_for_all() -> None:
    database = instance()
    client = Client(database)
    for number in range(1000):
        receive(client, b"SET key:%d x\r\n" % number)
    one = dataset_bytes(database) / 1000
    assert 100 < one < 1000


def test_without_driver_estimate_stands_for_measure() -> None:
    database = instance()
    report = memory_report(database)
    assert (report.used_bytes, report.dataset_bytes, report.fragmentation) == (0, 0, 0)
    assert "used_memory_dataset:0" in information(database, ["memory"])


def test_sizes_are_abbreviated() -> None:
    assert human(1 << 60) == "1048576.00T"
