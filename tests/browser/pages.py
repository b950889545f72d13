"""Every main page and form of the dashboard: its address, and what is there when it has arrived."""

from playwright.async_api import Page, expect

PAGES = {
    "": "alert-list",
    "alerts/{alert}": "alert-page",
    "storm": "storm-page",
    "sensors": "sensor-table",
    "sensors/{sensor}": "sensor-page",
    "figures": "figure-clocks",
    "silences": "silences-now",
    "duty": "rota-form",
    "receivers": "receiver-add",
    "notifications": "deliveries-all",
    "policies": "policy-in-force",
    "rejections": "page-rejections",
    "users": "user-table",
    "keys": "key-table",
    "import": "import-form",
    "rules": "rule",
    "depots": "page-depots",
    "handovers": "page-handovers",
    "bridges/{bridge}": "bridge-page",
    "wall": "wall-page",
    "incidents": "incidents-page",
    "plans": "plan-table",
    "plans/default-gas-leak": "plan-page",
    "assets": "asset-table",
    "assets/{asset}": "asset-page",
    "audit": "audit-table",
    "field": "field-page",
}
STORY_PAGES = {"incidents/{incident}": "incident-page"}
"""Those that are there only when something has happened."""
FORMS = {
    "sensors/{sensor}": ("thresholds-write", "thresholds-form"),
    "silences": ("silence-add", "silence-form"),
    "receivers": ("receiver-add", "receiver-form"),
    "policies": ("policy-write", "policy-form"),
    "alerts/{alert}": ("shelve", "shelve-hours"),
    "users": ("user-add", "user-form"),
    "keys": ("key-add", "key-form"),
    "rules": ("rule-write", "rule-form"),
    "depots": ("depot-add", "depot-form"),
    "handovers": ("handover-add", "handover-form"),
    "plans/default-gas-leak": ("plan-write", "plan-form"),
}
"""What opens the form of a page, and what is there when it is open."""
_ARRIVES_MS = 20_000


async def visit(page: Page, address: str, place: str, **named: str) -> None:
    """Go to a page, and wait until it is there."""
    await page.goto(f"{address}#/{place.format(**named)}")
    await expect(page.get_by_test_id((PAGES | STORY_PAGES)[place]).first).to_be_visible(timeout=_ARRIVES_MS)


async def open_form(page: Page, place: str) -> None:
    """Open the form of the page that is shown, and wait until it is there."""
    opener, opened = FORMS[place]
    await page.get_by_test_id(opener).first.click()
    await expect(page.get_by_test_id(opened).first).to_be_visible(timeout=_ARRIVES_MS)
