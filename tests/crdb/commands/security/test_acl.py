"""ACL and its subcommands."""

from __future__ import annotations

from typing import Any

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.security.passwords import hash_password
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.redis_peer import decode, encode, request

OK = b"+OK\r\n"
HASH = hash_password(b"pw")


class FileInMemory:
    """A file of users. `fault` is raised instead of reading or writing."""

    path = "/etc/users.acl"

    def __init__(self, text: bytes = b"") -> None:
        self.text = text
        self.fault: OSError | None = None

    def read(self) -> bytes:
        if self.fault is not None:
            raise self.fault
        return self.text

    def write(self, text: bytes) -> None:
        if self.fault is not None:
            raise self.fault
        self.text = text


def run(client: Client, text: str) -> Any:
    """Run a command whose words are separated by spaces. Return its reply, decoded."""
    return decode(receive(client, request(encode(text.split(" ")))))


def logged_in(database: Instance, rules: str, name: str = "alice") -> Client:
    """Return a client of a new user with these rules."""
    lines(Client(database), f"ACL SETUSER {name} on nopass {rules}")
    client = Client(database)
    assert lines(client, f"AUTH {name} x") == [OK]
    return client


def test_user_is_created_changed_and_listed() -> None:
    client = Client(instance())
    assert lines(client, "ACL SETUSER bob on >pw ~a* &c +get", "ACL SETUSER bob +set") == [OK, OK]
    root = b"user default on nopass sanitize-payload ~* &* +@all"
    bob = b"user bob on sanitize-payload #%b ~a* resetchannels &c -@all +get +set" % HASH
    assert run(client, "ACL LIST") == [bob, root]
    assert run(client, "ACL USERS") == [b"bob", b"default"]
    assert run(client, "ACL WHOAMI") == b"default"


def test_user_is_returned_as_map() -> None:
    client = Client(instance())
    lines(client, "ACL SETUSER bob on >pw %R~a ~b &c (+set %W~c)", "HELLO 3")
    assert run(client, "ACL GETUSER nobody") is None
    selector = [[b"commands", b"-@all +set"], [b"keys", b"%W~c"], [b"channels", b""]]
    assert run(client, "ACL GETUSER bob") == (
        "map",
        [
            [b"flags", ("set", [b"on", b"sanitize-payload"])],
            [b"passwords", [HASH]],
            [b"commands", b"-@all"],
            [b"keys", b"%R~a ~b"],
            [b"channels", b"&c"],
            [b"selectors", [("map", selector)]],
        ],
    )


@pytest.mark.rule("ACL-4")
def test_wrong_rule_changes_nothing() -> None:
    client = Client(instance())
    assert lines(
        client,
        "ACL SETUSER bob on +nope",
        "ACL SETUSER bob on '(+get'",
        "ACL SETUSER 'b b'",
        "ACL SETUSER bob 'x\\ny'",
        "ACL USERS",
    ) == [
        b"-ERR Error in ACL SETUSER modifier '+nope': Unknown command or category name in ACL\r\n",
        b"-ERR Unmatched parenthesis in acl selector starting at '(+get'.\r\n",
        b"-ERR Usernames can't contain spaces or null characters\r\n",
        b"-ERR Error in ACL SETUSER modifier 'x\\ny': Syntax error\r\n",
        b"*1\r\n$7\r\ndefault\r\n",
    ]


def test_deleted_user_is_disconnected() -> None:
    database = instance()
    admin, alice = Client(database), logged_in(database, "+@all ~* &*")
    other = logged_in(database, "+@all", "bob")
    assert lines(admin, "ACL DELUSER alice default")[0].startswith(b"-ERR The 'default' user")
    assert lines(admin, "ACL DELUSER alice nobody alice") == [b":1\r\n"]
    assert (alice.killed, other.killed, admin.killed) == (True, False, False)
    assert (alice.user, alice.authenticated) == (b"default", False)
    assert receive(other, b"ACL DELUSER bob\r\n") == b":1\r\n"
    assert other.closing
    assert not other.killed


def test_passwords_are_random_hexadecimal_digits() -> None:
    database = instance()
    client = Client(database)
    found = run(client, "ACL GENPASS")
    assert len(found) == 64
    assert found != run(client, "ACL GENPASS")
    assert [len(run(client, f"ACL GENPASS {bits}")) for bits in (1, 4, 5, 4096)] == [1, 1, 2, 1024]
    database.surroundings.secret_bits = lambda bits: bits
    assert run(client, "ACL GENPASS 16") == b"0010"
    for bits in ("0", "-1", "4097"):
        assert run(client, f"ACL GENPASS {bits}").text.startswith(b"ERR ACL GENPASS argument")


def test_categories_and_their_commands() -> None:
    client = Client(instance())
    assert len(run(client, "ACL CAT")) == 21
    assert b"config|get" in run(client, "ACL CAT Dangerous")
    assert b"get" not in run(client, "ACL CAT dangerous")
    assert run(client, "ACL CAT nope").text == b"ERR Unknown category 'nope'"
    for text in ("ACL CAT a b", "ACL LOG 1 2", "ACL GENPASS 1 2"):
        assert b"unknown subcommand or wrong number of arguments" in run(client, text).text


def test_dryrun_asks_without_running() -> None:
    client = Client(instance())
    lines(client, "ACL SETUSER alice +get +mget ~a")
    assert lines(client, "ACL DRYRUN alice GET a") == [OK]
    text = b"User alice has no permissions to access the 'b' key"
    assert run(client, "ACL DRYRUN alice MGET a b") == text
    text = b"User alice has no permissions to run the 'config|get' command"
    assert run(client, "ACL DRYRUN alice CONFIG GET x") == text
    for asked, text in (
        ("bob get a", b"ERR User 'bob' not found"),
        ("alice nope", b"ERR Command 'nope' not found"),
        ("alice config nope", b"ERR Command 'config' not found"),
        ("alice get", b"ERR wrong number of arguments for 'get' command"),
    ):
        assert run(client, f"ACL DRYRUN {asked}").text == text
    assert run(client, "ACL LOG") == []


def test_log_shows_latest_denials_first() -> None:
    database = instance()
    alice, admin = logged_in(database, "+get +mget ~a +multi +exec"), Client(database)
    lines(alice, "SET a 1", "MGET a b", "GET b", "AUTH bob x", "set a 2", "MULTI", "SET a 1")
    database.advance(NOW + 1500)
    lines(admin, "HELLO 3")
    entries = [dict(entry[1]) for entry in run(admin, "ACL LOG")]
    fields = (b"count", b"reason", b"context", b"object", b"username", b"entry-id")
    assert [tuple(entry[name] for name in fields) for entry in entries] == [
        (1, b"command", b"multi", b"set", b"alice", 3),
        (2, b"command", b"toplevel", b"set", b"alice", 0),
        (1, b"auth", b"toplevel", b"AUTH", b"bob", 2),
        (2, b"key", b"toplevel", b"b", b"alice", 1),
    ]
    last = entries[0]
    assert last[b"age-seconds"] == 1.5
    assert last[b"timestamp-created"] == last[b"timestamp-last-updated"] == NOW
    assert b" cmd=set user=alice " in last[b"client-info"]
    assert len(run(admin, "ACL LOG 2")) == 2
    assert run(admin, "ACL LOG -1") == []
    info = receive(admin, b"INFO stats\r\n")
    for name, count in (("auth", 1), ("cmd", 3), ("key", 2), ("channel", 0)):
        assert f"acl_access_denied_{name}:{count}\r\n".encode() in info
    lines(admin, "CONFIG SET acllog-max-len 1")
    lines(alice, "DISCARD", "GET c")
    assert len(run(admin, "ACL LOG")) == 1
    assert lines(admin, "ACL LOG RESET") == [OK]
    assert run(admin, "ACL LOG") == []


def test_setting_opens_channels_of_new_users() -> None:
    client = Client(instance())
    lines(client, "CONFIG SET acl-pubsub-default allchannels", "ACL SETUSER bob")
    assert run(client, "ACL LIST")[0] == b"user bob off sanitize-payload &* -@all"


def test_file_is_saved_and_loaded() -> None:
    database = instance()
    client = Client(database)
    for text in ("ACL SAVE", "ACL LOAD"):
        assert run(client, text).text.startswith(b"ERR This Redis instance is not configured to")
    file = database.surroundings.acl_file = FileInMemory()
    lines(client, "ACL SETUSER bob on ~a +get", "ACL SETUSER eve on ~e", "ACL SAVE")
    assert file.text == (
        b"user bob on sanitize-payload ~a resetchannels -@all +get\n"
        b"user default on nopass sanitize-payload ~* &* +@all\n"
        b"user eve on sanitize-payload ~e resetchannels -@all\n"
    )
    lines(client, "ACL DELUSER bob", "ACL SETUSER new")
    assert lines(client, "ACL LOAD") == [OK]
    assert run(client, "ACL USERS") == [b"bob", b"default", b"eve"]


def test_loading_closes_connections_of_changed_users() -> None:
    database = instance()
    admin = Client(database)
    same, changed, gone = (
        logged_in(database, "+ping", name) for name in ("same", "changed", "gone")
    )
    file = database.surroundings.acl_file = FileInMemory()
    lines(admin, "ACL SAVE")
    rest = [line for line in file.text.splitlines() if b" gone " not in line]
    file.text = b"\n".join(rest).replace(b"user changed on nopass", b"user changed off nopass")
    assert lines(admin, "ACL LOAD") == [OK]
    assert [each.killed for each in (admin, same, changed, gone)] == [False, False, True, True]
    assert lines(same, "PING") == [b"+PONG\r\n"]


def test_file_with_error_changes_nothing() -> None:
    database = instance()
    client = Client(database)
    file = FileInMemory(b"user bob on\nuser eve bogus\n")
    database.surroundings.acl_file = file
    assert run(client, "ACL LOAD").text == (
        b"ERR /etc/users.acl:2: Syntax error. WARNING: ACL errors detected, no change to the "
        b"previously active ACL rules was performed"
    )
    file.fault = OSError(2, "No such file or directory")
    assert run(client, "ACL LOAD").text == (
        b"ERR Error loading ACLs, opening file '/etc/users.acl': No such file or directory"
    )
    assert run(client, "ACL SAVE").text == (
        b"ERR There was an error trying to save the ACLs. Writing file '/etc/users.acl': "
        b"No such file or directory"
    )
    assert run(client, "ACL USERS") == [b"default"]


def test_help_lists_subcommands() -> None:
    texts = [line.text for line in run(Client(instance()), "ACL HELP")]
    assert b"SETUSER username [rule]..." in texts
    assert b"LOG [count | RESET]" in texts


@pytest.mark.rule("AUTH-4")
def test_passwords_are_not_shown() -> None:
    database = instance(slowlog_log_slower_than="0")
    client, monitor = Client(database), Client(database)
    lines(monitor, "MONITOR")
    lines(client, "ACL SETUSER bob on >hidden", "AUTH bob hidden", "HELLO 3 AUTH bob hidden")
    assert b"hidden" not in lines(client, "SLOWLOG GET")[0]
    assert b"hidden" not in receive(monitor, b"")
