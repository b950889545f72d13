"""What is most likely behind a departure: water that leaves, a valve that was moved, or one instrument that is off."""

from typing import NamedTuple

from services.alerts.bursts.departure_fit import DepartureFit
from services.alerts.bursts.parts import Part
from services.alerts.bursts.places import Located, locate
from services.alerts.bursts.supply_state import SupplyState

_SHUT_TRIED = 12
"""How many pipes are tried shut with the full model, the likeliest by the linear one."""
_PLAIN = 1.0
"""Log ratio by which another explanation has to be better than a loss: a leak that is missed costs more than a false
word about a valve."""
_EVIDENT = 12.0
"""Log ratio by which an explanation has to be better than noise: some hundred places are tried at some thousand moments
of three weeks, of which no more than one may look like a loss by chance."""
_ALIKE = 2.0
"""Log ratio within which nobody can tell one valve from another."""
_MOST_OF_DRAW = 2.0
"""More than twice what a part draws cannot leave it at one place: a source or a valve has changed."""
_MOST_MISFIT = 4.0
"""Mean squared deviation beyond which no valve is believed to have moved: the model is changed by it."""


class Moved(NamedTuple):
    """A valve has been moved: ``shut`` are the links that are shut now, ``link`` the one that changed.

    ``like`` are all links that explain it about as well, such as those in one street without a draw between them.
    """

    shut: frozenset[int]
    link: int
    like: tuple[int, ...]


class Off(NamedTuple):
    """One instrument of the supply is off by itself."""

    instrument: int


def likeliest_cause(fit: DepartureFit, supply: SupplyState, part: Part) -> Located | Moved | Off | None:
    """The explanation of a departure, ``None`` where the model has none that is better than noise."""
    best: Located | Moved | Off | None = None
    bar = fit.nothing() + _EVIDENT
    located = locate(fit, supply, part.pipes)
    most_m3h = _MOST_OF_DRAW * float(part.draw_m3h.sum()) or float("inf")
    if located is not None and located.log_likelihood > bar and located.flow_m3h <= most_m3h:
        best, bar = located, located.log_likelihood + _PLAIN
    instrument, log_likelihood = fit.alone()
    if log_likelihood > bar:
        best, bar = Off(instrument), log_likelihood
    moved = _moved(fit, supply, part, bar)
    return best if moved is None else moved


def reopened(fit: DepartureFit, supply: SupplyState) -> int | None:
    """The shut link that, were it open again, would explain a departure far better than noise."""
    bar, found = fit.nothing() + _EVIDENT, None
    for link in sorted(supply.shut):
        moved = fit.shut(supply.shut - {link})
        if moved is not None and moved.misfit <= _MOST_MISFIT and moved.log_likelihood > bar:
            bar, found = moved.log_likelihood, link
    return found


def _moved(fit: DepartureFit, supply: SupplyState, part: Part, bar: float) -> Moved | None:
    """The valve that was moved, if that explains a departure better than ``bar``."""
    tried = [(fit.shut(shut), shut, link) for shut, link in _moves(fit, supply, part)]
    known = [(each.log_likelihood, shut, link) for each, shut, link in tried if each and each.misfit <= _MOST_MISFIT]
    if not known or max(each[0] for each in known) <= bar:
        return None
    best, shut, link = max(known, key=lambda each: (each[0], -each[2]))
    like = tuple(other for log_likelihood, _, other in known if log_likelihood >= best - _ALIKE)
    return Moved(shut, link, like)


def _moves(fit: DepartureFit, supply: SupplyState, part: Part) -> list[tuple[frozenset[int], int]]:
    opened = [(supply.shut - {link}, link) for link in sorted(supply.shut)]
    inside = [link for link in fit.likeliest_shut(part.pipes) if link not in supply.shut][:_SHUT_TRIED]
    return [*opened, *((supply.shut | {link}, link) for link in inside)]
