"""The deployment files as tests see them: parsed, and with the secrets filled in as Compose does it."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"

# Compose's own grammar: ${NAME}, ${NAME:-default}, ${NAME:?what to do}; $$ is a dollar.
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


class MissingVariableError(Exception):
    """A variable that the file asks for is not set; Compose would refuse to start."""


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Fill in the variables.

    Raises:
        MissingVariableError: one without a default is unset or empty.
    """

    def value(match: re.Match[str]) -> str:
        name, kind = match["name"], match["kind"]
        if variables.get(name):
            return variables[name]
        if kind == "-":
            return str(match["rest"])
        raise MissingVariableError(f"{name}: {match['rest'] or 'is not set'}")

    return _VARIABLE.sub(value, text)


def make_secrets(directory: Path) -> Path:
    """Run a copy of make-secrets.sh in a directory; returns the file it wrote."""
    script = Path(shutil.copy(DEPLOY / "make-secrets.sh", directory))
    subprocess.run([script], check=True, capture_output=True, timeout=30)
    return directory / ".env"


def read_variables(file: Path) -> dict[str, str]:
    """What stands in an environment file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


@dataclass(frozen=True)
class Stack:
    """compose.yaml with the variables of an environment file filled in."""

    content: dict[str, Any]

    @classmethod
    def filled(cls, variables: Mapping[str, str]) -> Self:
        return cls(yaml.safe_load(interpolate(COMPOSE.read_text(encoding="utf-8"), variables)))

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        return dict(self.content["services"])

    @property
    def ours(self) -> dict[str, dict[str, Any]]:
        """The services that run our own image."""
        return {name: service for name, service in self.services.items() if "build" in service}

    def environment(self, service: str) -> dict[str, str]:
        return {name: str(value) for name, value in self.services[service].get("environment", {}).items()}
