"""Cases are found by what they are like, in either language."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from services.core.alert import Verdict
from services.core.case import Case, Sought, most_alike, rarity_of, words_of
from services.core.lifeline import Lifeline
from services.core.root_cause import RootCause
from services.core.severity import Severity
from services.core.text import Text

_CASE = Case(
    alert=UUID(int=1),
    lifeline=Lifeline.GAS,
    kind="gas-leak",
    zone="G1",
    asset="G1-US-4",
    asset_kind="underground-space",
    asset_name=Text("Telecom manhole 4", "通信井4"),
    place=(117.0, 31.0),
    severity=Severity(3),
    started_at=datetime(2026, 7, 14, 6, tzinfo=UTC),
    ended_at=None,
    verdict=Verdict.TRUE_ALARM,
    root_cause=RootCause.CORROSION,
    explanation=Text("leak likely", "可能泄漏"),
    told="corroded cast iron joint renewed",
    words=words_of("corroded cast iron joint renewed", "铸铁管接头腐蚀"),
)


def _best(sought: Sought, *cases: Case) -> UUID:
    return most_alike(sought, cases, rarity_of(sought.words, {}), 3)[0].case.alert


def test_words_are_latin_words_and_pairs_of_chinese_characters() -> None:
    assert words_of("Cast-iron PIPE 150 mm", "铸铁管") == {"cast-iron", "pipe", "150", "mm", "铸铁", "铁管"}
    assert words_of("井") == {"井"}
    assert words_of("  …!") == frozenset()


def test_a_case_is_found_by_chinese_words_that_it_holds_in_part() -> None:
    other = replace(_CASE, alert=UUID(int=2), words=words_of("sewer gas after rain", "雨后沼气"))
    assert _best(Sought(words=words_of("腐蚀的铸铁")), other, _CASE) == _CASE.alert
    assert _best(Sought(words=words_of("沼气")), _CASE, other) == other.alert


def test_the_same_asset_goes_before_one_of_the_same_kind_far_away() -> None:
    far = replace(_CASE, alert=UUID(int=2), asset="G9-US-1", place=(117.5, 31.0))
    sought = Sought(lifeline=Lifeline.GAS, kind="gas-leak", asset="G1-US-4", place=(117.0, 31.0))
    assert _best(sought, far, _CASE) == _CASE.alert


def test_of_equals_the_newest_comes_first_and_another_lifeline_never() -> None:
    newer = replace(_CASE, alert=UUID(int=2), started_at=datetime(2026, 7, 15, tzinfo=UTC))
    water = replace(_CASE, alert=UUID(int=3), lifeline=Lifeline.WATER)
    sought = Sought(lifeline=Lifeline.GAS, kind="gas-leak")
    found = [each.case.alert for each in most_alike(sought, [_CASE, water, newer], {}, 3)]
    assert found == [newer.alert, _CASE.alert]


def test_a_rare_word_is_worth_more_than_a_common_one() -> None:
    common = replace(_CASE, alert=UUID(int=2), words=frozenset({"leak"}))
    rare = replace(_CASE, alert=UUID(int=3), words=frozenset({"frost"}))
    rarity = rarity_of({"leak", "frost"}, {"leak": 0.6, "frost": 0.001})
    found = most_alike(Sought(words=frozenset({"leak", "frost"})), [common, rare], rarity, 2)
    assert [each.case.alert for each in found] == [rare.alert, common.alert]
    assert found[0].likeness > 3 * found[1].likeness
