"""The servers that tests run against, as fixtures."""

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.broker"]
