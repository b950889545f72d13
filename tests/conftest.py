"""The servers and the city that tests run against, as fixtures."""

pytest_plugins = [
    "tests.fixtures.postgres",
    "tests.fixtures.broker",
    "tests.fixtures.demo",
    "tests.fixtures.simulated_city",
    "tests.fixtures.timescale",
]
