"""The page in a real browser: silent, self-contained, usable by mouse, keyboard and on a phone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
SHOWN = "return [...document.querySelectorAll('.story:not([hidden]) a')].map(a => a.textContent)"


@pytest.fixture(scope="module")
def driver(chromium: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium[0]
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(chromium[1]))
    opened.set_script_timeout(20)
    yield opened
    opened.quit()


Open = Callable[..., Any]


@pytest.fixture
def visit(driver: Any, page: Path) -> Iterator[Open]:
    """Open the page at an address, in a size and a colour scheme; it must stay silent."""
    from selenium.webdriver.support.ui import WebDriverWait

    def go(address: str = "", *, width: int = 1400, dark: bool = False, script: bool = True) -> Any:
        driver.get("about:blank")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        calm = {"name": "prefers-reduced-motion", "value": "reduce"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, calm]})
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        driver.get(page.as_uri() + address)
        if script:
            WebDriverWait(driver, 20).until(
                lambda d: d.execute_script("return document.documentElement.dataset.ready")
            )
        return driver

    driver.get_log("browser")
    driver.get_log("performance")
    yield go
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert driver.get_log("browser") == []
    asked = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [
        message["params"]["request"]["url"]
        for message in asked
        if message["method"] == "Network.requestWillBeSent"
        # Chromium's own first tab asks for its own parts.
        and not message["params"]["documentURL"].startswith("chrome:")
    ]
    assert {url.partition("#")[0] for url in urls if not url.startswith("data:")} <= {
        page.as_uri(),
        "about:blank",
    }


def _title(driver: Any) -> str:
    return str(driver.execute_script("return document.querySelector('#story-title').textContent"))


def _wait(driver: Any, script: str) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 10).until(lambda d: d.execute_script(f"return {script}"))


def _type(driver: Any, name: str, value: str) -> None:
    driver.execute_script(
        "const e = document.querySelector('.filters').elements[arguments[0]];"
        "e.value = arguments[1];"
        "e.dispatchEvent(new Event('input', {bubbles: true}))",
        name,
        value,
    )
    _wait(driver, f"location.hash.includes('{name}=')")


def test_three_pictures_are_drawn(visit: Open) -> None:
    driver = visit()
    for picture in ("nest", "map", "time"):
        count = "return document.querySelectorAll(`#${arguments[0]} path`).length"
        assert driver.execute_script(count, picture) > 3
    assert driver.title == "harbour news · newsnest"  # no hostile headline has changed it


def test_story_in_the_list_opens_its_section(visit: Open) -> None:
    driver = visit()
    driver.find_element("css selector", "#open-all").click()
    driver.find_element("link text", "Bees return to Marrow Valley").click()
    assert _title(driver) == "Bees return to Marrow Valley"
    assert driver.execute_script("return location.hash") == "#story-5"
    links = driver.execute_script(
        "return [...document.querySelectorAll('.article a')].map(a => [a.href, a.rel])"
    )
    assert links == [["https://news.example/24?a=1&b=2", "noopener noreferrer"]]


def test_link_to_a_story_opens_it_with_hostile_words_as_words(visit: Open) -> None:
    driver = visit("#story-3")
    assert _title(driver).startswith("</script><img src=x")
    assert driver.execute_script("return document.images.length") == 0


def test_link_to_a_story_that_is_not_shown_says_so(visit: Open) -> None:
    driver = visit("#story-99")
    assert "story-99 is not among the 8 stories shown" in driver.page_source


def _click(driver: Any, script: str) -> None:
    """Click where the element that a script returns is, with a real mouse."""
    from selenium.webdriver.common.action_chains import ActionChains

    x, y = driver.execute_script(
        f"const e = (() => {{ {script} }})(); e.scrollIntoView({{block: 'center'}});"
        "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]"
    )
    actions = ActionChains(driver)
    actions.w3c_actions.pointer_action.move_to_location(int(x), int(y))
    actions.pause(0.3).click().perform()


def test_story_in_the_treemap_opens_its_section(visit: Open) -> None:
    driver = visit("#story-7")
    _click(
        driver,
        "return [...document.querySelectorAll('#nest .slice')].find(s => "
        "s.textContent.includes('Orchard frost')).querySelector('path')",
    )
    _wait(driver, "document.querySelector('#story-title').textContent.startsWith('Orchard')")
    assert driver.execute_script("return location.hash") == "#story-4"


def test_theme_in_the_treemap_is_zoomed_to(visit: Open) -> None:
    driver = visit()
    _click(
        driver,
        "return [...document.querySelectorAll('#nest .slice')].find(s => "
        "s.textContent.startsWith('Orchards')).querySelector('text')",
    )
    _wait(driver, "location.hash === '#theme-1'")
    _wait(driver, "document.querySelector('#nest').data[0].level === 'n1'")
    assert driver.execute_script("return document.querySelector('#theme-1').open")


def test_circle_on_the_map_opens_its_section(visit: Open) -> None:
    driver = visit("#story-7")
    _click(driver, "return document.querySelectorAll('#map .trace')[1].querySelector('.point')")
    _wait(driver, "location.hash === '#story-4'")
    assert _title(driver) == "Orchard frost ruins the plum harvest"


def test_search_does_not_mind_accents(visit: Open) -> None:
    driver = visit()
    _type(driver, "q", "ecluse FERMEE")
    assert driver.execute_script(SHOWN) == ["Écluse fermée à Saint-Élan"]
    found = driver.find_element("css selector", ".found").text
    assert found == "1 of 8 stories matches, 4 articles"
    assert driver.execute_script("return location.hash") == "#q=ecluse%20FERMEE"


def test_outlet_language_and_dates_filter_and_count(visit: Open) -> None:
    driver = visit()
    _type(driver, "lang", "1")
    everywhere = driver.execute_script(SHOWN)
    assert 0 < len(everywhere) < 8
    _type(driver, "from", "2031-05-09")
    _type(driver, "to", "2031-05-10")
    assert driver.execute_script(SHOWN) == ["Orchard frost ruins the plum harvest"]
    size = driver.execute_script(
        "return document.querySelector('.story:not([hidden]) .size').textContent"
    )
    assert size.endswith(" of 5 articles, 4 independent")
    driver.find_element("css selector", ".filters button[type=reset]").click()
    _wait(driver, "!document.querySelector('.filters').classList.contains('active')")
    assert len(driver.execute_script(SHOWN)) == 8


def test_address_restores_the_filters(visit: Open) -> None:
    driver = visit("#story-4&q=plum&outlet=Harbour%20Post")
    assert _title(driver) == "Orchard frost ruins the plum harvest"
    _wait(driver, "document.querySelector('.filters').classList.contains('active')")
    outlet = "return document.querySelector('[name=outlet]').selectedOptions[0].textContent"
    assert driver.execute_script(outlet) == "Harbour Post"
    assert driver.execute_script("return document.querySelector('[name=q]').value") == "plum"


def test_nothing_found_says_so(visit: Open) -> None:
    driver = visit("#q=zeppelin")
    _wait(driver, "!document.querySelector('.nothing').hidden")


def test_summary_leads_to_its_article_inside_the_copies(visit: Open) -> None:
    driver = visit("#story-0")
    driver.find_element("css selector", ".quoted").click()
    active = "document.activeElement.className"
    assert driver.execute_script(f"return {active}") == "article"
    assert driver.execute_script("return document.activeElement.closest('.copies').open")


def test_keyboard_alone_reaches_and_opens_a_story(visit: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    driver = visit()
    active = driver.switch_to.active_element
    active.send_keys(Keys.TAB)
    assert driver.switch_to.active_element.text.startswith("Skip to the list")
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    for _ in range(30):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        element = driver.switch_to.active_element
        if "Saint-Élan" in element.text and element.tag_name == "a":
            break
    ring = element.value_of_css_property("outline-style")
    assert ring == "solid"
    element.send_keys(Keys.ENTER)
    assert _title(driver) == "Écluse fermée à Saint-Élan"
    assert driver.execute_script("return document.activeElement.id") == "story-1"


def test_every_control_has_a_name(visit: Open) -> None:
    driver = visit()
    nameless = driver.execute_script(
        "return [...document.querySelectorAll('input, select, button')].filter(e => "
        "!(e.labels && e.labels.length) && !e.textContent.trim() && !e.ariaLabel)"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []


def test_phone_needs_no_sideways_scrolling(visit: Open) -> None:
    driver = visit(width=360)
    width = "return document.documentElement.scrollWidth"
    assert driver.execute_script(width) <= 360
    driver.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert driver.execute_script(width) <= 360
    driver.execute_script("document.querySelector('.story a').click()")
    assert driver.execute_script("return document.body.classList.contains('reading')")
    assert driver.execute_script("return document.querySelector('.pane').scrollWidth") <= 360
    driver.find_element("css selector", ".close").click()
    assert driver.execute_script("return document.activeElement.closest('.story') !== null")


def test_dark_scheme_reaches_the_pictures(visit: Open) -> None:
    ink = "return getComputedStyle(document.querySelector('#nest .slicetext text')).fill"
    light = visit().execute_script(ink)
    driver = visit(dark=True)
    assert driver.execute_script(ink) != light
    body = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert body == "rgb(23, 22, 19)"


def test_list_is_there_without_javascript(visit: Open) -> None:
    driver = visit(script=False)
    text = driver.find_element("css selector", "#list").text
    assert "Ferry strike enters third week" in text
    assert "9 articles, 6 independent" in text
    assert "Without JavaScript" in driver.find_element("css selector", ".masthead").text
