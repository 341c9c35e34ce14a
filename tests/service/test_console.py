"""The page for people, walked through in a real Chromium against a real server with real banks."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect, sync_playwright

from banks.decision.odd_parts import OddPart
from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from models.preparation.roi import Roi, read_roi
from models.readers import read_files
from service.http.keys import Keys
from service.http.roles import ROLES
from service.settings import Settings
from tests.conftest import SMALL
from tests.faults.warm import Warm
from tests.service.proxy import NGINX, proxied

CHROMIUM = shutil.which("chromium") or ""
SCREENSHOT = os.environ.get("TRIBANK_SCREENSHOT")
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="Chromium is not installed: apt-get install chromium"
)
ARGUMENTS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",  # only what WebGL draws needs the emulated GPU
]
LOCAL: dict[str, Any] = {"trust_env": False, "verify": False}
"""How a server on loopback is asked: without a proxy, and without certificates, which take longer to read
than all else of a request."""
ORIENTATION = 0x0112
"""The EXIF tag that says how to turn a picture."""
SOURCE = Path(__file__).parents[2] / "service" / "console"


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    """One tab for all tests: a new tab costs Chromium more than the page does. Each test leaves the page.

    On a busy machine the page's server can need longer than the five seconds that Playwright waits by itself.
    """
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser.new_page(viewport={"width": 1280, "height": 1500})
        browser.close()


def leave(tab: Page) -> None:
    """Leave the page, so that the next test finds nothing of this one."""
    tab.evaluate("sessionStorage.clear()")
    tab.emulate_media(color_scheme="null")
    tab.goto("about:blank")


@pytest.fixture
def running(small_banks: Path, tmp_path: Path, serve: Callable[..., Any]) -> Iterator[Any]:
    """Versions v1 (active) and v2 of the small product."""
    shutil.copytree(small_banks, tmp_path / "banks", symlinks=True)
    shutil.copytree(tmp_path / "banks" / SMALL / "v1", tmp_path / "banks" / SMALL / "v2")
    with serve(Settings(banks=tmp_path / "banks", deadline_s=120), None) as running:
        yield running


@pytest.fixture
def may_build(tmp_path: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build waits for this file before it begins."""
    file = tmp_path / "may-build"
    waits = ("sh", "-c", 'until [ -e "$0" ]; do sleep 0.05; done; exec "$@"', str(file))
    monkeypatch.setattr("service.commands.TRIBANK", (*waits, *warm.tribank))
    return file


@pytest.fixture(scope="module")
def without_banks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server without any product, for what no bank has a part in."""
    from tests.service.conftest import OneProduct, serving

    settings = Settings(banks=tmp_path_factory.mktemp("banks"))
    with serving(settings, OneProduct(), wait=False) as running:
        yield running


@contextmanager
def opened(tab: Page, running: Any) -> Iterator[Page]:
    """A page that fails its test when it says anything to its console or asks another host."""
    faults: list[str] = []
    listeners: dict[Any, Callable[[Any], None]] = {
        "pageerror": lambda error: faults.append(str(error)),
        "console": lambda told: faults.append(told.text) if told.type == "error" else None,
        "request": lambda asked: (
            None if asked.url.startswith((running.url, "blob:", "data:")) else faults.append(asked.url)
        ),
    }
    for event, listener in listeners.items():
        tab.on(event, listener)
    tab.goto(running.url)
    yield tab
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    leave(tab)
    assert faults == []


@pytest.fixture
def page(tab: Page, running: Any) -> Iterator[Page]:
    """The page of a server with banks."""
    with opened(tab, running) as page:
        yield page


@pytest.fixture
def bare_page(tab: Page, without_banks: Any) -> Iterator[Page]:
    """The page of a server without banks."""
    with opened(tab, without_banks) as page:
        yield page


@pytest.fixture
def defect(small_product: Path) -> list[Path]:
    folder = next(path for path in sorted((small_product / "test").iterdir()) if path.name != "good")
    return [next((folder / kind).iterdir()) for kind in ("rgb", "xyz")]


def agree(page: Page, answer: str) -> None:
    """Answer what the page asks before it changes something."""
    page.get_by_role("dialog").get_by_role("button", name=answer, exact=True).click()


def choose(page: Page, files: list[Path]) -> None:
    page.locator("#files").set_input_files([str(file) for file in files])
    page.locator("#score").click()
    expect(page.locator("#verdict")).to_contain_text("threshold", timeout=60_000)


@needs_chromium
@pytest.mark.slow
def test_a_newcomers_walk(page: Page, running: Any, defect: list[Path], tmp_path: Path) -> None:
    expect(page.locator("#product")).to_have_value(SMALL)
    expect(page.locator("#calibration")).to_contain_text("held-out good parts")
    choose(page, defect)
    (kept,) = httpx.get(f"{running.url}/v1/results", **LOCAL).json()["results"]
    expect(page.locator("#verdict")).to_have_class(kept["decision"])
    captions = page.locator("#maps figcaption").all_text_contents()
    assert captions[:3] == ["result, fixed scale", "RGB", "depth"]
    assert [caption.split()[0] for caption in captions[3:]] == ["rgb", "relief", "colour", "fused"]
    expect(page.locator("#facts tr")).to_have_count(5)
    expect(page.locator("#facts img[src^=blob]")).to_have_count(4)
    expect(page.locator("#results li")).to_have_count(1)
    cloud = page.locator("#cloud canvas")
    assert int(cloud.get_attribute("data-points") or 0) > 1000
    before = seen(cloud, tmp_path)
    assert len(np.unique(before.reshape(-1, 3), axis=0)) > 500, "the cloud was not drawn"
    cloud.focus()
    page.keyboard.press("ArrowLeft")
    turned = seen(cloud, tmp_path)
    assert (before != turned).any(axis=2).mean() > 0.05
    page.keyboard.press("+")
    assert (seen(cloud, tmp_path) != turned).any(axis=2).mean() > 0.05
    if SCREENSHOT:
        page.screenshot(path=SCREENSHOT, full_page=True)


@needs_chromium
@pytest.mark.slow
def test_nothing_is_asked_of_a_product_before_one_is_known(tab: Page, running: Any) -> None:
    def holds(_: Route) -> None: ...

    tab.route("**/v1/products", holds)
    with opened(tab, running) as page:
        buttons = page.locator("[data-of-product]")
        expect(page.locator("#score")).to_be_disabled()
        assert not any(button.is_enabled() for button in buttons.all())
        tab.unroute("**/v1/products", holds)  # what is held goes on
        expect(page.locator("#score")).to_be_enabled()
        assert all(button.is_enabled() for button in buttons.all())


def seen(canvas: Any, folder: Path) -> np.ndarray:
    canvas.screenshot(path=folder / "canvas.png")
    return np.asarray(Image.open(folder / "canvas.png").convert("RGB")).astype(int)


@needs_chromium
@pytest.mark.slow
def test_a_part_that_shows_too_little_surface_is_told(page: Page, defect: list[Path], tmp_path: Path) -> None:
    part = read_files({"rgb": defect[0], "xyz": defect[1]})
    np.savez(tmp_path / "part.npz", rgb=part.rgb, xyz=part.xyz)
    choose(page, [tmp_path / "part.npz"])
    coverage = page.locator("#facts tr", has_text="coverage")
    expect(coverage).to_have_count(0)
    left = np.arange(part.xyz.shape[1]) < part.xyz.shape[1] // 2
    np.savez(tmp_path / "half.npz", rgb=part.rgb, xyz=np.where(left[:, None], 0, part.xyz))
    page.locator("#files").set_input_files(tmp_path / "half.npz")
    page.locator("#score").click()
    expect(coverage).to_contain_text("surface", timeout=60_000)
    expect(coverage).to_contain_text("mm²")


@needs_chromium
@pytest.mark.slow
def test_a_region_of_interest_is_drawn_and_saved(bare_page: Page, tmp_path: Path) -> None:
    """By mouse and by keys, on a picture that EXIF says to turn: the service takes the pixels as stored."""
    page = bare_page
    turned = Image.Exif()
    turned[ORIENTATION] = 6
    Image.new("RGB", (300, 200), "grey").save(tmp_path / "part.jpg", exif=turned)
    page.locator("#roi-picture").set_input_files(tmp_path / "part.jpg")
    state, drawn = page.locator("#roi-state"), page.locator("#roi-polygons tr")
    expect(state).to_contain_text("300 x 200")
    page.locator("#roi-save").click()
    expect(page.locator("#problem")).to_contain_text("polygon")
    drawing = page.locator("#roi-drawing")
    box = drawing.bounding_box()
    assert box is not None

    def corner(x: int, y: int) -> None:
        assert box is not None
        drawing.click(position={"x": x * box["width"] / 300, "y": y * box["height"] / 200})

    for x, y in ((30, 20), (270, 20), (270, 180), (30, 180)):
        corner(x, y)
    page.locator("#roi-close").click()
    for x, y in ((10, 10), (50, 10), (50, 50)):
        corner(x, y)
    page.locator("#roi-close").click()
    expect(drawn).to_have_count(2)
    page.locator("#roi-undo").click()
    expect(drawn).to_have_count(1)
    corner(60, 150)
    for key in ("ArrowUp", "ArrowRight", "ArrowDown", "Shift+ArrowLeft"):
        for _ in range(10):
            page.keyboard.press(key)
        page.keyboard.press("Space")
    expect(state).to_contain_text("The cross is at 80, 150")
    expect(drawn.last).to_contain_text("5 corners")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    expect(drawn.last).to_contain_text("4 corners")
    page.get_by_label("look at in polygon 1").select_option("nothing")
    page.get_by_label("look at in polygon 2").select_option("nothing")
    page.locator("#roi-save").click()
    expect(page.locator("#problem")).to_contain_text("Nothing is looked at")
    page.get_by_label("look at in polygon 1").select_option("both")
    page.get_by_label("look at in polygon 2").select_option("shape")
    page.get_by_label("look at elsewhere").select_option("colour")
    with page.expect_download() as saved:
        page.locator("#roi-save").click()
    expect(page.locator("#problem")).to_be_hidden()
    assert saved.value.suggested_filename == "roi.json"
    content = saved.value.path().read_bytes()
    expected = np.full((200, 300), 1, np.uint8)
    expected[20:180, 30:270] = 3
    expected[120:150, 60:90] = 2
    assert np.array_equal(read_roi(content, (200, 300)).bits, expected)
    assert (json.loads(content)["width"], json.loads(content)["height"]) == (300, 200)


@needs_chromium
@pytest.mark.slow
def test_the_region_of_interest_in_use_is_shown(page: Page, defect: list[Path], tmp_path: Path) -> None:
    with Image.open(defect[0]) as picture:
        width, height = picture.size
    content = Roi(np.full((height, width), 3, np.uint8)).to_png()
    version = tmp_path / "banks" / SMALL / "v1"
    (version / "roi.png").write_bytes(content)
    manifest = Manifest.read(version)
    files = {**manifest.files, "roi.png": hashlib.sha256(content).hexdigest()}
    manifest.model_copy(update={"files": files}).write(version)
    expect(page.locator("#state")).to_contain_text("serving")
    page.get_by_role("button", name="Show the region").click()
    kept = page.get_by_alt_text(f"region of interest of {SMALL} v1")
    expect(kept).to_be_visible()
    expect(kept).to_have_js_property("naturalWidth", width)


@needs_chromium
@pytest.mark.slow
def test_files_are_dropped_from_outside(page: Page, running: Any, defect: list[Path]) -> None:
    expect(page.locator("#product")).to_have_value(SMALL)
    drag(page, "dragEnter", defect)
    drag(page, "dragOver", defect)
    expect(page.locator("#drop")).to_have_class("over")
    drag(page, "drop", defect)
    expect(page.locator("#verdict")).to_contain_text("threshold", timeout=60_000)
    expect(page.locator("#drop")).not_to_have_class("over")
    (kept,) = httpx.get(f"{running.url}/v1/results", **LOCAL).json()["results"]
    assert kept["part_id"] == defect[0].stem
    expect(page.locator("#verdict")).to_have_class(kept["decision"])


def drag(page: Page, kind: str, files: list[Path]) -> None:
    """What a file manager's drag does: the browser makes the DragEvent itself."""
    box = page.locator("#drop").bounding_box()
    assert box is not None
    page.context.new_cdp_session(page).send(
        "Input.dispatchDragEvent",
        {
            "type": kind,
            "x": box["x"] + 10,
            "y": box["y"] + 10,
            "data": {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1},
        },
    )


@needs_chromium
@pytest.mark.slow
def test_results_come_while_the_line_runs(
    tab: Page,
    serve: Callable[..., Any],
    small_banks: Path,
    make_loader: Any,
    make_detector: Any,
    part: dict[str, bytes],
    bad_part: dict[str, bytes],
) -> None:
    """Filter and keyboard focus stay; the list does not grow beyond its tab, and what left it can be had."""
    with serve(Settings(banks=small_banks), make_loader(make_detector(SMALL))) as running:

        def line(name: str, files: dict[str, bytes]) -> None:
            url = f"{running.url}/v1/products/{SMALL}/score"
            httpx.post(url, files=files, data={"part_id": name}, **LOCAL).raise_for_status()

        line("first", bad_part)
        tab.goto(running.url)
        tab.locator("#decision").select_option("defective")
        expect(tab.locator("#results li")).to_have_count(1)
        tab.get_by_role("button", name="was defective").focus()
        line("fine", part)
        line("second", bad_part)
        expect(tab.locator("#results li").first).to_contain_text("second", timeout=20_000)
        expect(tab.locator("#results li")).to_have_count(2)
        expect(tab.locator("#decision")).to_have_value("defective")
        first = tab.locator("#results li").last
        expect(first.get_by_role("button", name="was defective")).to_be_focused()
        (kept,) = [r for r in _results(running.url) if r["part_id"] == "first"]
        path = f"{running.url}/v1/results/{kept['result_id']}/feedback"
        httpx.put(path, json={"verdict": "good"}, **LOCAL).raise_for_status()
        pressed = first.get_by_role("button", name="was good")
        expect(pressed).to_have_attribute("aria-pressed", "true", timeout=20_000)
        for number in range(20):
            line(f"more {number}", bad_part)
        expect(tab.locator("#results li").first).to_contain_text("more 19", timeout=20_000)
        expect(tab.locator("#results li")).to_have_count(22)
        for number in range(20, 30):
            line(f"more {number}", bad_part)
        expect(tab.locator("#results li").first).to_contain_text("more 29", timeout=20_000)
        expect(first.get_by_role("button", name="was defective")).to_be_focused()
        tab.locator("#decision").focus()
        expect(tab.locator("#results li")).to_have_count(24, timeout=20_000)
        tab.locator("#older").click()
        expect(tab.locator("#results li")).to_have_count(32)
        names = tab.locator("#results li div").all_text_contents()
        assert [name.partition(",")[0] for name in names[-2:]] == ["second", "first"]
        leave(tab)


def _results(url: str) -> list[dict[str, Any]]:
    return httpx.get(f"{url}/v1/results", **LOCAL).json()["results"]


@needs_chromium
@pytest.mark.slow
def test_the_threshold_is_tried_and_then_used(page: Page, running: Any, defect: list[Path]) -> None:
    choose(page, defect)
    expect(page.locator("#rejects")).to_contain_text("of the last 1 parts")
    page.locator("#threshold").focus()
    page.keyboard.press("Home")
    expect(page.locator("#rejects")).to_contain_text("rejects 1 of the last 1 parts")
    page.keyboard.press("End")
    expect(page.locator("#rejects")).to_contain_text("rejects 0 of the last 1 parts")
    calibrated = page.locator("#calibration").text_content() or ""
    page.locator("#use").click()
    agree(page, "Use it")
    expect(page.locator("#calibration")).not_to_have_text(calibrated)
    shown = httpx.get(f"{running.url}/v1/products/{SMALL}", **LOCAL).json()["calibration"]
    assert (shown["basis"], shown["rejected_parts"]) == ("set", 0)
    page.locator("#reset").click()
    agree(page, "Go back")
    expect(page.locator("#calibration")).to_have_text(calibrated)


@needs_chromium
@pytest.mark.slow
def test_what_people_say_of_a_part_is_kept(page: Page, running: Any, defect: list[Path]) -> None:
    choose(page, defect)
    expect(page.locator("#results img")).to_have_attribute("src", re.compile("^blob:"))
    page.get_by_role("button", name="was good").click()
    expect(page.get_by_role("button", name="was good")).to_have_attribute("aria-pressed", "true")
    (kept,) = httpx.get(f"{running.url}/v1/results", **LOCAL).json()["results"]
    assert kept["verdict"] == "good"
    page.get_by_role("button", name="was good").click()
    expect(page.get_by_role("button", name="was good")).to_have_attribute("aria-pressed", "false")
    other = "good" if kept["decision"] == "defective" else "defective"
    page.locator("#decision").select_option(other)
    expect(page.locator("#results li")).to_have_count(0)


@needs_chromium
@pytest.mark.slow
def test_versions_change_hands(page: Page, running: Any) -> None:
    url = f"{running.url}/v1/products/{SMALL}/versions/v2/threshold"
    httpx.put(url, json={"threshold": 0.0}, **LOCAL).raise_for_status()
    page.reload()
    first, second = (page.locator("#versions tr").nth(row) for row in range(2))
    expect(first).to_contain_text(re.compile(r"rejects \d of \d held-out good parts.*; threshold .*active"))
    expect(second).to_contain_text(re.compile(r"rejects [1-7] of [1-7] held-out good parts.*; threshold 0"))
    page.get_by_role("button", name="Activate v2").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"v2 scores the parts of {SMALL}")
    agree(page, "Change nothing")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert httpx.get(f"{running.url}/v1/products/{SMALL}", **LOCAL).json()["bank_version"] == "v1"
    page.get_by_role("button", name="Activate v2").click()
    agree(page, "Activate v2")
    expect(page.get_by_role("button", name="Activate v1")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Roll back").click()
    agree(page, "Roll back")
    expect(page.get_by_role("button", name="Activate v2")).to_be_visible(timeout=60_000)


@needs_chromium
@pytest.mark.slow
def test_an_odd_part_is_looked_at_and_called_good(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "banks" / SMALL / "v2"
    manifest = Manifest.read(folder)
    name = manifest.training_parts[0]
    odd = OddPart(name, 2 * manifest.calibration.threshold, 1.0)
    manifest.model_copy(update={"calibration": replace(manifest.calibration, odd=(odd,))}).write(folder)
    page.reload()
    second = page.locator("#versions tr").nth(1)
    expect(second).to_contain_text(f"Far outside the others: {name}")
    expect(second.get_by_alt_text(f"good part {name}")).to_be_visible()
    second.get_by_role("button", name="It is good").click()
    expect(second).not_to_contain_text("Far outside")
    expect(second).to_contain_text(f"of {manifest.calibration.count + 1} held-out good parts")


@needs_chromium
@pytest.mark.slow
def test_a_version_is_built_watched_and_used(
    page: Page, small_product: Path, tmp_path: Path, may_build: Path
) -> None:
    zipped = shutil.make_archive(str(tmp_path / "good"), "zip", small_product / "test" / "good")
    page.locator("#zip").set_input_files(zipped)
    page.get_by_role("button", name="Build", exact=True).click()
    expect(page.locator("#jobs progress")).to_be_visible(timeout=60_000)
    may_build.touch()
    page.get_by_role("button", name="Use v3").click(timeout=120_000)
    agree(page, "Activate v3")
    expect(page.locator("#state")).to_contain_text("6 good parts")
    expect(page.get_by_role("button", name="Activate v1")).to_be_visible()


@needs_chromium
@pytest.mark.slow
@pytest.mark.usefixtures("quick_builds")
def test_a_rejected_part_that_was_good_is_added(page: Page, running: Any, defect: list[Path]) -> None:
    url = f"{running.url}/v1/products/{SMALL}/versions/v1/threshold"
    httpx.put(url, json={"threshold": 0.0}, **LOCAL).raise_for_status()
    choose(page, defect)
    page.get_by_role("button", name="was good").click()
    page.get_by_role("button", name="Add the rejected parts").click()
    page.get_by_role("button", name="Use v3").click(timeout=120_000)
    agree(page, "Activate v3")
    expect(page.locator("#state")).to_contain_text("6 good parts")


@needs_chromium
@pytest.mark.slow
@pytest.mark.usefixtures("may_build")
def test_a_build_is_stopped_from_the_page(page: Page, small_product: Path, tmp_path: Path) -> None:
    zipped = shutil.make_archive(str(tmp_path / "good"), "zip", small_product / "train" / "good")
    page.locator("#zip").set_input_files(zipped)
    page.locator("#new-product").fill("other")
    page.get_by_role("button", name="Build", exact=True).click()
    page.get_by_role("button", name="Cancel").click(timeout=60_000)
    agree(page, "Cancel it")
    expect(page.locator("#jobs")).to_contain_text("cancelled", timeout=30_000)


@needs_chromium
@pytest.mark.slow
def test_a_refusal_is_told_in_the_services_words(tab: Page, running: Any, defect: list[Path]) -> None:
    tab.goto(running.url)
    expect(tab.locator("#product")).to_have_value(SMALL)
    tab.locator("#files").set_input_files(str(defect[0]))
    tab.locator("#score").click()
    expect(tab.locator("#problem")).to_contain_text("Choose an image and a cloud")
    tab.locator("#files").set_input_files([str(defect[0]), str(SOURCE / "package.json")])
    tab.locator("#score").click()
    expect(tab.locator("#problem")).to_be_visible()
    leave(tab)


@needs_chromium
@pytest.mark.slow
def test_what_the_page_does_by_itself_does_not_take_a_refusal_away(
    tab: Page, running: Any, defect: list[Path]
) -> None:
    """The last thing that a new page asks for is held back until somebody was refused."""

    def holds(_: Route) -> None: ...

    tab.route("**/v1/jobs*", holds)
    with opened(tab, running) as page:
        page.locator("#files").set_input_files(str(defect[0]))
        page.locator("#score").click()
        expect(page.locator("#problem")).to_contain_text("Choose an image and a cloud")
        with page.expect_response("**/v1/jobs*"):
            tab.unroute("**/v1/jobs*", holds)  # what is held goes on
        page.wait_for_timeout(200)
        expect(page.locator("#problem")).to_contain_text("Choose an image and a cloud")


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_light_and_dark(bare_page: Page, scheme: Any) -> None:
    page = bare_page
    page.emulate_media(color_scheme=scheme)
    ground, text = page.evaluate(
        "(s => [s.backgroundColor, s.color].map(c => c.match(/\\d+/g).slice(0, 3).map(Number)))"
        "(getComputedStyle(document.body))"
    )
    assert (sum(ground) > sum(text)) == (scheme == "light")
    assert abs(sum(ground) - sum(text)) > 450


@needs_chromium
@pytest.mark.slow
def test_with_keys_the_page_asks_for_one(
    tab: Page, serve: Callable[..., Any], small_banks: Path, tmp_path: Path
) -> None:
    secret = Keys(tmp_path).add("desk", "manage")
    with serve(Settings(banks=small_banks, open_metrics=True), None, state=tmp_path) as running:
        tab.goto(running.url)
        expect(tab.locator("#problem")).to_contain_text("API key")
        tab.locator("#key").fill(secret)
        tab.keyboard.press("Enter")
        expect(tab.locator("#product")).to_have_value(SMALL)
        expect(tab.locator("#problem")).to_be_hidden()
        leave(tab)


@needs_chromium
@pytest.mark.slow
def test_the_page_shows_what_the_key_may_do(
    tab: Page, serve: Callable[..., Any], loader: Any, tmp_path: Path
) -> None:
    keys = Keys(tmp_path / "state")
    changes = ("#use", "#reset", "#rollback", "#delete", "#build")
    with serve(Settings(banks=tmp_path / "banks"), loader, state=tmp_path / "state") as running:
        for role in ROLES:
            secret = keys.add(f"key-{role}", role)
            tab.goto(running.url)
            tab.locator("#key").fill(secret)
            tab.keyboard.press("Enter")
            expect(tab.locator("#who")).to_have_text(f"key-{role} ({role})")
            expect(tab.locator("#score")).to_be_visible(visible=role != "read")
            for control in changes:
                expect(tab.locator(control)).to_be_visible(visible=role == "manage")
            leave(tab)


@needs_chromium
@pytest.mark.slow
def test_a_product_is_deleted_by_who_types_its_name(page: Page, running: Any, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "banks" / SMALL / "v1", tmp_path / "banks" / "other" / "v1")
    page.reload()
    page.locator("#product").select_option(SMALL)
    page.get_by_role("button", name="Delete the product").click()
    agree(page, f"Delete {SMALL}")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Type its name").fill(SMALL)
    agree(page, f"Delete {SMALL}")
    expect(page.locator(f"#product option[value={SMALL}]")).to_have_count(0)
    assert not (tmp_path / "banks" / SMALL / "v1").exists()


@needs_chromium
@pytest.mark.slow
@pytest.mark.skipif(NGINX is None, reason="needs nginx")
def test_the_page_works_below_a_path_of_a_proxy(
    tab: Page, serve: Callable[..., Any], loader: Any, part: dict[str, bytes], tmp_path: Path
) -> None:
    secret = Keys(tmp_path / "state").add("desk", "manage")
    settings = Settings(banks=tmp_path / "banks")
    with (
        serve(settings, loader, state=tmp_path / "state") as running,
        proxied(tmp_path, f"location /tribank/ {{ proxy_pass {running.url}/; }}") as address,
    ):
        tab.goto(f"{address}/tribank/")
        tab.locator("#key").fill(secret)
        tab.keyboard.press("Enter")
        expect(tab.locator("#product")).to_have_value("cookie")
        leave(tab)


@needs_chromium
@pytest.mark.slow
def test_a_version_goes_to_one_server_and_then_to_the_others(
    tab: Page, small_banks: Path, tmp_path: Path, free_port: int, serve: Callable[..., Any]
) -> None:
    """The version has another name on the second server, and the third lacks it. The fourth is down, and the
    fifth does not allow the page. At the end the second server no longer knows the key."""
    origin = f"http://127.0.0.1:{free_port}"
    secret = Keys(tmp_path / "a").add("anna", "manage")
    versions = {"a": ("v1", "v2"), "b": ("v1", "v3"), "c": ("v1",), "e": ("v1",)}
    with ExitStack() as stack:
        closed = stack.enter_context(socket.socket())
        closed.bind(("127.0.0.1", 0))
        addresses = {"a": origin, "d": "http://{}:{}".format(*closed.getsockname())}
        for name in ("b", "c", "e", "a"):
            banks, state = tmp_path / f"banks-{name}", tmp_path / name
            for version in versions[name]:
                copy = shutil.copytree(small_banks / SMALL / "v1", banks / SMALL / version)
                if version != "v1":
                    later = {"created": datetime(2100, 1, 1, tzinfo=UTC)}
                    Manifest.read(copy).model_copy(update=later).write(copy)
            BankStore(banks).activate(SMALL, "v1")
            if name != "a":
                shutil.copytree(tmp_path / "a", state)
            listed = ",".join(f"{name}={addresses[name]}" for name in sorted(addresses))
            settings = Settings(
                banks=banks,
                deadline_s=120,
                servers=listed if name == "a" else "",
                origins=origin if name in "bc" else "",
            )
            port = free_port if name == "a" else 0
            running = stack.enter_context(serve(settings, None, state=state, port=port))
            addresses[name] = running.url
        tab.goto(origin)
        tab.locator("#key").fill(secret)
        tab.keyboard.press("Enter")
        tab.get_by_role("button", name="All servers").click()
        expect(tab.locator("#h-servers")).to_be_focused()
        states = tab.locator("#servers-state tr")
        expect(states.nth(3).locator("[data-reason=unreachable]")).to_be_visible()
        expect(states.nth(4).locator("[data-reason=origin]")).to_contain_text(f"TRIBANK_ORIGINS={origin}")
        cells = tab.locator("#servers-products td")
        expect(cells).to_have_count(3)
        expect(cells.locator(".differs")).to_have_count(0)
        url = f"{addresses['b']}/v1/products/{SMALL}/versions/v1/threshold"
        key = {"X-API-Key": secret}
        httpx.put(url, json={"threshold": 0.5}, headers=key, **LOCAL).raise_for_status()
        tab.get_by_role("button", name="Look again").click()
        expect(cells.nth(1).locator(".differs")).to_be_visible()
        expect(cells.locator(".differs")).to_have_count(1)

        boxes, outcomes = tab.locator("#rollout-servers input"), tab.locator("#rollout-servers [role=status]")
        expect(tab.locator("#rollout-servers code")).to_have_text(
            f"tribank banks push {SMALL} {addresses['c']} --version v2 --no-activate"
        )
        assert [boxes.nth(n).is_enabled() for n in range(5)] == [True, True, False, False, False]

        def activate(answer: str) -> None:
            tab.get_by_role("button", name="Activate on the chosen servers").click()
            agree(tab, answer)

        boxes.first.check()
        activate("Change nothing")
        assert BankStore(tmp_path / "banks-a").current(SMALL) == "v1"
        tab.get_by_role("button", name="Activate on the chosen servers").click()
        expect(tab.get_by_role("dialog")).to_contain_text("a: v1 is replaced by v2")
        agree(tab, "Activate")
        expect(outcomes.first).to_have_attribute("data-outcome", "done")
        expect(cells.first.locator("strong")).to_have_text("v2")
        expect(cells.first.locator(".differs")).to_be_visible()
        expect(boxes.first).to_be_disabled()
        tab.get_by_role("button", name="Choose all others").click()
        activate("Activate")
        expect(outcomes.nth(1)).to_have_attribute("data-outcome", "done")
        expect(cells.nth(1).locator("strong")).to_have_text("v3")
        expect(tab.locator("#rollout-servers code")).to_have_count(1)
        actives = [BankStore(tmp_path / f"banks-{name}").current(SMALL) for name in "abc"]
        assert actives == ["v2", "v3", "v1"]

        tab.locator("#changes-product").select_option(SMALL)
        changes = tab.locator("#changes tr")
        expect(changes).to_have_count(4)
        listed = [changes.nth(n).locator("td").all_text_contents()[1:4] for n in range(1, 4)]
        expected = [["b", "activate"], ["a", "activate"], ["b", "threshold"]]
        assert [[server, action] for server, _, action in listed] == expected
        with tab.expect_download() as saved:
            tab.locator("#changes-csv").click()
        with saved.value.path().open(newline="") as file:
            table = list(csv.DictReader(file))
        assert [[row["server"], row["action"]] for row in table] == expected
        assert json.loads(table[0]["after"]) == {"active": "v3"}
        assert {row["who"] for row in table} == {"key anna"}

        tab.locator("#rollout-version").select_option(index=1)
        tab.get_by_role("button", name="Choose all others").click()
        Keys(tmp_path / "b").revoke("anna")
        activate("Activate")
        expect(outcomes.first).to_have_attribute("data-outcome", "done")
        expect(outcomes.nth(1)).to_have_attribute("data-outcome", "failed")
        expect(states.nth(1).locator("[data-reason=refused]")).to_contain_text("401")
        leave(tab)


def test_the_page_may_load_nothing_from_elsewhere(client: httpx.Client) -> None:
    answer = client.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    names = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    files = [name for name in names if name.startswith("console/")]
    assert len(files) == 2
    assert set(names) - set(files) == {"data:,", "v1/results.csv"}
    for file in files:
        assert client.get(f"/{file}").status_code == 200
    assert client.get("/console/none.js").status_code == 404
    assert client.get("/console/..%2f__init__.py").status_code == 404


def test_what_is_built_is_the_source() -> None:
    """A change of the source without `make console`, or of the built page by hand, is noticed."""
    listed = dict(line.split("  ")[::-1] for line in (SOURCE / "built.sha256").read_text().splitlines())
    there = {
        str(path.relative_to(SOURCE)) for folder in ("src", "page") for path in (SOURCE / folder).iterdir()
    }
    assert there < set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((SOURCE / name).read_bytes()).hexdigest() == digest, f"{name}: run make console"


def test_the_page_gets_a_part_in_one_answer(client: httpx.Client, bad_part: dict[str, bytes]) -> None:
    answer = client.post("/v1/products/cookie/score", files=bad_part, headers={"Accept": "application/x-npz"})
    with np.load(io.BytesIO(answer.content), allow_pickle=False) as arrays:
        assert arrays["rgb"].shape == (224, 224, 3)
        assert arrays["xyz"].shape == (224, 224, 3)
        assert arrays["map"].shape == arrays["rgb_map"].shape == arrays["valid"].shape == (224, 224)
        assert arrays["colors"].shape == (256, 3)
        result = json.loads(arrays["result"].tobytes())
    assert result["result_id"] == answer.headers["tribank-result-id"]
