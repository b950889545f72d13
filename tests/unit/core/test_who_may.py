"""Roles, limits, passwords and groups, before anything is stored."""

from pathlib import Path

import pytest

from services.core.lifeline import Lifeline
from services.core.limits import CITY_WIDE, Limits
from services.core.password import (
    PasswordNotGoodError,
    check_password,
    hash_password,
    is_outdated,
    is_password,
    new_password,
)
from services.core.permission import Permission
from services.core.provider_groups import ProviderGroups
from services.core.role import PERMISSIONS, Role, permissions_of

DOCS = Path(__file__).parents[3] / "docs"


def test_no_role_grants_rights_and_uses_them() -> None:
    deciding = {Permission.OPERATE, Permission.APPROVE, Permission.HANDLE}
    assert not PERMISSIONS[Role.ADMINISTRATOR] & deciding
    assert [role for role in Role if Permission.ADMINISTER in PERMISSIONS[role]] == [Role.ADMINISTRATOR]
    assert not any({Permission.OPERATE, Permission.APPROVE} <= PERMISSIONS[role] for role in Role)


def test_every_permission_is_somebodys_and_every_role_may_look() -> None:
    assert permissions_of(Role) == set(Permission)
    assert all(Permission.READ in PERMISSIONS[role] for role in Role)


@pytest.mark.parametrize("name", ["who-may.md", "who-may.zh-CN.md"])
def test_the_table_for_operators_is_the_table_in_the_code(name: str) -> None:
    rows = [line for line in (DOCS / name).read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    told = {}
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if cells[0].strip("`") in set(Role):
            told[Role(cells[0].strip("`"))] = {
                permission for permission, cell in zip(Permission, cells[2:], strict=True) if cell == "✓"
            }
    assert told == PERMISSIONS


def test_a_password_is_known_by_its_hash_alone() -> None:
    made = new_password()
    hashed = hash_password(made)
    assert made not in hashed
    assert is_password(made, hashed)
    assert not is_password(made + "x", hashed)
    assert not is_password(made, None)
    assert not is_password(made, "not a hash")
    assert not is_outdated(hashed)
    assert hashed != hash_password(made)


@pytest.mark.parametrize("bad", ["short", "x" * 257, "aaaaaaaaaaaaaaaa", "my-wang.li-password"])
def test_a_password_that_is_easily_guessed_is_refused(bad: str) -> None:
    with pytest.raises(PasswordNotGoodError):
        check_password(bad, "Wang.Li")
    check_password("correct horse battery staple", "wang.li")


def test_limits_are_all_of_the_city_unless_named() -> None:
    assert Limits.of(None, None, None) == CITY_WIDE
    assert CITY_WIDE.is_city_wide
    assert not Limits.of([], None, None).is_city_wide
    assert Limits.of(None, ["gas"], None).lifelines == frozenset({Lifeline.GAS})
    with pytest.raises(ValueError, match="steam"):
        Limits.of(None, ["steam"], None)


def test_groups_give_roles_and_the_widest_of_their_limits() -> None:
    groups = ProviderGroups(
        claim="realm_access.roles",
        roles={"desk": ["operator"], "gas": ["field-crew"], "heat": ["field-crew"]},
        limits={"gas": {"lifelines": ["gas"], "zones": ["G1"]}, "heat": {"lifelines": ["heat"]}, "choir": {}},
    )
    named = groups.groups_in({"realm_access": {"roles": ["gas", "heat", 7]}})
    assert named == ["gas", "heat"]
    assert groups.roles_of(named) == {Role.FIELD_CREW}
    assert groups.limits_of(named) == Limits.of(None, ["gas", "heat"], None)
    assert groups.limits_of(["gas", "choir"]) == Limits.of(None, ["gas"], ["G1"])
    assert groups.limits_of(["gas", "desk"]) == CITY_WIDE
    assert groups.roles_of(["choir"]) == frozenset()
    assert groups.groups_in({"realm_access": "gas"}) == []
    assert groups.groups_in({}) == []


@pytest.mark.parametrize(
    "wrong",
    [{"roles": {"a": ["king"]}}, {"limits": {"a": {"lifelines": ["steam"]}}}, {"limits": {"a": {"city": ["x"]}}}],
)
def test_a_mapping_that_cannot_be_right_is_refused_at_once(wrong: dict[str, dict[str, list[str]]]) -> None:
    with pytest.raises(ValueError, match=r"king|steam|city"):
        ProviderGroups(**wrong)  # type: ignore[arg-type]
