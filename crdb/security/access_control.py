"""The decision about each request of an instance's clients, and what follows from it.

A session whose user is not unlimited has the flag RESTRICTED, and only its requests are checked. So
the check costs nothing for all others. Denials are counted, and recorded in the ACL log.

What does not come from a client is not checked: ops of links, expiry and the like (ACL-21, ACL-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from crdb.engine.clients.client_line import client_line
from crdb.engine.command import Command, CommandTable
from crdb.engine.errors import one_line
from crdb.engine.metrics.statistics import ServerStatistics
from crdb.engine.pubsub.messages import KINDS, PATTERN
from crdb.engine.session import IN_TRANSACTION, RESTRICTED, Session
from crdb.security.acl_log import MULTI, SCRIPT, TOPLEVEL, AclLog, DeniedAccess
from crdb.security.user import DEFAULT_USER, User
from crdb.security.users import Users
from crdb.security.verdict import Denial, Reason, Request, denial_text

_IN_EXEC = (
    b"NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
    b"call. This command is no longer allowed for the following reason: "
)
_EXEC_REASONS = {
    Reason.COMMAND: b"no permission to execute the command or subcommand",
    Reason.KEY: b"no permission to touch the specified keys",
    Reason.CHANNEL: b"no permission to access one of the channels used as arguments",
}


class AccessHost(Protocol):
    """The part of an instance that its access control uses."""

    clients: dict[int, Session]
    commands: CommandTable
    statistics: ServerStatistics
    now: int
    wall: int

    def kill(self, session: Session) -> None:
        """Close a client's connection."""
        ...


class AccessControl:
    """The users of an instance, and the checks of its clients."""

    __slots__ = ("_host", "_password", "log", "users")

    def __init__(self, host: AccessHost) -> None:
        self._host = host
        self._password = b""
        self.users = Users(host.commands)
        self.log = AclLog()

    def configure(self, *, password: bytes, opens_channels: bool, log_length_max: int) -> None:
        """Apply the settings. The password is that of `default`; it counts when it has changed."""
        self.users.opens_channels = opens_channels
        self.log.length_max = log_length_max
        if password != self._password:
            self._password = password
            self.users.set_default_password(password)

    # -- sessions ------------------------------------------------------------------------------

    def begin(self, session: Session) -> None:
        """Make a session one that has just connected: it is `default` (AUTH-5)."""
        session.user = DEFAULT_USER
        session.authenticated = not self.users.requires_login
        self.update(session)

    def update(self, session: Session) -> None:
        """Set the flags of a session that follow from its user."""
        session.require_login(self.users.requires_login)
        user = self.users.find(session.user)
        if user is not None and user.is_unlimited:
            session.flags &= ~RESTRICTED
        else:
            session.flags |= RESTRICTED

    def update_all(self) -> None:
        """Set the flags of all sessions, after users have changed."""
        for session in self._host.clients.values():
            self.update(session)

    def log_in(self, session: Session, name: bytes, password: bytes, word: bytes) -> bool:
        """Make a session one of the user `name`, if the password is right (AUTH-1). Return whether
        it is. `word` is the command as the client sent it."""
        user = self.users.find(name)
        if user is None or not user.may_log_in(password):
            denied = DeniedAccess(Reason.AUTH, context_of(session), word, name)
            self._record(session, [word], denied)
            return False
        session.user = name
        session.authenticated = True
        self.update(session)
        return True

    # -- requests ------------------------------------------------------------------------------

    def deny(self, session: Session, command: Command, args: list[bytes]) -> Denial | None:
        """Return why a client may not make a request, or None. Nothing is recorded."""
        if not session.flags & RESTRICTED:
            return None
        return self._user_of(session).deny(Request(command, args))

    def refuse(self, session: Session, command: Command, args: list[bytes]) -> bytes | None:
        """Return the error for a request that a client may not make, or None. It is recorded."""
        denial = self._check(session, command, args, context_of(session))
        if denial is None:
            return None
        return one_line(b"NOPERM " + denial_text(denial, session.user, command))

    def refuse_in_exec(self, session: Session, command: Command, args: list[bytes]) -> bytes | None:
        """Return the error for a request in a queue that a client may no longer make, or None
        (ACL-19). It is recorded."""
        denial = self._check(session, command, args, MULTI)
        return None if denial is None else _IN_EXEC + _EXEC_REASONS[denial.reason]

    def refuse_in_script(
        self, session: Session, command: Command, args: list[bytes]
    ) -> bytes | None:
        """Return the error for a request that a client's script may not make, or None (ACL-20). It
        is recorded."""
        denial = self._check(session, command, args, SCRIPT)
        if denial is None:
            return None
        text = b"ERR ACL failure in script: " + denial_text(denial, session.user, command)
        return one_line(text)

    def may_run(self, session: Session, args: list[bytes]) -> bool:
        """Return whether a client may make a request, for `redis.acl_check_cmd`. Nothing is
        recorded. Raises CommandError if there is no such command."""
        return self.deny(session, self._host.commands.require(args), args) is None

    def permits_every_key(
        self, session: Session, command: Command, args: list[bytes], needs: int
    ) -> bool:
        """Return whether a client may make a request that concerns any key (ACL-16)."""
        if not session.flags & RESTRICTED:
            return True
        return self._user_of(session).permits_every_key(command, args, needs)

    def _user_of(self, session: Session) -> User:
        """Return a session's user. Connections of deleted users are closed, and belong to
        `default`."""
        return self.users.by_name[session.user]

    def _check(
        self, session: Session, command: Command, args: list[bytes], context: bytes
    ) -> Denial | None:
        """Return why a client may not make a request, and record it."""
        denial = self.deny(session, command, args)
        if denial is not None:
            is_command = denial.reason is Reason.COMMAND
            subject = command.full_name if is_command else args[denial.position]
            self._record(session, args, DeniedAccess(denial.reason, context, subject, session.user))
        return denial

    def _record(self, session: Session, args: list[bytes], denied: DeniedAccess) -> None:
        """Count a denial, and add it to the log."""
        host = self._host
        host.statistics.denials[denied.reason] += 1
        self.log.add(denied, client_line(session, host.now, args), host.wall)

    # -- changes of users ----------------------------------------------------------------------

    def change_user(self, caller: Session, name: bytes, rules: list[bytes]) -> None:
        """Apply rules to a user (ACL-4), and close those of its connections that would lose a
        channel (ACL-18). Raises RuleError and UnmatchedParenthesis."""
        user = self.users.change(name, rules)
        self._close_deprived(caller, {name: user})
        self.update_all()

    def delete_users(self, caller: Session, names: list[bytes]) -> int:
        """Delete users and close their connections. Return how many there were."""
        deleted = {name for name in names if self.users.delete(name)}
        self._close_connections(caller, deleted)
        return len(deleted)

    def replace_users(self, caller: Session, users: Mapping[bytes, User]) -> None:
        """Replace all users. Connections of users that have changed or vanished are closed, except
        for those of `default`."""
        before = {user.name: user.describe() for user in self.users.sorted()}
        self.users.replace(users)
        after = {user.name: user.describe() for user in self.users.sorted()}
        changed = {name for name in before if after.get(name) != before[name]} - {DEFAULT_USER}
        self._close_deprived(caller, {DEFAULT_USER: self.users.default})
        self._close_connections(caller, changed)
        self.update_all()

    def _close_connections(self, caller: Session, names: set[bytes]) -> None:
        """Close the connections of some users. Until then they belong to `default` and have to
        authenticate."""
        for session in list(self._host.clients.values()):
            if session.user in names:
                session.user = DEFAULT_USER
                session.authenticated = False
                self.update(session)
                self._close(caller, session)

    def _close_deprived(self, caller: Session, users: Mapping[bytes, User]) -> None:
        """Close the connections of these users that are subscribed to what they have no permission
        for any more."""
        for session in list(self._host.clients.values()):
            user = users.get(session.user)
            if user is not None and is_deprived(session, user):
                self._close(caller, session)

    def _close(self, caller: Session, session: Session) -> None:
        """Close a connection; that of the caller after its reply."""
        if session is caller:
            session.close_after_reply()
        else:
            self._host.kill(session)


def is_deprived(session: Session, user: User) -> bool:
    """Return whether a session is subscribed to what its user has no permission for."""
    subscribed = session.subscriptions
    return subscribed is not None and not all(
        user.permits_channel(name, is_pattern=kind == PATTERN)
        for kind in KINDS
        for name in subscribed.names(kind)
    )


def context_of(session: Session) -> bytes:
    """Return the context of a request in the log."""
    return MULTI if session.flags & IN_TRANSACTION else TOPLEVEL
