"""compose.yaml is well-formed, asks for its secrets, and keeps what it holds to itself."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from services.cli import app
from services.core.settings import Settings
from tests.deploy.stack import COMPOSE, DEPLOY, MissingVariableError, Stack, interpolate

ONE_SHOT = "service_completed_successfully"


def _one_shots(stack: Stack) -> set[str]:
    return {name for name, service in stack.services.items() if service.get("restart") == "no"}


def _lasting(stack: Stack) -> dict[str, dict[str, Any]]:
    return {name: service for name, service in stack.services.items() if name not in _one_shots(stack)}


def test_it_follows_the_compose_specification(packaged_tools: Path) -> None:
    command: list[str | Path] = [
        packaged_tools / "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        COMPOSE,
    ]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_compose_itself_accepts_it(tmp_path: Path, variables: dict[str, str]) -> None:
    docker = shutil.which("docker")
    version = [docker or "docker", "compose", "version"]
    if docker is None or subprocess.run(version, capture_output=True, check=False, timeout=30).returncode != 0:
        pytest.skip("docker compose is not installed; the schema is checked without it")
    environment = tmp_path / "env"
    environment.write_text("".join(f"{name}={value}\n" for name, value in variables.items()), encoding="utf-8")
    command: list[str | Path] = [docker, "compose", "--env-file", environment, "--file", COMPOSE, "config", "--quiet"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stderr


def test_it_starts_with_nothing_but_what_make_secrets_wrote(variables: dict[str, str]) -> None:
    filled = interpolate(COMPOSE.read_text(encoding="utf-8"), variables)
    assert "${" not in filled


def test_it_refuses_to_start_without_any_one_of_its_secrets(variables: dict[str, str]) -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    secrets = [name for name in variables if name.endswith("_PASSWORD")]
    assert len(secrets) >= 3
    for name in secrets:
        with pytest.raises(MissingVariableError, match=f"{name}: run ./make-secrets.sh first"):
            interpolate(text, {**variables, name: ""})


def test_every_lifeline_variable_is_a_setting(stack: Stack) -> None:
    known = {f"LIFELINE_{name.upper()}" for name in Settings.model_fields}
    given = {name for service in stack.services for name in stack.environment(service) if name.startswith("LIFELINE_")}
    assert given
    assert given <= known


@pytest.mark.parametrize("service", ["migrate", "ingest-1", "ingest-2", "alerts-1", "alerts-2", "api"])
def test_every_process_gets_values_its_settings_accept(
    stack: Stack, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stack.environment(service).items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert settings.database_url is not None
    assert settings.city == stack.environment(service)["LIFELINE_CITY"]


def test_our_services_run_commands_that_exist(stack: Stack) -> None:
    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    groups = {group.name for group in app.registered_groups}
    asked = {service["command"][0] for service in stack.ours.values() if "entrypoint" not in service}
    assert asked <= commands | groups


def test_only_loopback_addresses_are_published(stack: Stack) -> None:
    published = [port for service in stack.services.values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_the_listener_of_our_own_services_is_not_published(stack: Stack) -> None:
    listener = stack.environment("ingest-1")["LIFELINE_MQTT_URL"].rsplit(":", 1)[1]
    assert listener not in {port.rsplit(":", 1)[1] for port in stack.services["broker"]["ports"]}


def test_nobody_but_the_tool_that_issues_sees_the_key_of_the_authority(stack: Stack) -> None:
    mounting = {
        name
        for name, service in stack.services.items()
        for mount in service.get("volumes", [])
        if mount.split(":")[0] == "authority"
    }
    assert mounting == {"devices"}


def test_private_keys_are_read_by_the_user_who_wrote_them(stack: Stack) -> None:
    holders = ("devices", "broker", "ingest-1", "ingest-2", "alerts-1", "alerts-2")
    assert {stack.services[name]["user"] for name in holders} == {"1883:1883"}


def test_alerts_and_ingest_reach_the_broker_with_a_key_of_their_own(stack: Stack) -> None:
    for name in ("ingest", "alerts"):
        environment = stack.environment(f"{name}-1")
        assert environment["LIFELINE_MQTT_CERTIFICATE_FILE"] == f"/run/broker/{name}.pem"
        assert stack.services[f"{name}-1"]["volumes"] == [f"{name}-certificate:/run/broker:ro"]
        assert "messages" in stack.services[f"{name}-1"]["networks"]


def test_what_alerts_need_to_tell_people_may_be_missing_and_is_in_no_other_process(stack: Stack) -> None:
    files = {name: service["env_file"] for name, service in stack.services.items() if "env_file" in service}
    wanted = [{"path": "alerts.env", "required": False}]
    assert files == {"alerts-1": wanted, "alerts-2": wanted}


def test_the_database_is_reached_by_our_processes_alone(stack: Stack) -> None:
    database = stack.services["database"]
    assert database["networks"] == ["storage"]
    assert "ports" not in database
    assert stack.content["networks"]["storage"] == {"internal": True}
    neighbours = {name for name, service in stack.services.items() if "storage" in service["networks"]}
    assert neighbours - {"database"} == set(stack.ours) & neighbours - {"database"}


def test_ingest_has_no_way_out_but_the_broker_and_the_database(stack: Stack) -> None:
    for name in ("ingest-1", "ingest-2"):
        networks = stack.services[name]["networks"]
        assert all(stack.content["networks"][network] == {"internal": True} for network in networks)


def test_two_ingest_processes_share_the_subscription_under_names_of_their_own(stack: Stack) -> None:
    ingest = [stack.environment(name) for name, service in stack.ours.items() if service["command"] == ["ingest"]]
    assert len(ingest) >= 2
    assert len({environment["LIFELINE_INGEST_INSTANCE"] for environment in ingest}) == len(ingest)
    assert {environment["LIFELINE_INGEST_SHARED_SUBSCRIPTION"] for environment in ingest} == {"true"}


def test_every_image_is_pinned(stack: Stack) -> None:
    images = {name: service["image"] for name, service in stack.services.items()}
    assert [name for name, image in images.items() if ":" not in image or image.endswith(":latest")] == []


def test_every_lasting_service_is_watched_restarted_limited_and_its_log_rotated(stack: Stack) -> None:
    for name, service in _lasting(stack).items():
        assert service["restart"] == "unless-stopped", name
        assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"]), name
        assert service["logging"]["options"]["max-size"], name
        # The API's health check is in the image.
        assert "test" in service.get("healthcheck", {}) or name == "api", name


def test_no_service_keeps_rights_it_does_not_need(stack: Stack) -> None:
    for name, service in stack.services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
    for name, service in stack.ours.items():
        assert service["read_only"] is True, name


def test_what_is_waited_for_is_there_and_can_become_ready(stack: Stack) -> None:
    for name, service in stack.services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in stack.services, name
            assert (how["condition"] == ONE_SHOT) == (needed in _one_shots(stack)), f"{name} waits for {needed}"


def test_every_mounted_file_is_in_the_project(stack: Stack) -> None:
    mounts = [mount for service in stack.services.values() for mount in service.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert files
    assert [file for file in files if not (DEPLOY / file).exists()] == []
    assert [mount for mount in mounts if mount.startswith("./") and not mount.endswith(":ro")] == []


def test_every_named_volume_is_declared_and_used(stack: Stack) -> None:
    mounts = [mount for service in stack.services.values() for mount in service.get("volumes", [])]
    used = {mount.split(":")[0] for mount in mounts if not mount.startswith(("./", "/"))}
    assert used == set(stack.content["volumes"])
