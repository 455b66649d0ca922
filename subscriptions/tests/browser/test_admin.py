"""The admin as people use it, in a real browser, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User as Account
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from subscriptions.models import User

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Response

# Whatever a test commits, flushing removes; the dataset stays, because Django manages none of it.
pytestmark = [
    pytest.mark.usefixtures("dataset"),
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

LISTS = {
    "Users": "Users",
    "Plans": "Plans",
    "Subscriptions": "Subscriptions",
    "Usage": "Usage records",
    "User versions": "User versions",
    "Plan versions": "Plan versions",
    "Subscription versions": "Subscription versions",
    "Usage versions": "Usage versions",
    "Loads": "Loads",
}
PASSWORD = "a long enough one"


@pytest.fixture(params=[1280, 390], ids=["desk", "phone"])
def page(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer, settings: Settings
) -> Iterator[Page]:
    """A page at the sign-in form; afterwards nothing may have failed or come from elsewhere."""
    # A hash that is made to be slow would be most of the test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    Account.objects.create_superuser("keeper", password=PASSWORD)
    context = browser.new_context(viewport={"width": request.param, "height": 800})
    context.set_default_timeout(15_000)
    opened = context.new_page()
    requested: list[str] = []
    complaints: list[str] = []

    def failed(sent: Request) -> None:
        # A page that is left stops what it was still fetching.
        if "ABORTED" not in str(sent.failure):
            complaints.append(sent.url)

    def answered(got: Response) -> None:
        if got.status >= 400:
            complaints.append(f"{got.status} {got.url}")

    opened.on("request", lambda sent: requested.append(sent.url))
    opened.on("requestfailed", failed)
    opened.on("response", answered)
    opened.on("console", lambda said: complaints.append(said.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(f"{live_server.url}/admin/")
    yield opened
    context.close()
    assert complaints == []
    assert all(url.startswith((live_server.url, "data:")) for url in requested)


def sign_in(page: Page) -> None:
    """Fill in the form."""
    page.fill("[name=username]", "keeper")
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")
    page.wait_for_selector("h1:has-text('Overview')")


def choose(page: Page, title: str) -> None:
    """Click an entry of the sidebar, which on a phone has to be opened first."""
    entry = page.locator(f"#nav-sidebar-apps a:has(span:text-is('{title}'))")
    if not entry.is_visible():
        page.locator("#header-inner .material-symbols-outlined:visible").first.click()
    entry.click()


def fits(page: Page) -> bool:
    """Whether the page needs no sideways scrolling."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_wrong_password_is_refused(page: Page) -> None:
    page.fill("[name=username]", "keeper")
    page.fill("[name=password]", "guess")
    page.click("[type=submit]")
    page.wait_for_selector("text=Please enter the correct username and password")
    assert fits(page)


def test_reading_everything(page: Page) -> None:
    sign_in(page)
    assert page.locator(".tile").count() == 4
    assert fits(page)
    for entry, title in LISTS.items():
        choose(page, entry)
        page.wait_for_selector(f"h1 >> text={title}")
        assert page.locator("#result_list tbody").count() > 0
        assert fits(page), entry
        page.locator("#result_list tbody a").first.click()
        page.wait_for_selector(".facts")
        assert fits(page), f"a record of {entry}"


PAINTED = """canvas => {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some(value => value !== 0) && Chart.getChart(canvas).data.labels.length;
}"""


TICKS = """canvas => {
    const chart = Chart.getChart(canvas);
    chart.options.scales.y.max = 2000;
    chart.update();
    return chart.scales.y.ticks.map(tick => tick.label);
}"""


EDGES = "box => getComputedStyle(box).backgroundAttachment"

# Which month's row is at the left edge, once the last column is in sight.
SCROLLED = """box => {
    box.scrollLeft = box.scrollWidth;
    box.scrollIntoView();
    const edge = box.getBoundingClientRect().left;
    const row = box.querySelector("tbody tr").getBoundingClientRect();
    const at = document.elementFromPoint(edge + 10, row.top + row.height / 2);
    return box.scrollLeft > 0 && at.textContent;
}"""


def test_the_dashboard(page: Page) -> None:
    sign_in(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.reload()
        assert page.evaluate("document.documentElement.className").split().count("dark") == (
            scheme == "dark"
        )
        charts = page.locator(".dash-chart canvas")
        assert charts.count() == 5
        for chart in charts.all():
            assert chart.evaluate(PAINTED)
        assert page.locator(".dash-heat .cell").count() > 12
        assert fits(page)
    ticks = page.locator("#chart-weekdays canvas").evaluate(TICKS)
    assert len(set(ticks)) == len(ticks), ticks
    heat = page.locator(".dash-scroll:has(.dash-heat)")
    if page.evaluate("innerWidth") > 1000:
        assert heat.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert page.get_by_role("main").get_by_role("heading", name="Who stays").count() == 1
    page.locator("[name=plan] option").last.evaluate("plan => plan.text = 'long '.repeat(100)")
    assert fits(page)
    for chart in page.locator(".dash-chart:has(canvas)").all():
        name = chart.locator("h2").text_content()
        assert chart.get_by_role("img", name=str(name)).count() == 1
        chart.locator("summary").click()
        assert chart.locator("table tbody tr").first.is_visible()
        hint = chart.locator(".dash-scroll").evaluate(EDGES)
        assert hint.startswith("local, local, scroll, scroll")  # the edges that hide columns
    assert fits(page)
    page.select_option("[name=period]", "all")
    page.click(".dash-form button")
    page.wait_for_url("**/admin/?*period=all*")
    assert heat.evaluate(SCROLLED) == "Aug 24"
    assert page.get_by_text("Later months: scroll sideways.").is_visible()
    assert fits(page)
    page.select_option("[name=plan]", "Premium")
    page.click(".dash-form button")
    page.wait_for_url("**/admin/?*plan=Premium*")
    assert page.input_value("[name=plan]") == "Premium"
    assert page.locator(".dash-card").count() == 4
    page.locator("#chart-mrr .dash-chart-head a").click()
    page.wait_for_url("**/metrics/mrr?plan_name=Premium*")
    assert page.locator("table tbody tr").count() > 1


def test_searching_filtering_and_following_links(page: Page) -> None:
    user = User.objects.filter(subscriptions__status="Inactive").order_by("user_id")[0]
    sign_in(page)
    choose(page, "Users")
    page.fill("#searchbar", user.email)
    page.press("#searchbar", "Enter")
    page.wait_for_url("**/user/?q=*")
    page.click(f"#result_list >> text={user.email}")
    page.wait_for_selector(f".facts >> text={user.email}")
    table = page.locator(".excerpt-table").first
    hint = table.evaluate(EDGES)
    assert hint.startswith("local, local, scroll, scroll")  # the edges that hide columns
    page.locator(".excerpt", has_text="Subscriptions").get_by_text("Show all").click()
    page.wait_for_url("**/subscription/?user=*")
    rows = page.locator("#result_list tbody").count()
    assert rows >= 1

    page.locator("#changelist a", has_text="Filters").first.click()
    page.get_by_label("Inactive").check()
    page.get_by_text("Apply filters").click()
    page.wait_for_url("**/subscription/?*status=Inactive*")
    assert "user=" in page.url  # one filter does not undo another
    assert page.input_value("#id_user") == user.user_id
    assert page.locator("#result_list tbody").count() <= rows


def test_the_session_reads_the_browsable_api(page: Page) -> None:
    sign_in(page)
    choose(page, "Browsable API")
    page.click("main a:has-text('/users')")
    page.wait_for_selector("h1:has-text('Users')")
    assert page.locator("tbody tr").count() == 50
    assert fits(page)


def test_the_dark_theme(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    sign_in(page)
    assert page.locator("html.dark").count() == 1
