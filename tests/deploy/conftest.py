"""The stack with freshly made secrets, and linters from the development packages."""

import sys
from pathlib import Path

import pytest

from tests.deploy.stack import Stack, make_secrets, read_variables


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What make-secrets.sh writes."""
    return read_variables(make_secrets(tmp_path_factory.mktemp("secrets")))


@pytest.fixture(scope="session")
def stack(variables: dict[str, str]) -> Stack:
    return Stack.filled(variables)


@pytest.fixture(scope="session")
def packaged_tools() -> Path:
    """Where the development packages put their programs."""
    return Path(sys.executable).parent
