"""A city folder in a zip: shown first, then done as shown; what is no such zip is refused with its reason."""

import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import httpx
import psycopg
import pytest

from simulators.demo_city.folder import write_city
from tests.integration.api.harness import problem_of

PREVIEW, IMPORT = "/register/preview", "/register/import"


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    write_city(tmp_path, seed=1)
    return {file.name: file.read_text("utf-8") for file in sorted(tmp_path.iterdir())}


def with_new_sensor(files: Mapping[str, str], name: str) -> dict[str, str]:
    """The city with a copy of its last sensor under a new name, and another phone of a person."""
    lines = files["sensors.csv"].rstrip("\n").split("\n")
    place = lines[0].strip().split(",").index("sensor")
    fields = lines[-1].split(",")
    fields[place] = name
    phones = files["people.csv"].replace("555-0106", f"555-{name}")
    return {**files, "sensors.csv": "\n".join([*lines, ",".join(fields), ""]), "people.csv": phones}


async def post(api: httpx.AsyncClient, path: str, content: bytes, seen: str | None = None) -> httpx.Response:
    headers = {"Content-Type": "application/zip"} | ({} if seen is None else {"If-Match": f'"{seen}"'})
    return await api.post(path, content=content, headers=headers)


async def test_an_import_does_what_its_preview_has_shown_and_is_audited(
    api: httpx.AsyncClient, city_url: str, files: dict[str, str]
) -> None:
    content = zipped({f"my-city/{name}": text for name, text in with_new_sensor(files, "NEW-1").items()})
    shown = await post(api, PREVIEW, content)
    assert shown.status_code == 200, shown.text
    with psycopg.connect(city_url) as connection:
        assert connection.execute("select count(*) from sensor where id = 'NEW-1'").fetchone() == (0,)
    preview = shown.json()
    parts = {part["part"]: (part["added"], part["changed"]) for part in preview["parts"]}
    assert (parts["sensor"], parts["person"], parts["asset"]) == ((1, 0), (0, 1), (0, 0))
    changes = {(change["part"], change["is_new"]): change for change in preview["changes"]}
    assert changes[("sensor", True)]["name"] == "NEW-1"
    assert changes[("person", False)]["fields"] == [{"field": "phone", "before": "555-0106", "after": "555-NEW-1"}]
    assert preview["more"] == 0
    done = await post(api, IMPORT, content, preview["fingerprint"])
    assert done.status_code == 200, done.text
    assert done.json() == preview
    with psycopg.connect(city_url) as connection:
        assert connection.execute("select count(*) from sensor where id = 'NEW-1'").fetchone() == (1,)
        trail = connection.execute("select after from audit where action = 'register.import'").fetchall()
    wanted = {"sensor": {"added": 1, "changed": 0}, "person": {"added": 0, "changed": 1}}
    assert trail == [({"fingerprint": preview["fingerprint"], "parts": wanted},)]
    assert (await post(api, PREVIEW, content)).json()["changes"] == []


async def test_what_would_change_other_things_than_were_shown_is_refused(
    api: httpx.AsyncClient, city_url: str, files: dict[str, str]
) -> None:
    content = zipped(with_new_sensor(files, "NEW-2"))
    fingerprint = (await post(api, PREVIEW, content)).json()["fingerprint"]
    assert (await post(api, PREVIEW, content)).json()["fingerprint"] == fingerprint
    other = await post(api, IMPORT, zipped(with_new_sensor(files, "NEW-3")), fingerprint)
    assert "look again" in problem_of(other, 412, "changed-meanwhile")["detail"]
    with psycopg.connect(city_url) as connection:
        connection.execute("update person set phone = '1' where phone like '555-%'")
    problem_of(await post(api, IMPORT, content, fingerprint), 412, "changed-meanwhile")
    problem_of(await post(api, IMPORT, content), 422, "not-valid")
    with psycopg.connect(city_url) as connection:
        found = connection.execute("select count(*) from sensor where id in ('NEW-2', 'NEW-3')").fetchone()
    assert found == (0,)


async def test_every_mistake_is_told_with_its_file_line_and_field(
    api: httpx.AsyncClient, files: dict[str, str]
) -> None:
    links = files["links.csv"].split("\n", 1)[0]
    wrong = "\n".join([links.strip(), *["A,B,C,D"] * 60, ""])
    problem = problem_of(await post(api, PREVIEW, zipped({**files, "links.csv": wrong})), 422, "not-valid")
    assert {"links.csv, line 2, length_m", "links.csv, line 61, length_m"} <= {
        one["field"] for one in problem["errors"]
    }
    partial = problem_of(await post(api, PREVIEW, zipped({"sensors.csv": files["sensors.csv"]})), 422, "not-valid")
    assert partial["errors"][0]["field"] == "city.toml"


async def test_files_that_no_city_folder_knows_are_named(api: httpx.AsyncClient, files: dict[str, str]) -> None:
    answer = await post(api, PREVIEW, zipped({**files, "notes.doc": "x", "__MACOSX/._x": "", "deep/city.toml": ""}))
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["ignored"]) >= {"notes.doc", "deep/city.toml"}


def _link() -> bytes:
    held = io.BytesIO()
    entry = zipfile.ZipInfo("sensors.csv")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(entry, "/etc/hostname")
    return held.getvalue()


def _encrypted() -> bytes:
    content = bytearray(zipped({"city.toml": "x"}))
    for head, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(head) + flags] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "cannot be read", id="nothing"),
        pytest.param(b"PK\x03\x04 and no more", "cannot be read", id="no zip"),
        pytest.param(zipped({"../sensors.csv": "x"}), "leads out", id="upwards"),
        pytest.param(zipped({"/etc/sensors.csv": "x"}), "leads out", id="absolute"),
        pytest.param(zipped({f"{number}.txt": "" for number in range(201)}), "more than 200", id="many entries"),
        pytest.param(zipped({"readme.txt": "x"}), "no file of a city folder", id="other files"),
        pytest.param(_link(), "is a link", id="link"),
        pytest.param(_encrypted(), "is encrypted", id="encrypted"),
    ],
)
async def test_a_zip_that_is_not_taken_is_refused_with_its_reason(
    api: httpx.AsyncClient, content: bytes, reason: str
) -> None:
    problem = problem_of(await post(api, PREVIEW, content), 422, "not-valid")
    assert reason in problem["errors"][0]["reason"]


async def test_a_zip_that_unpacks_to_too_much_is_refused(api: httpx.AsyncClient) -> None:
    content = bytearray(zipped({"assets.geojson": bytes(101 << 20)}))
    honest = problem_of(await post(api, PREVIEW, bytes(content)), 422, "not-valid")
    assert "unpacks to more than 100 MiB" in honest["errors"][0]["reason"]
    said_bytes = content.index(b"PK\x01\x02") + 24
    content[said_bytes : said_bytes + 4] = (1000).to_bytes(4, "little")
    problem_of(await post(api, PREVIEW, bytes(content)), 422, "not-valid")
