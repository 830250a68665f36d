"""Django's cache with django-redis: versions, deadlines, patterns, locks and sessions.

Django is configured once for a process, with a cache for each region and protocol.
"""

from __future__ import annotations

import importlib
from typing import Any

import django
import pytest
from django.conf import settings

from tests.e2e.clients.regions import ClientRegion
from tests.e2e.processes import WAIT_SECONDS, eventually


@pytest.fixture(scope="session")
def configured(linked_regions: tuple[ClientRegion, ClientRegion]) -> None:
    """Configure Django."""
    here, there = linked_regions
    urls = {
        "default": here.url(3),
        "resp2": here.url(2),
        "abroad": there.url(3),
    }
    settings.configure(
        CACHES={
            name: {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": url,
                "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient"},
            }
            for name, url in urls.items()
        },
        SESSION_ENGINE="django.contrib.sessions.backends.cache",
        TIME_ZONE="UTC",
    )
    django.setup()


def cache_named(name: str) -> Any:
    """Return a cache of the configuration."""
    return importlib.import_module("django.core.cache").caches[name]


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("name", ["default", "resp2"])
def test_cache_keeps_versions_and_deadlines(us: ClientRegion, name: str) -> None:
    cache = cache_named(name)
    cache.set("page", {"title": "one"}, timeout=None)
    cache.set("page", {"title": "two"}, version=2, timeout=WAIT_SECONDS)
    assert [cache.get("page"), cache.get("page", version=2)] == [{"title": "one"}, {"title": "two"}]
    assert cache.ttl("page") is None
    assert 0 < cache.ttl("page", version=2) <= WAIT_SECONDS
    assert cache.incr_version("page", version=2) == 3
    assert cache.get("page", version=3) == {"title": "two"}
    assert not cache.add("page", "other")
    assert cache.touch("page", WAIT_SECONDS)
    assert cache.persist("page")
    cache.set_many({"n:1": 1, "n:2": 2, "m:1": 3})
    assert cache.incr("n:1", 4) == 5
    assert cache.get_many(["n:1", "n:2", "m:2"]) == {"n:1": 5, "n:2": 2}
    assert sorted(cache.iter_keys("n:*")) == ["n:1", "n:2"]
    assert cache.delete_pattern("n:*") == 2
    assert cache.get_or_set("m:1", 4) == 3
    with cache.lock("guard", timeout=WAIT_SECONDS):
        assert not cache.lock("guard").acquire(blocking=False)
    cache.set("short", 1, timeout=0.01)
    eventually(lambda: cache.get("short") is None)
    assert ("2" if name == "resp2" else "3") in us.protocols()
    cache.clear()
    assert cache.get("page") is None


@pytest.mark.usefixtures("configured")
def test_session_is_read_in_other_region(us: ClientRegion) -> None:
    sessions = importlib.import_module("django.contrib.sessions.backends.cache")
    session = sessions.SessionStore()
    session["user"] = 42
    session.save()
    us.settle()
    assert cache_named("abroad").get(session.cache_key) == {"user": 42}
    assert sessions.SessionStore(session.session_key)["user"] == 42
    session.delete()
    us.settle()
    assert cache_named("abroad").get(session.cache_key) is None
