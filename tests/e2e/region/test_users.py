"""Users of a real region, with redis-py and with a file of users."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from redis.exceptions import AuthenticationError, NoPermissionError

from tests.e2e.processes import ready_event, started
from tests.ports import free_base

USERS = "user admin on >root ~* &* +@all\nuser default off\n"


def connect(port: int, user: str, password: str, protocol: int) -> Any:
    return redis.Redis(
        port=port, username=user, password=password, protocol=protocol, decode_responses=True
    )


def test_users_are_kept_in_file_and_checked(tmp_path: Path) -> None:
    base = free_base(2)
    users, file = tmp_path / "us.acl", tmp_path / "regions.toml"
    users.write_text(USERS, encoding="utf-8")
    text = f'[[region]]\nname = "us"\nport = {base + 1}\nlink_port = {base + 2}\n'
    file.write_text(f'{text}aclfile = "us.acl"\n', encoding="utf-8")
    for is_again in (False, True):
        with started(["up", str(file), "--json"]) as process:
            ready_event(process)
            for protocol in (2, 3):
                admin = connect(base + 1, "admin", "root", protocol)
                if not is_again:
                    rules = {"keys": ["a*"], "commands": ["+get", "+set"]}
                    assert admin.acl_setuser("eve", enabled=True, passwords=["+pw"], **rules)
                    assert admin.acl_save()
                check_user(admin, connect(base + 1, "eve", "pw", protocol))
                admin.close()
    saved = users.read_text(encoding="utf-8").splitlines()
    assert [line.split()[1] for line in saved] == ["admin", "default", "eve"]


def check_user(admin: Any, eve: Any) -> None:
    """Check what redis-py reports about the user eve, and what eve may do."""
    found = admin.acl_getuser("eve")
    assert set(found["flags"]) == {"on", "sanitize-payload"}
    assert found["commands"] == ["+get", "+set"]
    assert admin.acl_whoami() == "admin"
    assert eve.set("a1", "x")
    for forbidden in (lambda: eve.get("b"), eve.flushall, eve.acl_whoami):
        with pytest.raises(NoPermissionError):
            forbidden()
    with pytest.raises(AuthenticationError):
        connect(eve.connection_pool.connection_kwargs["port"], "eve", "wrong", 3).ping()
    entries = cast("list[dict[str, Any]]", admin.acl_log())
    assert {entry["object"] for entry in entries} >= {"b", "flushall", "acl|whoami"}
    assert admin.acl_log_reset()
    eve.close()


def test_wrong_file_ends_start_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "us.acl").write_text("user eve on\nuser bob +nope\n", encoding="utf-8")
    file = tmp_path / "regions.toml"
    file.write_text('[[region]]\nname = "us"\naclfile = "us.acl"\n', encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "crdb", "up", str(file)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "us.acl:2: Error in applying operation '+nope': Unknown command" in ended.stderr
