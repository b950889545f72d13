"""What the API asks and answers about who may: people who log in, users and keys; never a password or a key again."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.api.moment import Moment
from services.api.receiver_answers import Identifier
from services.core.caller import Caller
from services.core.lifeline import Lifeline
from services.core.limits import Limits
from services.core.password import LENGTH
from services.core.permission import Permission
from services.core.role import Role
from services.core.store.api_keys import KnownKey
from services.core.store.users import NAME_PATTERN, User

UserName = Annotated[str, Field(pattern=NAME_PATTERN, description="small letters, digits and `._@+-`")]
Password = Annotated[SecretStr, Field(min_length=LENGTH[0], max_length=LENGTH[1])]
Label = Annotated[str, Field(min_length=1, max_length=100, description="the person's name as it is shown")]
LONGEST_OVERLAP = timedelta(days=30)


class LimitsAnswer(BaseModel):
    """To which part of the city somebody is confined; null: all of it."""

    model_config = ConfigDict(extra="forbid")

    organisations: list[str] | None = Field(default=None, max_length=200)
    lifelines: list[Lifeline] | None = Field(default=None, max_length=len(Lifeline))
    zones: list[str] | None = Field(default=None, max_length=1000)

    def limits(self) -> Limits:
        """The same as limits."""
        return Limits.of(self.organisations, self.lifelines, self.zones)


def limits_answer(limits: Limits) -> LimitsAnswer:
    """Limits as they are shown."""
    return LimitsAnswer.model_validate(limits.names())


class LoginRequest(BaseModel):
    """Name and password."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=80)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=LENGTH[1])]


class PasswordRequest(BaseModel):
    """A password and the one that is to take its place."""

    model_config = ConfigDict(extra="forbid")

    password: Annotated[SecretStr, Field(min_length=1, max_length=LENGTH[1])]
    new_password: Password


class LoginWaysAnswer(BaseModel):
    """How people can log in."""

    password: bool
    provider: str | None = Field(description="where to send the browser to log in with the identity provider")


class MeAnswer(BaseModel):
    """Who asks."""

    name: str = Field(description="as whom they act, in the audit trail and on orders")
    label: str
    is_user: bool = Field(description="whether a person logged in, instead of a key that was presented")
    roles: list[Role]
    permissions: list[Permission]
    limits: LimitsAnswer
    csrf_token: str | None = Field(description="to be sent as `X-CSRF-Token` with every change of this session")


def me_answer(caller: Caller, csrf_token: str | None) -> MeAnswer:
    """A caller as they are told of themselves."""
    return MeAnswer(
        name=caller.actor,
        label=caller.label or caller.actor,
        is_user=caller.is_user,
        roles=sorted(caller.roles),
        permissions=sorted(caller.permissions),
        limits=limits_answer(caller.limits),
        csrf_token=csrf_token,
    )


class UserAnswer(BaseModel):
    """Somebody who may log in."""

    name: str
    label: str
    roles: list[Role]
    limits: LimitsAnswer
    enabled: bool
    provider: str | None = Field(description="the identity provider that answers for them; null: a password here")
    created_at: datetime
    last_login_at: datetime | None = Field(description="null: never")
    version: int


class UserPasswordAnswer(UserAnswer):
    """A user with a password that was made for them."""

    password: str | None = Field(description="shown this once; null: it was the caller's own")


def user_fields(user: User) -> dict[str, Any]:
    """A user as they are shown."""
    return {
        "name": user.name,
        "label": user.label,
        "roles": sorted(user.roles),
        "limits": limits_answer(user.limits),
        "enabled": user.disabled_at is None,
        "provider": user.issuer,
        "created_at": user.created_at,
        "last_login_at": user.last_login_at,
        "version": user.version,
    }


class UserRequest(BaseModel):
    """A new user."""

    model_config = ConfigDict(extra="forbid")

    name: UserName
    label: Label
    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))]
    limits: LimitsAnswer = LimitsAnswer()
    password: Password | None = Field(default=None, description="left out: one is made and shown once")


class UserChangeRequest(BaseModel):
    """What is to be different; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    label: Label | None = None
    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))] | None = None
    limits: LimitsAnswer | None = None
    enabled: bool | None = None


class ResetPasswordRequest(BaseModel):
    """A new password for somebody."""

    model_config = ConfigDict(extra="forbid")

    password: Password | None = Field(default=None, description="left out: one is made and shown once")


class KeyAnswer(BaseModel):
    """A key, without what opens anything."""

    id: str
    actor: str
    permissions: list[Permission]
    limits: LimitsAnswer
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None = Field(description="how long the key before it works beside it")
    last_used_at: datetime | None = Field(description="to the hour; null: never")
    version: int = Field(description="another one whenever the key was replaced, for `If-Match`")


class IssuedKeyAnswer(KeyAnswer):
    """A new key."""

    key: str = Field(description="shown this once")


def key_fields(key: KnownKey) -> dict[str, Any]:
    """A key as it is shown."""
    return {
        "id": key.id,
        "actor": key.actor,
        "permissions": key.permissions,
        "limits": limits_answer(Limits.of(key.organisations, key.lifelines, key.zones)),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "previous_until": key.previous_until,
        "last_used_at": key.last_used_at,
        "version": key.version,
    }


class KeyRequest(BaseModel):
    """A new key."""

    model_config = ConfigDict(extra="forbid")

    id: Identifier
    actor: Annotated[str, Field(min_length=1, max_length=100, description="who acts with it, in the audit trail")]
    permissions: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]
    limits: LimitsAnswer = LimitsAnswer()
    expires_at: Moment | None = None


class RotateKeyRequest(BaseModel):
    """A new key in the place of an old one."""

    model_config = ConfigDict(extra="forbid")

    overlap_s: Annotated[int, Field(ge=0, le=int(LONGEST_OVERLAP.total_seconds()))] = 86_400
