"""The page in a real browser: silent, self-contained, usable by mouse, keyboard and on a phone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from web_nest import HOSTILE, START, build_nest

from newsnest.nest import Nest
from newsnest.pipeline import Options, build
from newsnest.types import Article
from newsnest.web import write_report

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


HITS = (
    "return [...document.querySelectorAll('[role=option]')]"
    ".map(o => [...o.children].map(c => c.textContent))"
)
READING = "return document.body.classList.contains('reading')"
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


def _notice(driver: Any) -> str:
    return str(driver.execute_script("return document.querySelector('#notice').textContent"))


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
    for parts in ("#nest .tile", "#map circle", "#time rect"):
        count = "return document.querySelectorAll(arguments[0]).length"
        assert driver.execute_script(count, parts) > 3
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


def test_hostile_words_stay_words_in_hits_and_notices(visit: Open) -> None:
    driver = visit("#%3Cimg src=x onerror=document.title='broken'%3E&q=img")
    assert "<img src=x onerror=document.title='broken'>" in _notice(driver)
    driver.find_element("css selector", "#q").send_keys(" src")
    _wait(driver, "document.querySelectorAll('[role=option]').length > 0")
    assert HOSTILE in [name for _, name, _ in driver.execute_script(HITS)]
    assert driver.title == "harbour news · newsnest"
    assert driver.execute_script("return document.images.length") == 0


def test_link_to_a_story_that_is_not_shown_says_so(visit: Open) -> None:
    driver = visit("#story-99")
    assert _notice(driver) == "story-99 is not among the 8 stories shown here."


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("#nonsense", "This page has no part called “nonsense”."),
        ("#theme-99", "This page has no part called “theme-99”."),
        ("#story-", "story- is not among the 8 stories shown here."),
        ("#story-1e0", "story-1e0 is not among the 8 stories shown here."),
        ("#%E0%A4", "This page has no part called “%E0%A4”."),
        ("#outlet=Nobody&colour=red", "no filter “outlet=Nobody”, “colour=red”; it is left out."),
        ("#from=yesterday", "This page knows no filter “from=yesterday”; it is left out."),
    ],
)
def test_address_that_the_page_does_not_know_is_told(visit: Open, address: str, said: str) -> None:
    driver = visit(address, width=390)
    assert said in _notice(driver)
    box = "const b = document.querySelector('#notice').getBoundingClientRect();"
    assert driver.execute_script(f"{box} return b.top >= 0 && b.bottom <= innerHeight")
    assert not driver.execute_script(READING)


@pytest.mark.parametrize("address", ["#list", "#about"])
def test_part_of_the_page_is_gone_to_and_filters_stay(visit: Open, address: str) -> None:
    driver = visit("#q=plum")
    driver.execute_script(f"location.hash = '{address}'")
    _wait(driver, "scrollY > 0")
    assert driver.execute_script("return document.querySelector('#q').value") == "plum"
    assert _notice(driver) == ""


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
        "return [...document.querySelectorAll('#nest .tile')].find(s => "
        "s.textContent.startsWith('Orchard frost'))",
    )
    _wait(driver, "document.querySelector('#story-title').textContent.startsWith('Orchard')")
    assert driver.execute_script("return location.hash") == "#story-4"


def test_theme_in_the_treemap_is_zoomed_to(visit: Open) -> None:
    driver = visit()
    _click(
        driver,
        "return [...document.querySelectorAll('#nest .tile')].find(s => "
        "s.textContent.startsWith('Orchards')).querySelector('span')",
    )
    _wait(driver, "location.hash === '#theme-1'")
    _wait(driver, "document.querySelector('#nest').dataset.level === '#theme-1'")
    assert driver.execute_script("return document.querySelector('#theme-1').open")


def test_circle_on_the_map_opens_its_section(visit: Open) -> None:
    driver = visit("#story-7")
    _click(
        driver,
        "return [...document.querySelectorAll('#map .dot-of-map')]"
        ".find(c => newsnest.data.stories.label[c.__data__] === 4)",
    )
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
    assert driver.find_element("css selector", ".found").text == "Nothing found"
    driver.find_element("css selector", "#q").send_keys("s")
    _wait(driver, "!document.querySelector('#hits-panel').hidden")
    panel = driver.find_element("css selector", "#hits-panel").text
    assert panel == "Nothing found for “zeppelins”."


def test_search_lists_hits_by_level_under_the_box(visit: Open) -> None:
    driver = visit()
    box = driver.find_element("css selector", "#q")
    assert box.get_attribute("aria-expanded") == "false"
    box.send_keys("f")
    _wait(driver, "document.querySelector('#q').getAttribute('aria-expanded') === 'true'")
    levels = [level for level, _, _ in driver.execute_script(HITS)]
    assert levels[:4] == ["theme", "topic", "topic", "topic"]
    assert set(levels[4:]) <= {"story", "headline"}
    box.send_keys("erry strike PART 2")
    _wait(driver, "document.querySelectorAll('[role=option]').length === 1")
    assert driver.execute_script(HITS) == [
        ["headline", "Ferry strike enters third week: part 2", "in: Ferry strike enters third week"]
    ]


def test_arrows_and_enter_choose_a_hit_and_escape_closes_the_list(visit: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    driver = visit()
    box = driver.find_element("css selector", "#q")
    box.send_keys("orchard")
    _wait(driver, "document.querySelectorAll('[role=option]').length === 2")
    box.send_keys(Keys.ESCAPE)
    assert box.get_attribute("aria-expanded") == "false"
    assert box.get_attribute("value") == "orchard"
    box.send_keys(Keys.DOWN, Keys.DOWN)
    active = box.get_attribute("aria-activedescendant")
    assert driver.find_element("id", active).get_attribute("aria-selected") == "true"
    assert driver.switch_to.active_element == box
    box.send_keys(Keys.ENTER)
    assert driver.execute_script("return location.hash") == "#story-4&q=orchard"
    box.send_keys(Keys.DOWN, Keys.ENTER)
    assert driver.execute_script("return location.hash") == "#theme-1&q=orchard"


def test_hit_is_chosen_with_the_mouse(visit: Open) -> None:
    driver = visit()
    driver.find_element("css selector", "#q").send_keys("bees")
    _wait(driver, "document.querySelectorAll('[role=option]').length === 1")
    driver.find_element("css selector", "[role=option]").click()
    assert _title(driver) == "Bees return to Marrow Valley"


def test_search_leaves_the_part_looked_into(visit: Open) -> None:
    driver = visit("#theme-1")
    assert driver.execute_script("return document.querySelector('#nest').dataset.level")
    _type(driver, "q", "ferry")
    assert driver.execute_script("return document.querySelector('#nest').dataset.level") == ""
    assert driver.execute_script("return location.hash") == "#q=ferry"


def test_treemap_is_one_stop_of_the_keyboard_and_arrows_move_in_it(visit: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    driver = visit()
    stops = driver.find_elements("css selector", "#nest [tabindex='0']")
    assert len(stops) == 1
    assert (
        stops[0].get_attribute("aria-label")
        == "theme Harbours, 4 stories, 19 articles, 15 independent"
    )
    driver.execute_script("arguments[0].focus()", stops[0])
    stops[0].send_keys(Keys.RIGHT)
    here = driver.switch_to.active_element
    assert here.get_attribute("aria-label").startswith("theme Orchards & fields")
    here.send_keys(Keys.ENTER)
    _wait(driver, "document.querySelector('#nest').dataset.level === '#theme-1'")
    said = "return document.querySelector('#nest-said').textContent"
    assert driver.execute_script(said) == "Orchards & fields: 3 stories, 9 articles, 8 independent."
    assert driver.switch_to.active_element.get_attribute("aria-label").startswith("topic Fruit")
    driver.switch_to.active_element.send_keys(Keys.BACK_SPACE)
    _wait(driver, "document.querySelector('#nest').dataset.level === ''")
    assert driver.switch_to.active_element.get_attribute("class") == "tile"


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (700, 450), (390, 844)])
def test_nothing_floats_over_the_text(visit: Open, width: int, height: int) -> None:
    driver = visit(width=width)
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    covered = driver.execute_script(
        "document.querySelectorAll('details').forEach(d => { d.open = true });"
        "return [...document.querySelectorAll('main h2, main .name, main .story a, main .hint')]"
        ".filter(e => { e.scrollIntoView({block: 'start'}); const b = e.getBoundingClientRect();"
        "if (!b.width) return false;"
        "const top = document.elementFromPoint(b.x + 2, b.y + b.height / 2);"
        "return !(e.contains(top) || (top && top.contains(e))) }).map(e => e.textContent)"
    )
    assert covered == []


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
    _wait(driver, "document.activeElement.closest('.story') !== null")


def test_back_closes_a_story_on_a_phone_and_forward_opens_it_again(visit: Open) -> None:
    driver = visit(width=390)
    driver.find_element("css selector", ".story a").click()
    assert driver.execute_script(READING)
    driver.execute_script("history.back()")
    _wait(driver, "!document.body.classList.contains('reading')")
    assert driver.execute_script("return location.hash") == ""
    assert driver.execute_script("return document.activeElement.closest('.story') !== null")
    driver.execute_script("history.forward()")
    _wait(driver, "document.body.classList.contains('reading')")
    assert driver.execute_script("return location.hash") == "#story-0"
    # The cross is a step back, too: opening and closing does not fill the history.
    driver.find_element("css selector", ".close").click()
    _wait(driver, "location.hash === ''")
    driver.execute_script("document.querySelectorAll('.story a')[1].click()")
    assert driver.execute_script("return history.state.over")


def test_story_that_the_address_names_can_be_closed_on_a_phone(visit: Open) -> None:
    driver = visit("#story-4", width=390)
    assert driver.execute_script(READING)
    driver.find_element("css selector", ".close").click()
    assert not driver.execute_script(READING)
    assert driver.execute_script("return location.hash") == ""


def test_back_and_forward_walk_through_stories_and_looks_inside(visit: Open) -> None:
    driver = visit("#q=harvest")
    # With a real mouse: from a full history, Chromium drops entries that nobody touched.
    driver.find_element("css selector", ".story:not([hidden]) a").click()
    driver.find_element("css selector", ".path a").click()
    assert driver.execute_script("return location.hash") == "#theme-1&q=harvest"
    _type(driver, "outlet", "0")
    driver.execute_script("history.back()")
    _wait(driver, "location.hash === '#story-4&q=harvest'")
    assert _title(driver) == "Orchard frost ruins the plum harvest"
    assert driver.execute_script("return document.querySelector('#nest').dataset.level") == ""
    assert driver.execute_script("return document.querySelector('[name=outlet]').value") == ""
    driver.execute_script("history.back()")
    _wait(driver, "location.hash === '#q=harvest'")
    assert _title(driver) == "Ferry strike enters third week"  # what stands there at first
    driver.execute_script("history.go(2)")
    _wait(driver, "document.querySelector('#nest').dataset.level === '#theme-1'")
    assert driver.execute_script("return document.querySelector('[name=outlet]').value") == "0"


def test_dark_scheme_reaches_the_pictures(visit: Open) -> None:
    ink = "return getComputedStyle(document.querySelector('#nest .tile')).color"
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


@pytest.fixture
def strays(tmp_path: Path) -> Path:
    """The page of a week with a date in 1970, one in 2099 and an article without a date."""
    with build_nest(tmp_path / "n.nest") as nest:
        with nest.store.transaction() as sql:
            sql.execute("UPDATE articles SET date = 0 WHERE id = 'a010'")
            sql.execute("UPDATE articles SET date = 4102358400 WHERE id = 'a020'")
            sql.execute("UPDATE articles SET date = NULL WHERE id = 'a028'")
        return write_report(nest, tmp_path / "strays.html").path


def test_strays_do_not_stretch_the_days_and_can_be_reached(driver: Any, strays: Path) -> None:
    driver.get(strays.as_uri())
    _wait(driver, "document.documentElement.dataset.ready")
    _wait(driver, "document.querySelectorAll('#time .bin').length > 5")
    assert driver.execute_script("return document.querySelectorAll('#time .bin').length") < 20
    buttons = {b.text: b for b in driver.find_elements("css selector", "#time-hint button")}
    assert list(buttons) == [
        "1 article is dated before 1 May 2031",
        "1 article is dated after 13 May 2031",
        "1 article has no date",
    ]
    buttons["1 article is dated after 13 May 2031"].click()
    assert len(driver.execute_script(SHOWN)) == 1
    _wait(driver, "location.hash === '#from=2031-05-14'")
    driver.execute_script("location.hash = '#undated=1'")
    _wait(driver, "document.querySelector('[name=undated]').checked")
    assert driver.execute_script(SHOWN) == ["Chess club wins by a pawn"]
    assert driver.get_log("browser") == []


@pytest.mark.parametrize(("articles", "dated"), [(1, True), (3, False)])
def test_the_smallest_nests_have_a_silent_page(
    driver: Any, tmp_path: Path, articles: int, dated: bool
) -> None:
    news = [
        Article(str(n), title=f"Bees return {n}", date=START if dated else None)
        for n in range(articles)
    ]
    with Nest(tmp_path / "n.nest", create=True) as nest:
        build(news, nest, Options(encoder="tfidf"))
        path = write_report(nest, tmp_path / "n.html").path
    driver.get(path.as_uri())
    _wait(driver, "document.documentElement.dataset.ready")
    driver.find_element("css selector", "#q").send_keys("bees")
    _wait(driver, "document.querySelectorAll('[role=option]').length")
    assert driver.get_log("browser") == []
