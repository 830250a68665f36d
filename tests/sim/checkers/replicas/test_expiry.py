"""The checker of expiry finds a region that deletes keys before they have expired everywhere."""

from __future__ import annotations

import pytest

from crdt.store.keyspace import CLOCK_SLACK_MS
from sim.checkers.replicas.expiry import ExpiryChecker
from sim.engine.checker import Violation
from sim.engine.clock import EPOCH_MS
from sim.engine.events import MS, SECOND
from sim.nodes.region import SimRegion
from sim.world.world import SimWorld
from tests.sim.planted import caught, checker_of, finish, fresh


class Frozen(dict[int, int]):
    """Clocks that no report changes any more."""

    def __setitem__(self, region: int, clock: int) -> None:
        """Ignore the report."""


def expire_in_eu(world: SimWorld) -> None:
    """A key that has expired by the clock of eu, which is fast, and not by those of others."""
    world.run("us", "SET", "k", "v", "PX", "60000")
    assert world.converge(10 * SECOND)
    world.sites["eu"].clock.step_by(90_000)


def eu_believes_that_all_clocks_are_fast(world: SimWorld) -> None:
    expire_in_eu(world)
    world.sites["eu"].replica.stability.clocks = Frozen({2: 1 << 50, 3: 1 << 50})
    world.sleep(3 * SECOND)


def test_key_alive_elsewhere_is_not_deleted() -> None:
    assert caught(eu_believes_that_all_clocks_are_fast) == ["expiry"]
    with pytest.raises(Violation, match=r"eu deletes b'k', which lives \d+ ms longer in us"):
        eu_believes_that_all_clocks_are_fast(fresh(ExpiryChecker))


def us_believes_that_it_is_the_lowest(world: SimWorld) -> None:
    world.run("us", "SET", "k", "v", "PX", "1000")
    assert world.converge(10 * SECOND)
    world.cut("us", "eu")
    world.sites["us"].replica.stability.members = {3}
    world.sleep(5 * SECOND)


def test_only_the_lowest_region_tidies_up() -> None:
    assert caught(us_believes_that_it_is_the_lowest) == ["expiry"]
    with pytest.raises(Violation, match=r"us tidies up b'k', which is the duty of region 1"):
        us_believes_that_it_is_the_lowest(fresh(ExpiryChecker))


def test_key_expired_everywhere_is_deleted() -> None:
    world = fresh(ExpiryChecker)
    expire_in_eu(world)
    world.sleep(3 * SECOND)
    assert world.sites["eu"].replica.keyspace.data
    world.sleep(60 * SECOND)
    finish(world)
    assert not world.sites["us"].replica.keyspace.data
    assert world.checkers[0].looked == 1


def test_client_may_delete_what_lives_elsewhere() -> None:
    world = fresh(ExpiryChecker)
    expire_in_eu(world)
    world.run("eu", "APPEND", "k", "w")
    finish(world)
    assert world.checkers[0].looked == 0


def test_client_who_waited_may_delete_what_is_left_of_key() -> None:
    """It pushes to a list that was emptied in the same turn and has a deadline in the future."""
    world = fresh(ExpiryChecker)
    world.run_all("eu", ("RPUSH", "to", "old"), ("PEXPIRE", "to", "60000"))
    assert world.converge(SECOND)
    world.run_session("eu", 1, ("BLMOVE", "from", "to", "LEFT", "RIGHT", "10"))
    world.run_all("us", ("MULTI",), ("LPOP", "to"), ("RPUSH", "from", "new"), ("EXEC",))
    assert world.converge(SECOND)
    assert world.run("eu", "LRANGE", "to", "0", "-1") == [b"new"]
    assert (world.run("eu", "PTTL", "to"), world.checkers[0].looked) == (-1, 0)
    world.run("us", "PEXPIRE", "to", "60000")
    assert world.converge(SECOND)
    world.sites["eu"].clock.step_by(90_000)
    world.sites["eu"].replica.stability.clocks = Frozen({2: 1 << 50, 3: 1 << 50})
    with pytest.raises(Violation, match=r"eu deletes b'to', which lives \d+ ms longer in us"):
        world.sleep(3 * SECOND)


def test_wait_in_vain_names_no_key() -> None:
    world = fresh(ExpiryChecker)
    world.run_all("eu", ("RPUSH", "to", "old"), ("PEXPIRE", "to", "60000"))
    assert world.converge(SECOND)
    world.run_session("eu", 1, ("BLMOVE", "from", "to", "LEFT", "RIGHT", "0.1"))
    world.sites["eu"].clock.step_by(90_000)
    world.sites["eu"].replica.stability.clocks = Frozen({2: 1 << 50, 3: 1 << 50})
    with pytest.raises(Violation, match=r"eu deletes b'to', which lives \d+ ms longer in us"):
        world.sleep(3 * SECOND)


def test_clock_counts_that_its_region_has_forgotten() -> None:
    world = fresh(ExpiryChecker)
    world.run("eu", "SET", "k", "v", "PX", "60000")
    assert world.converge(10 * SECOND)
    for name in world.sites:
        world.sites[name].clock.step_by(90_000)
        world.run(name, "GET", "k")
    world.crash_process("ap")
    world.sites["ap"].clock.step_by(-90_000)
    world.restart_process("ap")
    world.sleep(SECOND)
    world.sites["eu"].replica.stability.clocks = Frozen({2: 1 << 50, 3: 1 << 50})
    world.sleep(3 * SECOND)
    assert world.checkers[0].looked == 1


def the_time_of_us_goes_back(world: SimWorld) -> None:
    world.run("us", "SET", "k", "v")
    world.sites["us"].replica.keyspace.expiry_clock -= 500
    world.sites["us"].clock.step_by(-500)
    world.run("us", "SET", "k", "w")


def test_expired_key_does_not_come_back() -> None:
    assert caught(the_time_of_us_goes_back) == ["expiry"]
    with pytest.raises(Violation, match="what had expired in us lives again for 500 ms"):
        the_time_of_us_goes_back(fresh(ExpiryChecker))


def test_expiry_stays_near_clock() -> None:
    world = fresh(ExpiryChecker)
    world.run("us", "SET", "k", "v", "PX", "60000")
    world.sites["us"].clock.step_by(7_200_000)
    assert world.run("us", "EXISTS", "k") == 0
    world.sites["us"].clock.step_by(-7_200_000)
    assert world.run("us", "EXISTS", "k") == 1
    world.sites["us"].replica.keyspace.expiry_clock += 7_200_000
    with pytest.raises(Violation, match="us hides keys 7200000 ms ahead of its clock"):
        world.checkers[0].on_turn_end(world.sites["us"], ())


def test_unasked_effect_without_delete_is_ignored() -> None:
    world = fresh(ExpiryChecker)
    world.sites["eu"].replica.set("s").add("m")
    world.sites["eu"].finish_turn()
    assert world.checkers[0].looked == 0


def test_expiry_follows_clock_that_is_set_and_no_other() -> None:
    world = fresh(ExpiryChecker)
    world.run("us", "SET", "k", "v", "PX", "60000")
    world.sites["us"].clock.step_by(90_000)
    assert world.run("us", "EXISTS", "k") == 0
    world.set_clock("us", EPOCH_MS)
    assert world.run("us", "EXISTS", "k") == 1
    world.set_clock("us", None)
    assert world.run("us", "EXISTS", "k") == 0
    world.run("us", "SET", "other", "v")
    world.sites["us"].replica.keyspace.expiry_clock -= 700
    world.sites["us"].clock.step_by(-700)
    with pytest.raises(Violation, match=r"what had expired in us lives again for \d+ ms"):
        world.run("us", "SET", "other", "v")


def test_small_step_back_must_not_be_followed() -> None:
    world = fresh(ExpiryChecker)
    keyspace = world.sites["us"].replica.keyspace
    with pytest.raises(Violation, match="what had expired in us lives again for 500 ms"):
        world.checkers[0].on_expiry_set_back("us", keyspace, keyspace.expiry_clock + 500)
    world.checkers[0].on_expiry_set_back("us", keyspace, keyspace.expiry_clock + CLOCK_SLACK_MS + 1)


def persisted(*, knows: bool) -> SimRegion:
    """Return eu, which knows that ap has made a key persistent, as us does if it `knows`."""
    world = fresh(ExpiryChecker)
    world.run("eu", "SADD", "s", "m")
    world.run("eu", "PEXPIRE", "s", "60000")
    assert world.converge(10 * SECOND)
    if not knows:
        world.close_way("ap", "us")
        world.close_way("eu", "us")
    world.run("ap", "PERSIST", "s")
    world.sleep(100 * MS)
    return world.sites["eu"]


@pytest.mark.parametrize("knows", [True, False])
def test_deadlines_are_forgotten_when_all_have_seen_them(*, knows: bool) -> None:
    eu = persisted(knows=knows)
    eu.replica.keyspace.forget(b"s")
    if knows:
        eu.finish_turn()
        assert eu.around.checkers[0].looked == 2
        return
    with pytest.raises(Violation, match=r"eu forgets the deadlines of b's', and us has not seen 3"):
        eu.finish_turn()


def test_deadlines_of_key_without_history_are_not_judged() -> None:
    eu = persisted(knows=False)
    eu.around.run_history.book.forget_key(b"s")
    eu.replica.keyspace.forget(b"s")
    eu.finish_turn()
    assert eu.around.checkers[0].looked == 0


def emptied(*, restarts: bool = False) -> SimWorld:
    """Return a world in which eu has emptied a set with a deadline, and us still shows the set."""
    world = fresh(ExpiryChecker)
    world.run("us", "SADD", "s", "m")
    world.run("us", "PEXPIRE", "s", "60000")
    assert world.converge(10 * SECOND)
    if restarts:
        world.crash_process("us")
        world.restart_process("us")
        world.sleep(SECOND)
    world.close_way("eu", "us")
    world.run("eu", "SREM", "s", "m")
    world.sleep(100 * MS)
    return world


def test_deadline_of_key_that_is_shown_elsewhere_stays() -> None:
    world = emptied()
    eu = world.sites["eu"]
    eu.replica.keyspace.delete(b"s")
    with pytest.raises(Violation, match=r"eu removes the deadline \d+ of b's', which us shows"):
        eu.finish_turn()


def pass_time(world: SimWorld, ms: int) -> None:
    """Step the clocks of all regions, and let them notice that."""
    for name, site in world.sites.items():
        site.clock.step_by(ms)
        world.run(name, "EXISTS", "s")


def test_deadline_that_was_replaced_is_not_removed() -> None:
    """A region deletes a deadline that has passed. Another region still shows a later one."""
    world = fresh(ExpiryChecker)
    world.run("us", "SADD", "s", "m")
    world.run("us", "PEXPIRE", "s", "600000")
    assert world.converge(10 * SECOND)
    for name in ("eu", "ap"):
        world.close_way(name, "us")
    world.run("ap", "PEXPIRE", "s", "60000")
    world.sleep(100 * MS)
    world.run("eu", "SREM", "s", "m")
    pass_time(world, 90_000)
    eu = world.sites["eu"]
    eu.replica.keyspace.delete(b"s")
    eu.finish_turn()
    assert world.run("us", "EXISTS", "s") == 1
    assert eu.around.checkers[0].looked == 2


@pytest.mark.parametrize("passed_ms", [0, 90_000])
def test_deadline_that_has_passed_everywhere_may_go_early(passed_ms: int) -> None:
    """A region shows the key, because it has a longer deadline too."""
    world = fresh(ExpiryChecker)
    world.run("us", "SADD", "s", "m")
    assert world.converge(10 * SECOND)
    for name in ("eu", "ap"):
        world.close_way("us", name)
    world.close_way("eu", "us")
    world.run("ap", "PEXPIRE", "s", "60000")
    world.run("us", "PEXPIRE", "s", "600000")
    world.sleep(100 * MS)
    world.run("eu", "SREM", "s", "m")
    pass_time(world, passed_ms)
    eu = world.sites["eu"]
    eu.replica.keyspace.delete(b"s")
    if passed_ms:
        eu.finish_turn()
        assert world.run("us", "EXISTS", "s") == 1
        return
    with pytest.raises(Violation, match=r"eu removes the deadline \d+ of b's', which us shows"):
        eu.finish_turn()


def test_orphan_without_history_is_not_judged() -> None:
    world = emptied()
    eu = world.sites["eu"]
    eu.around.run_history.book.forget_key(b"s")
    eu.replica.keyspace.delete(b"s")
    eu.finish_turn()
    assert world.checkers[0].looked == 0


def test_region_that_has_put_its_data_aside_is_not_asked() -> None:
    world = emptied()
    checker_of(world).on_region_started(world.sites["us"])
    eu = world.sites["eu"]
    eu.replica.keyspace.delete(b"s")
    eu.finish_turn()
    assert world.run("us", "EXISTS", "s") == 1


def test_region_that_has_restarted_is_not_asked() -> None:
    world = emptied(restarts=True)
    eu = world.sites["eu"]
    eu.replica.keyspace.delete(b"s")
    eu.finish_turn()
    assert world.run("us", "EXISTS", "s") == 1


def test_orphan_that_all_know_is_tidied_up() -> None:
    world = emptied()
    world.open_way("eu", "us")
    world.sleep(10 * SECOND)
    assert not world.sites["eu"].replica.keyspace.deadlines.table
    assert world.checkers[0].looked == 2
