"""Whose order goes to a region next, and whose attempt at national sums begins: nobody waits for all of another's."""

from __future__ import annotations

from coordinator.desk.turns import Turns
from coordinator.secure.places import Places


def test_a_region_has_a_few_orders_before_it_and_the_rest_are_held() -> None:
    turns = Turns(most=2)
    assert [turns.take("AA", "a", run, 0) for run in ("r1", "r2", "r3")] == [True, True, False]
    assert turns.take("BB", "a", "r3", 0)
    assert turns.take("AA", "a", "r1", 0), "what is out already goes out again"
    assert turns.following("AA") is None
    assert turns.ended("r1", ("AA", "CC")) == ("AA",)
    assert turns.following("AA") == "r3"
    assert turns.following("AA") is None


def test_one_researchers_hundred_programmes_let_anothers_first_one_go_before_them() -> None:
    """Regression: what one researcher asked waited behind all that others had open (`make soak`, the flood)."""
    turns = Turns(most=4)
    taken = [turns.take("AA", "flooder", f"f{number}", 0) for number in range(100)]
    assert taken.count(True) == 4
    assert not turns.take("AA", "victim", "v1", 0)
    assert not turns.take("AA", "victim", "v2", 0)
    turns.ended("f0", ("AA",))
    assert turns.following("AA") == "v1"
    assert turns.take("AA", "victim", "v1", 0)
    turns.ended("f1", ("AA",))
    assert turns.following("AA") == "v2"
    assert turns.take("AA", "victim", "v2", 0)
    turns.ended("f2", ("AA",))
    assert turns.following("AA") == "f4", "and then the oldest of the other's"


def test_an_order_that_a_node_is_silent_about_keeps_no_other_from_going_out() -> None:
    turns = Turns(most=1)
    assert turns.take("AA", "a", "lost", 1_000)
    assert not turns.take("AA", "a", "next", 1_100)
    assert turns.sweep(1_300) == ()
    assert turns.sweep(1_301) == ("AA",)
    assert turns.following("AA") == "next"
    assert turns.ended("lost", ("AA",)) == ()


def test_a_held_run_that_was_sent_after_all_is_held_no_longer() -> None:
    turns = Turns(most=1)
    assert turns.take("AA", "a", "r1", 0)
    assert not turns.take("AA", "a", "r2", 0)
    turns.ended("r1", ("AA",))
    assert turns.take("AA", "a", "r2", 0)
    turns.ended("r2", ("AA",))
    assert turns.following("AA") is None


def test_attempts_beyond_the_places_wait_and_who_has_the_fewest_comes_first() -> None:
    """Regression: one more attempt than a node remembers made it forget one that was under way, and both failed."""
    places = Places(most=2)
    assert [places.take(run, "flooder") for run in ("f1", "f2", "f3", "f4")] == [True, True, False, False]
    assert places.take("f1", "flooder"), "it has one"
    assert not places.take("v1", "victim")
    assert places.following() is None
    assert places.leave("f1")
    assert places.following() == "v1"
    assert not places.take("f3", "flooder")
    assert places.take("v1", "victim")
    assert places.leave("f2")
    assert places.following() == "f3"


def test_a_run_that_wants_no_place_any_more_is_out_of_the_line() -> None:
    places = Places(most=1)
    assert places.take("r1", "a")
    assert not places.take("r2", "b")
    assert places.leave("r2")
    assert not places.leave("r2")
    places.leave("r1")
    assert places.following() is None
