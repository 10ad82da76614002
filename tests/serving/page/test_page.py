"""The page in a browser, beside a server that knows no model."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.methods.gait.skeleton import BONES, INDEX, JOINTS
from jack_ray.methods.shared.demo_tree import write_video
from jack_ray.methods.shared.demo_videos import invent
from tests.serving.page.answers import MODELS, of_clips, of_gait, of_snippets
from tests.serving.page.fake import TOKEN, Fake

selenium = pytest.importorskip("selenium", reason="selenium is not installed (pip install -e .[dev])")
from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1100,900",
)  # fmt: skip
WAIT_S = 30

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromium-driver are not installed"),
]


class Page:
    """The page as somebody sees it. One browser for all tests; each opens the page of a server of its own."""

    def __init__(self, folder: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--user-data-dir={folder}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver: Any = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))

    def open(self, fake: Fake, token: str = TOKEN) -> None:
        """Go there and type the token."""
        fake.start()
        self.driver.get(fake.address)
        self.wait("token").send_keys(token, Keys.ENTER)

    def find(self, name: str) -> Any:
        """The element of an id."""
        return self.driver.find_element(By.ID, name)

    def wait(self, name: str) -> Any:
        """The same, once it is shown."""
        return WebDriverWait(self.driver, WAIT_S).until(lambda _: (one := self.find(name)).is_displayed() and one)

    def choose(self, *paths: Path) -> None:
        """Files, by the dialogue for them."""
        self.wait("ask")
        self.find("file").send_keys("\n".join(map(str, paths)))

    def script(self, text: str) -> Any:
        """What a script returns."""
        return self.driver.execute_script(text)

    def value(self, name: str) -> str:
        """What the timeline says of the playhead."""
        return str(self.find("chart").get_attribute(name))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    page = Page(tmp_path_factory.mktemp("chromium"))
    yield page
    page.driver.quit()


@pytest.fixture
def page(browser: Page) -> Iterator[Page]:
    """The browser; afterwards nothing was complained of, and nothing came from elsewhere or went there."""
    browser.driver.get("data:,")
    for kind in ("browser", "performance"):
        browser.driver.get_log(kind)
    yield browser
    origin = browser.script("return location.origin")
    messages = [json.loads(one["message"])["message"] for one in browser.driver.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    assert len(asked) > 3
    assert [url for url in asked if not url.startswith((f"{origin}/", f"blob:{origin}", "data:"))] == []
    told = [one["message"] for one in browser.driver.get_log("browser") if "status of" not in one["message"]]
    assert told == []


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "holiday.mp4"
    write_video(path, invent(2, {"training": 1}, (50, 50), 1)[0], 48, 1)
    return path


def clips() -> Fake:
    return Fake(MODELS["cten"], of_clips(1.6, 4, has_segments=True))


def test_a_chosen_video_is_sent_with_the_token_and_its_answer_is_shown_and_can_be_followed_by_keys(
    page: Page, video: Path
) -> None:
    fake = clips()
    page.open(fake)
    page.choose(video)
    page.wait("result")
    address, body = fake.asked[0]
    assert address == "/v1/predict?timeline=true"
    assert b'name="file"; filename="holiday.mp4"' in body
    assert video.read_bytes() in body
    assert page.find("label").text == "Joy"
    assert "version 3" in page.find("model-about").text
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#bars li")) == 8
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#plot .area")) == 8
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#strips .strip")) == 2
    chart = page.find("chart")
    chart.send_keys(Keys.ARROW_RIGHT)
    assert page.value("aria-valuenow") == "0.4"
    assert page.value("aria-valuetext").startswith("0:00: ")
    chart.send_keys(Keys.END)
    assert page.value("aria-valuenow") == "1.6"
    page.driver.find_element(By.CSS_SELECTOR, "#segments button").send_keys(Keys.ENTER)
    assert page.value("aria-valuenow") == "0.5"


def test_a_dropped_file_is_asked_about(page: Page) -> None:
    fake = clips()
    page.open(fake)
    page.wait("ask")
    page.script(
        "const data = new DataTransfer();"
        "data.items.add(new File(['moving'], 'a.avi'));"
        "document.getElementById('drop').dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true}));"
    )
    page.wait("result")
    assert b"moving" in fake.asked[0][1]


@pytest.mark.parametrize(("status", "title"), [(422, "The file cannot be read"), (503, "Not ready")])
def test_an_error_is_told_as_the_server_words_it(page: Page, video: Path, status: int, title: str) -> None:
    fake = clips()
    fake.status = status
    page.open(fake)
    page.choose(video)
    told = page.wait("error").text
    for words in (title, f"<b>{status}</b> happened", "something else", "Do that. Try again in 7 s."):
        assert words in told
    assert not page.find("result").is_displayed()


def test_a_wrong_token_is_asked_for_again_and_a_wrong_file_is_not_sent(page: Page, tmp_path: Path) -> None:
    fake = clips()
    page.open(fake, "näh")
    assert "this is no token" in page.wait("error").text
    page.find("token").send_keys("guessed", Keys.ENTER)
    WebDriverWait(page.driver, WAIT_S).until(lambda _: "<b>401</b> happened" in page.find("error").text)
    page.wait("entry")
    page.find("token").send_keys(TOKEN, Keys.ENTER)
    (tmp_path / "notes.txt").write_text("words")
    page.choose(tmp_path / "notes.txt")
    assert "notes.txt, which this model does not take" in page.wait("error").text
    assert fake.asked == []


def test_without_a_token_the_page_asks_for_none(page: Page, video: Path) -> None:
    fake = clips()
    fake.is_open = True
    fake.start()
    page.driver.get(fake.address)
    page.choose(video)
    page.wait("result")
    assert not page.find("entry").is_displayed()
    assert not page.find("forget").is_displayed()


def test_after_an_answer_of_another_version_the_page_tells_the_model_of_that_version(page: Page, video: Path) -> None:
    fake = clips()
    page.open(fake)
    page.wait("ask")
    assert "version 3 · @champion · cten-77aa01b2c3" in page.find("model-about").text
    fake.model = fake.model | {"version": "4", "trial": "cten-of-today"}
    fake.answer = fake.answer | {"version": "4"}
    page.choose(video)
    page.wait("result")
    told = page.find("model-about")
    WebDriverWait(page.driver, WAIT_S).until(lambda _: "version 4 · @champion · cten-of-today" in told.text)
    assert page.find("result").is_displayed()


def test_features_are_told_apart_by_their_width(page: Page, tmp_path: Path) -> None:
    fake = Fake(MODELS["tsl"], of_snippets(40))
    np.save(tmp_path / "a.npy", np.zeros((64, 60), np.float32))
    np.save(tmp_path / "b.npy", np.zeros((2, 1024), np.float32))
    (tmp_path / "fps_dict.json").write_text('{"b": 29.97}')
    page.open(fake)
    page.choose(tmp_path / "a.npy", tmp_path / "b.npy", tmp_path / "fps_dict.json")
    page.wait("result")
    body = fake.asked[0][1]
    for part in (b'name="fps"\r\n\r\n29.97', b'name="rgb"; filename="b.npy"', b'name="mel"; filename="a.npy"'):
        assert part in body
    assert page.find("label").text == "positive"
    assert "background" in page.find("course-note").text


def test_features_whose_question_was_cancelled_can_be_asked_about_again(page: Page, tmp_path: Path) -> None:
    fake = Fake(MODELS["tsl"] | {"version": ""}, of_snippets(40))
    np.save(tmp_path / "a.npy", np.zeros((64, 60), np.float32))
    np.save(tmp_path / "b.npy", np.zeros((2, 1024), np.float32))
    fake.hold.clear()
    page.open(fake)
    page.wait("ask")
    assert "being loaded" in page.find("status").text
    page.choose(tmp_path / "a.npy", tmp_path / "b.npy")
    page.wait("fps").send_keys("25", Keys.ENTER)
    page.wait("cancel").click()
    fake.hold.set()
    page.wait("fps").send_keys(Keys.ENTER)
    page.wait("result")


def test_a_gait_walks_when_it_is_played_and_turns_by_keys(page: Page, tmp_path: Path) -> None:
    frames = np.cumsum(np.random.default_rng(1).normal(size=(90, 16, 3)), axis=0).round(3).tolist()
    answer = of_gait(frames, [[INDEX[child], INDEX[parent]] for child, parent in BONES], JOINTS)
    (tmp_path / "walk.bvh").write_text("HIERARCHY")
    page.open(Fake(MODELS["gait"], answer))
    page.choose(tmp_path / "walk.bvh")
    page.wait("result")
    seen = "return document.getElementById('canvas').toDataURL()"
    still = page.script(seen)
    assert page.script(seen) == still  # nothing moves by itself
    page.find("canvas").send_keys(Keys.ARROW_RIGHT)
    turned = page.script(seen)
    assert turned != still
    page.find("play").click()
    WebDriverWait(page.driver, WAIT_S).until(lambda _: float(page.value("aria-valuenow")) > 0.2)
    assert page.script(seen) != turned
    page.find("play").click()
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#joint-bars li")) == len(JOINTS)


def test_the_page_speaks_chinese_and_english_and_everything_that_can_be_used_has_a_name(
    page: Page, video: Path
) -> None:
    page.open(clips())
    page.choose(video)
    page.wait("result")
    page.find("language").click()
    assert page.find("label").text == "喜悦"
    assert page.script("return document.documentElement.lang") == "zh-CN"
    both = page.script(
        "return [...document.querySelectorAll('[data-say]')].filter((one) => /[a-z]{3}/.test(one.textContent))"
        ".map((one) => one.textContent)"
    )
    assert both == []
    page.find("language").click()
    assert page.find("label").text == "Joy"
    usable = page.driver.find_elements(By.CSS_SELECTOR, "button, input, [tabindex='0'], summary")
    assert [one.get_attribute("id") for one in usable if one.is_displayed() and not one.accessible_name] == []


def test_a_narrow_page_is_not_wider_than_its_window(page: Page, video: Path) -> None:
    page.open(clips())
    page.choose(video)
    page.wait("result")
    page.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    )
    assert page.script("return document.documentElement.scrollWidth") <= 320
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
