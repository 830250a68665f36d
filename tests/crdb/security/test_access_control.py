"""Test the checks of the requests of clients, and what changes of users do to connections."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.engine.session import RESTRICTED
from crdb.security.verdict import Denial, Reason
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import decode
from tests.crdb.regions import Regions

OK = b"+OK\r\n"
NO_KEY = b"-NOPERM No permissions to access a key\r\n"


def logged_in(database: Instance, rules: str) -> Client:
    """Return a client of the user alice, who gets these rules."""
    lines(Client(database), f"ACL SETUSER alice on nopass {rules}")
    client = Client(database)
    assert lines(client, "AUTH alice x") == [OK]
    return client


def cannot(name: str) -> bytes:
    return f"-NOPERM User alice has no permissions to run the '{name}' command\r\n".encode()


def test_only_restricted_clients_are_checked() -> None:
    database = instance()
    admin, alice = Client(database), logged_in(database, "+get")
    assert (admin.flags, alice.flags) == (0, RESTRICTED)
    lines(admin, "ACL SETUSER alice ~* &* +@all")
    assert alice.flags == 0
    lines(admin, "ACL SETUSER default -flushall")
    assert (admin.flags, alice.flags) == (RESTRICTED, 0)
    lines(alice, "RESET")
    assert alice.flags == RESTRICTED
    assert Client(database).flags == RESTRICTED


@pytest.mark.rule("ACL-9")
def test_order_of_checks() -> None:
    database = instance()
    alice = logged_in(database, "+get +multi ~a")
    assert lines(alice, "NOPE", "SET a", "SET a 1", "GET b", "GET a", "CONFIG NOPE") == [
        b"-ERR unknown command 'NOPE', with args beginning with: \r\n",
        b"-ERR wrong number of arguments for 'set' command\r\n",
        cannot("set"),
        NO_KEY,
        b"$-1\r\n",
        b"-ERR unknown subcommand 'NOPE'. Try CONFIG HELP.\r\n",
    ]
    stranger = Client(database)
    lines(Client(database), "ACL SETUSER default off")
    assert lines(stranger, "GET a", "AUTH alice x", "GET a") == [b"$-1\r\n", OK, b"$-1\r\n"]
    late = Client(database)
    assert lines(late, "SET a 1")[0] == b"-NOAUTH Authentication required.\r\n"


@pytest.mark.rule("AUTH-5")
def test_reset_makes_connection_new() -> None:
    database = instance()
    alice = logged_in(database, "+get")
    assert lines(alice, "RESET", "ACL WHOAMI") == [b"+RESET\r\n", b"$7\r\ndefault\r\n"]
    lines(Client(database), "ACL SETUSER default >pw")
    assert lines(alice, "RESET", "PING")[1].startswith(b"-NOAUTH")


@pytest.mark.rule("ACL-21", "ACL-22")
def test_effects_of_other_regions_are_not_checked() -> None:
    regions = Regions(2)
    regions.run(1, "ACL", "SETUSER", "default", "resetkeys", "~mine*", "nopass", "-set")
    regions.run(2, "SET", "theirs", "x")
    regions.sync()
    assert regions.run(2, "ACL", "USERS") == [b"default"]
    assert regions.run(1, "STRLEN", "theirs").text.startswith(b"NOPERM")
    assert regions.instances[1].keyspace.lookup(b"theirs") is not None


@pytest.mark.rule("AUTH-1")
def test_login_switches_user_or_leaves_it() -> None:
    database = instance()
    lines(Client(database), "ACL SETUSER bob on >pw +acl|whoami")
    alice = logged_in(database, "+acl|whoami")
    assert lines(alice, "AUTH bob wrong", "ACL WHOAMI")[1] == b"$5\r\nalice\r\n"
    assert lines(alice, "HELLO 2 AUTH bob pw", "ACL WHOAMI")[1] == b"$3\r\nbob\r\n"
    assert lines(alice, "AUTH default x") == [OK]
    assert alice.flags == 0


@pytest.mark.rule("AUTH-6")
def test_disabled_user_keeps_connections() -> None:
    database = instance()
    alice = logged_in(database, "+ping")
    lines(Client(database), "ACL SETUSER alice off resetpass")
    assert lines(alice, "PING") == [b"+PONG\r\n"]
    assert lines(Client(database), "AUTH alice x")[0].startswith(b"-WRONGPASS")


@pytest.mark.rule("ACL-19")
def test_transaction_is_refused_when_queued() -> None:
    alice = logged_in(instance(), "+multi +exec +set ~a")
    assert lines(alice, "MULTI", "SET a 1", "SET b 1", "GET a", "EXEC") == [
        OK,
        b"+QUEUED\r\n",
        NO_KEY,
        cannot("get"),
        b"-EXECABORT Transaction discarded because of previous errors.\r\n",
    ]
    assert lines(alice, "DISCARD", "WATCH a") == [cannot("discard"), cannot("watch")]


@pytest.mark.rule("ACL-19")
def test_transaction_is_checked_again_at_exec() -> None:
    database = instance()
    alice = logged_in(database, "+multi +exec +set +incr +ping ~*")
    lines(alice, "MULTI", "SET a 1", "INCR b", "PING", "SET c 1")
    lines(Client(database), "ACL SETUSER alice -incr resetkeys ~c")
    prefix = (
        b"NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC"
        b" call. This command is no longer allowed for the following reason: "
    )
    reply = decode(receive(alice, b"EXEC\r\n"))
    assert [getattr(each, "text", each) for each in reply] == [
        prefix + b"no permission to touch the specified keys",
        prefix + b"no permission to execute the command or subcommand",
        b"PONG",
        b"OK",
    ]
    entries = database.access.log.entries
    assert [(each.denied.context, each.denied.subject) for each in entries] == [
        (b"multi", b"incr"),
        (b"multi", b"a"),
    ]
    assert b"rejected_calls=1" in lines(Client(database), "INFO commandstats")[0]


def test_blocked_client_is_checked_again() -> None:
    database = instance()
    alice, admin = logged_in(database, "+blpop ~l"), Client(database)
    assert receive(alice, b"BLPOP l 0\r\n") == b""
    lines(admin, "ACL SETUSER alice resetkeys", "RPUSH l x")
    assert receive(alice, b"") == NO_KEY
    assert lines(admin, "LLEN l") == [b":1\r\n"]
    allowed = logged_in(database, "resetkeys ~m")
    assert receive(allowed, b"BLPOP m 0\r\n") == b""
    lines(admin, "RPUSH m x")
    assert receive(allowed, b"").startswith(b"*2\r\n")


def test_unlimited_client_that_blocks_is_checked_once_limited() -> None:
    database = instance()
    waiting, admin = Client(database), Client(database)
    lines(admin, "ACL SETUSER admin on nopass ~* &* +@all", "AUTH admin x")
    assert receive(waiting, b"BLPOP l 0\r\n") == b""
    lines(admin, "ACL SETUSER default -blpop", "RPUSH l x")
    assert receive(waiting, b"").startswith(b"-NOPERM User default has no permissions to run the")


@pytest.mark.rule("ACL-16")
def test_sort_with_patterns_needs_every_key() -> None:
    database = instance()
    lines(Client(database), "RPUSH l 1 2")
    alice = logged_in(database, "+sort +sort_ro ~l ~d")
    for words, option in (
        ("SORT l BY w_*", b"BY"),
        ("SORT l GET #", b"GET"),
        ("SORT_RO l BY w_* GET x", b"BY"),
        ("SORT l BY nosort GET x STORE d", b"GET"),
    ):
        text = b"-ERR %b option of SORT denied due to insufficient ACL permissions.\r\n" % option
        assert lines(alice, words) == [text]
    assert lines(alice, "SORT l BY nosort", "SORT l STORE d")[1] == b":2\r\n"
    lines(Client(database), "ACL SETUSER alice %R~*")
    assert lines(alice, "SORT l BY w_* GET # STORE d") == [b":2\r\n"]
    assert lines(alice, "SORT l BY w_* STORE e") == [NO_KEY]


@pytest.mark.rule("ACL-20")
def test_scripts_are_checked_against_their_caller() -> None:
    database = instance()
    alice = logged_in(database, "+get ~a")
    access, commands = database.access, database.commands
    args = [b"SET", b"a", b"1"]
    text = b"ERR ACL failure in script: User alice has no permissions to run the 'set' command"
    assert access.refuse_in_script(alice, commands.require(args), args) == text
    allowed = [b"GET", b"a"]
    assert access.refuse_in_script(alice, commands.require(allowed), allowed) is None
    assert access.refuse_in_script(Client(database), commands.require(args), args) is None
    assert access.log.entries[0].denied.context == b"lua"
    assert [access.may_run(alice, each) for each in (args, allowed)] == [False, True]
    with pytest.raises(CommandError):
        access.may_run(alice, [b"NOPE"])
    assert access.deny(alice, commands.require(args), args) == Denial(Reason.COMMAND)
    assert len(access.log.entries) == 1


@pytest.mark.rule("ACL-16", "ACL-20")
def test_sort_in_script_needs_every_key() -> None:
    database = instance()
    lines(Client(database), "RPUSH l 1 2")
    alice = logged_in(database, "+eval +sort ~l")
    script = "return redis.call('SORT', KEYS[1], 'BY', 'w_*')"
    sort = f'EVAL "{script}" 1 l'
    assert b"BY option of SORT denied" in lines(alice, sort)[0]
    assert lines(Client(database), sort)[0].startswith(b"*2\r\n")
    assert b"ACL failure in script" in lines(alice, "EVAL \"return redis.call('GET', 'x')\" 0")[0]
    lines(Client(database), "ACL SETUSER alice %R~*")
    assert lines(alice, sort)[0].startswith(b"*2\r\n")


@pytest.mark.rule("ACL-18")
def test_client_that_loses_channel_is_disconnected() -> None:
    database = instance()
    alice = logged_in(database, "+@all &a &b* &c")
    lines(alice, "SUBSCRIBE a", "PSUBSCRIBE b*")
    admin = Client(database)
    for rules in ("resetchannels &a &b*", "resetchannels &? &b* &x", "allchannels", "+get"):
        lines(admin, f"ACL SETUSER alice {rules}")
        assert not alice.killed
    lines(admin, "ACL SETUSER alice resetchannels &a &b?")
    assert alice.killed


@pytest.mark.rule("ACL-18")
@pytest.mark.parametrize("prefix", ["", "s"])
def test_channels_need_permission(prefix: str) -> None:
    alice = logged_in(instance(), "+@pubsub &news.*")
    no_channel = b"-NOPERM No permissions to access a channel\r\n"
    for refused in ("PUBLISH other x", "SUBSCRIBE news.1 other"):
        assert lines(alice, prefix + refused) == [no_channel]
    assert lines(alice, f"{prefix}PUBLISH news.1 x") == [b":0\r\n"]
    assert lines(alice, "PSUBSCRIBE news.1") == [no_channel]
    for allowed in ("PSUBSCRIBE news.*", f"{prefix}SUBSCRIBE news.1", "UNSUBSCRIBE other"):
        assert lines(alice, allowed)[0].startswith(b"*3\r\n")


def test_requirepass_is_password_of_default() -> None:
    database = instance(requirepass="a")
    client = Client(database)
    assert lines(client, "PING")[0].startswith(b"-NOAUTH")
    lines(client, "AUTH a", "ACL SETUSER default >b", "CONFIG SET requirepass a")
    assert lines(Client(database), "AUTH b") == [OK]
    lines(client, "CONFIG SET requirepass c")
    assert [lines(Client(database), f"AUTH {each}")[0][:6] for each in "abc"] == [
        b"-WRONG",
        b"-WRONG",
        OK[:6],
    ]
    lines(client, "CONFIG SET requirepass ''")
    assert lines(Client(database), "PING") == [b"+PONG\r\n"]


def test_clients_are_listed_and_killed_by_user() -> None:
    database = instance()
    admin, alice = Client(database), logged_in(database, "+ping")
    assert b" user=alice " in lines(admin, "CLIENT LIST")[0]
    assert lines(admin, "CLIENT KILL USER nobody") == [b"-ERR No such user 'nobody'\r\n"]
    assert lines(admin, "CLIENT KILL USER alice") == [b":1\r\n"]
    assert alice.killed
