"""A real Chromium for the tests: pages that notice every complaint and every foreign request."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

SIZES = {390: 844, 1280: 900}
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SCREENSHOTS = Path(__file__).parent.parent / "screenshots"
_FLAGS = [
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


class Visit:
    """A page in a window of its own, and all that went wrong in it.

    ``expected`` holds patterns of console messages that a test provokes on purpose.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.expected: list[str] = []
        page.set_default_timeout(20_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        page.context.on("request", self._request)

    def open(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        width = (self.page.viewport_size or {"width": 0})["width"]
        self.page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png", full_page=True)

    def accessibility_violations(self) -> list[str]:
        """Return what axe-core finds, one line for each rule and element."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{rule['impact']} {rule['id']}: {node['html'][:200]}"
            for rule in found
            for node in rule["nodes"]
        ]

    def unexpected(self) -> list[str]:
        return [
            each
            for each in self.complaints
            if not any(re.search(pattern, each) for pattern in self.expected)
        ]

    def _console(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text} {message.location}")

    def _request(self, request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and not request.url.startswith(self.url):
            self.complaints.append(f"request to another host: {request.url}")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(
    browser: Browser,
    url: str,
    width: int = 1280,
    scheme: str = "light",
    *,
    javascript: bool = True,
) -> Iterator[Visit]:
    """Open a window; in the end nothing unexpected may have happened in it."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme=scheme,
        locale="en-US",
        timezone_id="UTC",
        accept_downloads=True,
        java_script_enabled=javascript,
    )
    try:
        visit = Visit(context.new_page(), url)
        yield visit
        assert visit.unexpected() == []
    finally:
        context.close()


REPORT = """<!doctype html><html lang="en"><title>Report</title><style>h1 {color: #b00}</style>
<h1>The report</h1><p id="said"></p><script>
document.getElementById("said").textContent = "drawn by its own script";
fetch("/v1/models").then(() => "read", () => "refused").then((word) => document.title = word);
</script></html>"""


def home_with_report(trained_once: Path, folder: Path) -> Path:
    """Copy a trained home and give its model the report that a family would write."""
    home = folder / "home"
    shutil.copytree(trained_once, home)
    card_file = next((home / "models").glob("*/card.json"))
    card_file.with_name("report.html").write_text(REPORT)
    card = json.loads(card_file.read_text())
    card["files"]["report.html"] = hashlib.sha256(REPORT.encode()).hexdigest()
    card_file.write_text(json.dumps(card))
    return home
