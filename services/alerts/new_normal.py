"""What a person takes as the new normal: a rule ends its trouble and begins to learn afresh."""

from dataclasses import replace

from services.alerts.episode import Episode, Grounds, Place
from services.core.finding import Finding, FindingState
from services.core.text import Text

TAKEN_AS_NORMAL = Text(
    "A person took what {asset} shows as its new normal; the rule begins to learn afresh.",
    "值班人员已将{asset}的现状认定为新常态；该规则重新开始学习。",
)


def ending(episode: Episode, place: Place, time_s: float, grounds: Grounds) -> Finding:
    """The finding that ends an episode, because a person says that nothing is wrong."""
    ended = Episode(replace(episode.rule, cleared=TAKEN_AS_NORMAL), ())
    ended.started_s = episode.started_s
    return ended.tell(FindingState.CLEARED, place, time_s, grounds)
