"""The users that a region starts with: those of its `aclfile`, or of `users` in the regions' file.

Users are local to a region. `users` is for all regions of the file, so that they start alike. An
`aclfile` belongs to one region, which also writes it (ACL SAVE).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from crdb.deployment.config import Config
from crdb.deployment.errors import ConfigError, shown
from crdb.deployment.region_config import RegionConfig
from crdb.engine.environment.surroundings import AclFile
from crdb.engine.instance import Instance
from crdb.security.acl_file import AclFileError, parse_users
from crdb.security.rule_error import RuleError
from crdb.security.selector import has_spaces
from crdb.security.user import DEFAULT_USER, UnmatchedParenthesis, User, merge_selectors
from crdb.security.users import Users, apply_rules

HOW_TO_CREATE: Final = "Create it; an empty file leaves the user default as it is"


def resolve_acl_files(config: Config, folder: Path) -> Config:
    """Return `config` with the full paths of the files of users. A relative path is looked for in
    `folder`."""
    regions = [
        attrs.evolve(region, aclfile=str((folder / region.aclfile).absolute()))
        if region.aclfile
        else region
        for region in config.regions
    ]
    return attrs.evolve(config, regions=tuple(regions))


def start_users(
    instance: Instance, config: Config, region: RegionConfig, file: AclFile | None
) -> None:
    """Give an instance the users of its file, or those of the configuration. Raises ConfigError."""
    if file is not None:
        found = read_users(file, region, instance.access.users)
    else:
        found = make_users(config, instance.access.users)
    instance.access.users.by_name.update(found)


def read_users(file: AclFile, region: RegionConfig, users: Users) -> dict[bytes, User]:
    """Return the users in a region's file. Raises ConfigError."""
    place = f"region {region.name}: aclfile"
    try:
        return parse_users(file.read(), file.path.encode(), users)
    except FileNotFoundError as fault:
        raise ConfigError(f"{place}: {file.path}: {fault.strerror}. {HOW_TO_CREATE}") from None
    except OSError as fault:
        raise ConfigError(f"{place}: {file.path}: {fault.strerror}") from None
    except AclFileError as fault:
        text = fault.text.decode(errors="replace").rstrip(". ")
        raise ConfigError(f"{place}: {text}. Correct the file and start again") from None


def make_users(config: Config, users: Users) -> dict[bytes, User]:
    """Return the users that the configuration lists. Raises ConfigError."""
    found: dict[bytes, User] = {}
    for number, line in enumerate(config.users, 1):
        name, *rules = line.encode().split()
        place = f"users, entry {number} ({shown(name.decode())})"
        if name in found:
            raise ConfigError(f"{place}: the user is listed twice; put all rules into one entry")
        if name == DEFAULT_USER and config.requirepass:
            raise ConfigError(f"{place}: give either requirepass or an entry for default, not both")
        found[name] = make_user(name, rules, place, users)
    return found


def make_user(name: bytes, rules: Sequence[bytes], place: str, users: Users) -> User:
    """Return a user with these rules. Raises ConfigError, which does not show a password."""
    user = User(name, users.table, opens_channels=users.opens_channels)
    if has_spaces(name):
        raise ConfigError(f"{place}: the name may not contain spaces")
    try:
        apply_rules(user, merge_selectors(rules))
    except UnmatchedParenthesis as fault:
        text = shown(fault.argument.decode())
        raise ConfigError(f"{place}: the parenthesis of {text} is never closed") from None
    except RuleError as fault:
        is_secret = fault.rule[:1] in {b"<", b">", b"#", b"!"}
        rule = "a password" if is_secret else shown(fault.rule.decode())
        raise ConfigError(f"{place}: {rule}: {fault.reason.decode()}") from None
    return user
