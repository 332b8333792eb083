"""A new county portal: invited and enrolled in the browser, a dataset registered there, reviewed nationally, graded, and the portal revoked."""

import re

import pytest

from tests.journeys.browser import chromium, person
from tests.journeys.portals import PortalProcess
from tests.journeys.test_main_journey import ACCOUNTS, PASSWORD, until

TITLE = "示例：萧山区内涝点水位序列"
ADMIN = """
from tests.factories import make_user
make_user(role="admin", username="keeper", password="{password}")
"""
LISTING = """
from tests.factories import COMPLETE
from catalog.models import Organization, User
from catalog.services import registration, review
organization, people = Organization.objects.get(name="示例交通科技（丽水）"), {{row.username: row for row in User.objects.all()}}
dataset = registration.create_dataset(COMPLETE | {{"title": "{title}"}}, organization=organization, user=people["provider"])
review.approve_review(registration.submit_dataset(dataset, user=people["provider"]), reviewer=people["reviewer"])
print(dataset.uid)
"""

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def portals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("county")
    national = PortalProcess("cn", "national", "国家门户", "国家", folder)
    county = PortalProcess("cn-330109", "local", "萧山区门户", "萧山", folder)
    try:
        for portal in (national, county):
            portal.manage("load_vocabularies", "-v0")
            portal.manage("shell", "-v0", "-c", ACCOUNTS.format(password=PASSWORD) + ADMIN.format(password=PASSWORD))
            portal.start()
        yield national, county
    finally:
        national.stop()
        county.stop()


def press(page, name: str, **options):
    """A button, and the page it leads to."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True, **options).first.click()


def text(page, url: str) -> str:
    page.goto(url)
    return page.get_by_role("main").inner_text()


def test_a_county_portal_joins_lists_is_judged_and_revoked(portals):
    national, county = portals
    with chromium() as browser:
        overseer = person(browser, national, "keeper", PASSWORD)
        keeper = person(browser, county, "keeper", PASSWORD)
        stranger = person(browser, national, "", "")

        overseer.goto(f"{national.url}/federation/#join")
        overseer.fill("#invite-portal", "cn-330109")
        overseer.fill("#invite-name", "萧山区门户")
        overseer.fill("#invite-short", "萧山")
        press(overseer, "生成邀请码")
        code = overseer.locator("#code").inner_text()
        keeper.goto(f"{county.url}/federation/#join")
        keeper.fill("#enrol-url", national.url)
        keeper.fill("#enrol-code", code)
        press(keeper, "登记")
        assert "等待对方接纳" in keeper.get_by_role("main").inner_text()

        overseer.goto(f"{national.url}/federation/portals/cn-330109/")
        shown = overseer.locator("#keys ~ * code, section[aria-labelledby=keys] code").all_inner_texts()
        own = text(keeper, f"{county.url}/federation/")
        assert any(len(words) == 39 and words in own for words in shown), "the two fingerprints that people compare are not the same"
        press(overseer, "接纳")

        uid = county.manage("shell", "-v0", "-c", LISTING.format(title=TITLE)).strip().splitlines()[-1]
        until(30, lambda: TITLE in text(overseer, f"{national.url}/review/"))
        assert stranger.goto(f"{national.url}/datasets/{uid}/").status == 404, "on offer nationally before its review"
        decide(overseer, national, uid, "admit", "核对无误。")
        until(30, lambda: stranger.goto(f"{national.url}/datasets/{uid}/").status == 200)
        until(30, lambda: "收录" in text(keeper, f"{county.url}/federation/decisions/"))

        graded = until(30, lambda: letter(stranger, national, uid))
        until(30, lambda: "评定等级" in text(keeper, f"{county.url}/federation/decisions/"))

        overseer.goto(f"{national.url}/federation/portals/cn-330109/")
        overseer.fill("#confirm", "cn-330109")
        press(overseer, "撤销接入")
        assert "已撤销" in overseer.get_by_role("main").inner_text()
        assert "来源门户的接入已撤销" in text(stranger, f"{national.url}/datasets/{uid}/")
        press_sync(keeper, county)
        until(30, lambda: re.search(r"portal_revoked|revoked|403|401", text(keeper, f"{county.url}/federation/portals/cn/")))
        errors = [error for page in (overseer, keeper, stranger) for error in page.errors]

    assert errors == []
    print(f"graded after {graded:.1f} s")


def press_sync(page, portal) -> None:
    page.goto(f"{portal.url}/federation/portals/cn/")
    press(page, "立即同步")


def decide(page, portal, uid: str, kind: str, reason: str) -> None:
    page.goto(f"{portal.url}/datasets/{uid}/")
    panel = page.locator(".fedpanel__decide").first
    panel.locator("summary").click()
    panel.locator("textarea").fill(reason)
    with page.expect_navigation():
        panel.locator(f"button[value={kind}]").click()


def letter(page, portal, uid: str) -> str:
    page.goto(f"{portal.url}/datasets/{uid}/")
    grade = page.locator(".panel .grade__letter").first
    return grade.inner_text().strip() if grade.count() and grade.inner_text().strip() in "ABCD" else ""
