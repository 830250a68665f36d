"""Test the users that a region starts with."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.deployment.errors import ConfigError
from crdb.engine.client import Client
from crdb.engine.instance import Instance
from crdb.region.core.users import resolve_acl_files, start_users
from tests.crdb.raw import instance, lines

REGION = '[[region]]\nname = "us"\n'


class FileInMemory:
    """A file of users. `fault` is raised instead of reading."""

    path = "/etc/users.acl"

    def __init__(self, text: bytes = b"", fault: OSError | None = None) -> None:
        self.text = text
        self.fault = fault

    def read(self) -> bytes:
        if self.fault is not None:
            raise self.fault
        return self.text

    def write(self, text: bytes) -> None:
        self.text = text


def started(text: str, file: FileInMemory | None = None) -> Instance:
    config = read_config(text)
    database = instance(requirepass=config.requirepass)
    start_users(database, config, config.regions[0], file)
    return database


def names(database: Instance) -> list[bytes]:
    return [user.name for user in database.access.users.sorted()]


def test_users_of_configuration_are_there() -> None:
    text = 'users = ["alice on >pw ~a* +get (+set ~b)", "bob"]\nrequirepass = "x"\n'
    database = started(text + REGION)
    assert names(database) == [b"alice", b"bob", b"default"]
    client = Client(database)
    assert lines(client, "PING")[0].startswith(b"-NOAUTH")
    assert lines(client, "AUTH alice pw", "GET a", "SET b 1") == [
        b"+OK\r\n",
        b"$-1\r\n",
        b"+OK\r\n",
    ]


def test_default_may_be_among_them() -> None:
    database = started('users = ["default off"]\n' + REGION)
    assert database.access.users.requires_login


@pytest.mark.parametrize(
    ("users", "error"),
    [
        ('["a +nope"]', r'users, entry 1 \("a"\): "\+nope": Unknown command or category'),
        ('["a on", "b ~* ~x"]', r'entry 2 \("b"\): "~x": Adding a pattern after'),
        ('["a (+get"]', r'the parenthesis of "\(\+get" is never closed'),
        ('["a on", "a off"]', r'entry 2 \("a"\): the user is listed twice'),
        ('["a #hidden"]', "a password: The password hash must be exactly 64"),
        ('["default on"]\nrequirepass = "x"', "give either requirepass or an entry for default"),
    ],
)
def test_wrong_user_is_named(users: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error) as caught:
        started(f"users = {users}\n{REGION}")
    assert "hidden" not in str(caught.value)


def test_users_of_file_are_there() -> None:
    database = started(REGION, FileInMemory(b"user alice on nopass +ping\nuser default off\n"))
    assert names(database) == [b"alice", b"default"]
    assert lines(Client(database), "AUTH alice x", "PING") == [b"+OK\r\n", b"+PONG\r\n"]
    assert names(started(REGION, FileInMemory())) == [b"default"]


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (
            FileInMemory(fault=FileNotFoundError(2, "No such file or directory")),
            "region us: aclfile: /etc/users.acl: No such file or directory. Create it",
        ),
        (
            FileInMemory(fault=PermissionError(13, "Permission denied")),
            "region us: aclfile: /etc/users.acl: Permission denied$",
        ),
        (
            FileInMemory(b"\nuser a bogus"),
            "region us: aclfile: /etc/users.acl:2: Syntax error. Correct the file",
        ),
    ],
)
def test_wrong_file_is_named(file: FileInMemory, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        started(REGION, file)


def test_path_is_relative_to_folder() -> None:
    config = read_config(f'{REGION}aclfile = "us.acl"\n[[region]]\nname = "eu"\n')
    us, eu = resolve_acl_files(config, Path("/etc/crdb")).regions
    assert (us.aclfile, eu.aclfile) == ("/etc/crdb/us.acl", "")
    assert resolve_acl_files(Config.from_names(["us"]), Path()) == Config.from_names(["us"])
