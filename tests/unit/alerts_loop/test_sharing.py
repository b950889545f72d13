"""Shares of the feed are divided evenly, for good, and no more of them moves than has to."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.sharing import fair_owners, share_of
from services.core.store.shares import SHARES, Census

quiet = settings(deadline=None, max_examples=200)
names = st.sets(st.sampled_from("abcdefg"), min_size=1).map(lambda chosen: tuple(sorted(chosen)))


@st.composite
def censuses(draw: st.DrawFn) -> Census:
    members = draw(names)
    owner = st.one_of(st.none(), st.sampled_from(members))
    return Census(
        members,
        {share: draw(owner) for share in range(SHARES)},
        {share: draw(st.sampled_from([0, 0, 1, 3, 40, 50, 60, 300])) for share in range(SHARES)},
    )


def loads(census: Census, owners: dict[int, str]) -> Counter[str]:
    total: Counter[str] = Counter(dict.fromkeys(census.members, 0))
    for share, owner in owners.items():
        total[owner] += census.weights[share]
    return total


@quiet
@given(censuses())
def test_every_share_gets_a_living_owner_and_the_plan_is_settled(census: Census) -> None:
    owners = fair_owners(census)
    assert set(owners) == set(range(SHARES))
    assert set(owners.values()) <= set(census.members)
    assert fair_owners(Census(census.members, owners, census.weights)) == owners


@quiet
@given(censuses())
def test_members_differ_by_no_more_than_their_heaviest_share(census: Census) -> None:
    owners = fair_owners(census)
    total = loads(census, owners)
    heaviest = max(census.weights.values(), default=0)
    tolerated = 0.2 * sum(total.values()) / len(census.members)
    assert max(total.values()) - min(total.values()) <= max(heaviest, tolerated) + 1


def test_equal_shares_are_divided_equally_and_stay_when_another_process_ends() -> None:
    weights = dict.fromkeys(range(SHARES), 10)
    alone = fair_owners(Census(("a",), dict.fromkeys(range(SHARES)), weights))
    assert set(alone.values()) == {"a"}
    three = fair_owners(Census(("a", "b", "c"), dict(alone), weights))
    counts = sorted(Counter(three.values()).values())
    assert counts[-1] - counts[0] <= 2, "within a fifth of each other, nothing is moved any more"
    orphaned = {share: None if owner == "b" else owner for share, owner in three.items()}
    two = fair_owners(Census(("a", "c"), orphaned, weights))
    assert all(two[share] == owner for share, owner in three.items() if owner != "b")
    assert min(Counter(two.values()).values()) >= 15


def test_two_zones_among_three_processes_do_not_stay_together() -> None:
    weights = dict.fromkeys(range(SHARES), 0) | {3: 2, 9: 1}
    owners = fair_owners(Census(("a", "b", "c"), dict.fromkeys(range(SHARES), "a"), weights))
    assert owners[3] != owners[9]
    assert set(owners.values()) == {"a", "b", "c"}


def test_without_members_nobody_owns_anything() -> None:
    assert fair_owners(Census((), dict.fromkeys(range(SHARES)), dict.fromkeys(range(SHARES), 0))) == {}


def test_the_share_of_a_zone_never_changes() -> None:
    assert [share_of(zone) for zone in ("G1", "W1", "supply:north")] == [12, 22, 22]
