"""A person at a screen: headless Chromium, one profile per person, driven step by step."""

from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"]


@contextmanager
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def person(browser, portal, username: str, password: str):
    """A page signed in at a portal. Console errors and broken scripts fail the journey."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    if username:
        page.goto(f"{portal.url}/accounts/login/")
        page.fill("#id_username", username)
        page.fill("#id_password", password)
        page.get_by_role("main").get_by_role("button", name="登录").click()
        page.wait_for_url(lambda url: "/accounts/login" not in url)
    return page
