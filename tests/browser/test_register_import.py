"""The register's import in a real browser: mistakes as a list, what would change as a table, and then done."""

from pathlib import Path

import psycopg
import pytest
from playwright.async_api import FilePayload, Page, expect

from simulators.demo_city.folder import write_city
from tests.browser.chromium import marks, opened_page
from tests.browser.conftest import sign_in, visit
from tests.browser.test_accessibility import violations
from tests.integration.api.test_register_import import with_new_sensor, zipped

pytestmark = marks


def city_zip(files: dict[str, str]) -> FilePayload:
    return {"name": "city.zip", "mimeType": "application/zip", "buffer": zipped(files)}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """The demo city with a new sensor and another phone."""
    write_city(tmp_path, seed=1)
    return with_new_sensor({file.name: file.read_text("utf-8") for file in sorted(tmp_path.iterdir())}, "NEW-7")


async def test_a_city_folder_is_mended_looked_at_and_imported(desk: Page, city_url: str, files: dict[str, str]) -> None:
    await visit(desk, "import")
    wrong = {**files, "links.csv": files["links.csv"].rstrip("\n") + "\nA,B,none,1\n"}
    await desk.get_by_test_id("import-file").set_input_files(city_zip(wrong))
    await desk.get_by_test_id("import-look").click()
    await expect(desk.get_by_test_id("import-faults")).to_contain_text("kind")
    await expect(desk.get_by_test_id("import-apply")).to_have_count(0)
    await desk.get_by_test_id("import-file").set_input_files(city_zip(files))
    await desk.get_by_test_id("import-look").click()
    await expect(desk.locator("[data-change='NEW-7']")).to_contain_text("new")
    await expect(desk.get_by_test_id("import-faults")).to_have_count(0)
    assert await violations(desk) == []
    with psycopg.connect(city_url) as connection:
        connection.execute("update person set phone = '1' where phone = '555-0106'")
    await desk.get_by_test_id("import-apply").click()
    await desk.get_by_test_id("import-again").click()
    await expect(desk.get_by_test_id("import-changes")).to_contain_text("555-NEW-7")
    await desk.get_by_test_id("import-apply").click()
    await expect(desk.get_by_test_id("import-done")).to_contain_text("1 added, 1 changed")
    with psycopg.connect(city_url) as connection:
        assert connection.execute("select count(*) from sensor where id = 'NEW-7'").fetchone() == (1,)


async def test_whoever_is_no_administrator_is_not_shown_the_way_to_the_import(address: str) -> None:
    async with opened_page() as page:
        await sign_in(page, address, "read")
        await page.goto(f"{address}/#/duty")
        await expect(page.get_by_test_id("office-audit")).to_be_visible()
        await expect(page.get_by_test_id("office-import")).to_have_count(0)
