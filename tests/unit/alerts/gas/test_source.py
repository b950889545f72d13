"""Which main it is: by strength, by order, by silence, by what is dug beside it."""

import pytest

from services.alerts.gas.source import Seen, Source, SourceModel
from services.alerts.gas.town import Ground, Pipe, Space, Town

HOUR_S = 3600.0


def _model(frail: str = "") -> SourceModel:
    """Three mains in a row under paving, a manhole beside the middle of each."""
    pipes = tuple(
        Pipe(name, ((60.0 * n, 0.0), (60.0 * (n + 1), 0.0)), 6.0 if name == frail else 2.0, True, "fill")
        for n, name in enumerate(("west", "middle", "east"))
    )
    spaces = tuple(Space(f"S{n}", (30.0 + 60.0 * n, 4.0), "telecom-manhole", 2.0, False) for n in range(3))
    between = (Space("S3", (60.0, 4.0), "telecom-manhole", 2.0, False),)
    return SourceModel(Ground(Town((117.2, 31.8), pipes, (*spaces, *between), (), ())))


def _found(
    model: SourceModel, *seen: Seen, works: list[tuple[tuple[float, float], float, float]] | None = None
) -> Source:
    source = model.explains(seen, model.works_factor(works or []), 10 * HOUR_S)
    assert source is not None
    return source


def test_the_main_beside_the_space_that_shows_most_is_likeliest() -> None:
    source = _found(_model(), Seen(1, 20.0, HOUR_S), Seen(0, 0.0, None), Seen(2, 0.0, None))
    assert next(iter(source.shares)) == "middle"
    assert source.shares["middle"] > 0.8
    assert sum(source.shares.values()) == pytest.approx(1.0, abs=0.01)
    assert "S1" in source.reasons["middle"].en
    assert "S1" in source.reasons["middle"].zh


def test_two_spaces_put_the_leak_between_them_nearer_to_the_one_that_shows_more() -> None:
    source = _found(_model(), Seen(0, 18.0, HOUR_S), Seen(3, 9.0, 3 * HOUR_S), Seen(1, 0.0, None))
    assert next(iter(source.shares)) == "west"
    assert 25.0 < source.at["west"][0] <= 60.0


def test_a_silent_neighbour_moves_the_suspicion_away_from_it() -> None:
    model = _model()
    with_silence = _found(model, Seen(3, 10.0, HOUR_S), Seen(0, 0.0, None))
    without = _found(model, Seen(3, 10.0, HOUR_S))
    assert with_silence.shares["west"] < without.shares["west"], "a manhole with a working device shows nothing"


def test_works_and_age_make_a_main_likelier() -> None:
    plain = _found(_model(), Seen(3, 10.0, HOUR_S))
    dug = _found(_model(), Seen(3, 10.0, HOUR_S), works=[((70.0, 0.0), 5.0, 8.0)])
    old = _found(_model(frail="middle"), Seen(3, 10.0, HOUR_S))
    assert dug.shares["middle"] > plain.shares["middle"]
    assert old.shares["middle"] > plain.shares["middle"]
    assert "works" in dug.reasons["middle"].en


def test_several_spaces_in_order_are_better_explained_by_one_leak_than_by_chance() -> None:
    ordered = _found(_model(), Seen(0, 20.0, HOUR_S), Seen(3, 4.0, 4 * HOUR_S))
    turned = _found(_model(), Seen(0, 1.0, 60 * HOUR_S), Seen(2, 40.0, HOUR_S), Seen(3, 0.0, None), Seen(1, 0.0, None))
    assert ordered.evidence > turned.evidence


def test_where_no_main_is_in_reach_nothing_is_suspected() -> None:
    town = Town(
        (117.2, 31.8),
        (Pipe("P", ((0.0, 0.0), (10.0, 0.0)), 1.0, False, "clay"),),
        (Space("S", (400.0, 0.0), "telecom-manhole", 2.0, False),),
        (),
        (),
    )
    model = SourceModel(Ground(town))
    assert model.explains([Seen(0, 9.0, HOUR_S)], model.works_factor([]), 2 * HOUR_S) is None
