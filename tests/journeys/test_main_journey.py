"""The main job, end to end: two portals as real processes, four people in headless Chromium.

register → submit → approve → graded → found nationally → on the map → sample by ticket → taken down → restored.
"""

import hashlib
import re
import time

import pytest

from tests.journeys.browser import chromium, person
from tests.journeys.portals import PortalProcess, join

PASSWORD = "journey-word-1"
TITLE = "示例：浙江山区公路结冰监测图像"
SAMPLE = "file,label,temperature\n" + "".join(f"img_{n:04}.jpg,{'结冰' if n % 3 else '干燥'},{-n % 17 / 2}\n" for n in range(300))
ACCOUNTS = """
from django.conf import settings
from catalog.demo.accounts import ACCOUNTS, make_account
from catalog.models import Membership, Organization
users = {{name: make_account(name, label, group, "{password}") for name, label, group in ACCOUNTS}}
organization = Organization.objects.create(name="示例交通科技（丽水）", home_portal=settings.PORTAL_ID, region="330000", kind="enterprise")
Membership.objects.create(user=users["provider"], organization=organization, role="owner")
"""

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def portals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("journey")
    national = PortalProcess("cn", "national", "国家门户", "国家", folder)
    local = PortalProcess("cn-33", "local", "浙江门户", "浙江", folder)
    try:
        for portal in (national, local):
            portal.manage("load_vocabularies", "-v0")
            portal.manage("shell", "-v0", "-c", ACCOUNTS.format(password=PASSWORD))
            portal.start()
        join(national, local, name="浙江门户")
        yield national, local
    finally:
        national.stop()
        local.stop()


def until(seconds: float, question, *, every: float = 0.3):
    """Ask again until the answer is true; the seconds it took. AssertionError with the last answer after `seconds`."""
    started = time.monotonic()
    while not (answer := question()):
        assert time.monotonic() - started < seconds, f"still {answer!r} after {seconds} s"
        time.sleep(every)
    return time.monotonic() - started


def found(page, portal) -> int:
    """How many results the portal's search page gives for the title."""
    page.goto(f"{portal.url}/datasets/?q={TITLE}")
    return page.get_by_role("link", name=TITLE).count()


def map_count(page, portal) -> int:
    """Number of datasets of 浙江 on the resource map."""
    page.goto(f"{portal.url}/map/")
    label = page.locator("a.tile[href*='region=330000']").first.get_attribute("aria-label")
    digits = re.search(r"([0-9,]+)", label.split("：", 1)[1])
    return int(digits[1].replace(",", "")) if digits else 0


def go_on(page) -> None:
    page.get_by_role("button", name="保存并继续").click()


def register(page, portal, file) -> str:
    """Fill the wizard as a provider would and submit; the dataset's uid."""
    page.goto(f"{portal.url}/register/")
    page.get_by_label("示例交通科技（丽水）").check()
    page.fill("#title", TITLE)
    page.get_by_role("button", name="建立草稿").click()
    page.wait_for_url(re.compile(r"/register/[0-9a-f-]{36}/basics/"))
    uid = page.url.rstrip("/").split("/")[-2]
    page.fill("[name=summary]", "山区公路冬季结冰图像，用于训练路面结冰识别模型。")
    page.locator("input[name=sectors][value=transport]").check()
    page.locator("select[name=region]").select_option("330000")
    page.locator("input[name=update_frequency][value=monthly]").check()
    page.fill("[name=contact_email]", "ice@example.org")
    go_on(page)
    page.wait_for_url("**/content/")
    page.locator("input[name=modalities][value=image]").check()
    page.locator("input[name=model_stages][value=finetune]").check()
    page.fill("[name=record_count]", "12600")
    go_on(page)
    page.wait_for_url("**/construction/")
    go_on(page)
    page.wait_for_url("**/application/")
    go_on(page)
    page.wait_for_url("**/rights/")
    page.fill("[name=rights_holder]", "示例交通科技（丽水）")
    page.locator("input[name=has_holding_right]").check()
    page.fill("[name=rights_basis]", "自有设备采集，合同见附件。")
    page.locator("input[name=license_type][value=commercial_authorization]").check()
    page.locator("input[name=openness][value=conditional]").check()
    go_on(page)
    page.wait_for_url("**/files/")
    page.set_input_files("#sample-file", str(file))
    page.fill("#sample-terms", "仅供评估，不得转让。")
    page.get_by_role("button", name="上传样例").click()
    until(20, lambda: page.goto(f"{portal.url}/register/{uid}/files/") and page.locator(".state--ok").count())
    page.goto(f"{portal.url}/register/{uid}/preview/")
    page.get_by_role("button", name="提交审核").click()
    page.wait_for_url("**/desk/**")
    return uid


def approve(page, portal) -> None:
    page.goto(f"{portal.url}/review/")
    page.get_by_role("link", name=re.compile(TITLE)).first.click()
    for part in ("annotation", "quality", "ethics", "rights"):
        page.locator(f"input[name=verdict-{part}][value=pass]").check()
    page.get_by_role("button", name="通过", exact=True).click()
    page.wait_for_load_state()


def decide(page, portal, uid, kind: str, reason: str) -> None:
    """A national reviewer's decision on the dataset page."""
    page.goto(f"{portal.url}/datasets/{uid}/")
    panel = page.locator(".fedpanel__decide").first
    panel.locator("summary").click()
    panel.locator("textarea").fill(reason)
    panel.locator(f"button[value={kind}]").click()
    page.wait_for_load_state()


def test_the_main_journey(portals, tmp_path):
    national, local = portals
    file = tmp_path / "annotations.csv"
    file.write_text(SAMPLE, encoding="utf-8")
    with chromium() as browser:
        provider = person(browser, local, "provider", PASSWORD)
        reviewer = person(browser, local, "reviewer", PASSWORD)
        seeker = person(browser, national, "seeker", PASSWORD)
        stranger = person(browser, national, "", "")
        overseer = person(browser, national, "reviewer", PASSWORD)
        before = map_count(seeker, national)

        uid = register(provider, local, file)
        assert found(stranger, local) == 0, "a submission is not public"
        approve(reviewer, local)
        graded = until(10, lambda: local_grade(provider, local, uid))
        arrived = until(10, lambda: found(seeker, national))

        assert map_count(seeker, national) == before + 1
        until(10, lambda: national_grade(seeker, national, uid))
        assert sha256_of_download(seeker, national, uid) == hashlib.sha256(SAMPLE.encode()).hexdigest()

        decide(overseer, national, uid, "takedown", "权属存疑，核实期间下架。")
        hidden = until(5, lambda: not found(stranger, national))
        assert stranger.goto(f"{national.url}/datasets/{uid}/").status == 410
        assert map_count(seeker, national) == before
        reached = until(20, lambda: "权属存疑" in desk_text(provider, local, uid))

        decide(overseer, national, uid, "restore", "核实完毕。")
        restored = until(10, lambda: found(stranger, national))
        until(20, lambda: stranger.goto(f"{local.url}/datasets/{uid}/").status == 200)
        errors = [error for page in (provider, reviewer, seeker, stranger, overseer) for error in page.errors]

    assert errors == []
    print(f"seconds: graded {graded:.1f}, found nationally {arrived:.1f}, hidden {hidden:.1f}, owner told {reached:.1f}, restored {restored:.1f}")


def local_grade(page, portal, uid) -> str:
    page.goto(f"{portal.url}/datasets/{uid}/")
    letter = page.locator(".panel .grade__letter").first
    return letter.inner_text().strip() if letter.count() and letter.inner_text().strip() in "ABCD" else ""


national_grade = local_grade


def sha256_of_download(page, portal, uid) -> str:
    """From the dataset page by the one main button, with purpose and terms, to the file on disk."""
    page.goto(f"{portal.url}/datasets/{uid}/")
    page.get_by_role("link", name="下载样例").first.click()
    page.fill("#purpose", "评估能否训练结冰识别模型")
    page.check("#accepted")
    with page.expect_download() as download:
        page.get_by_role("button", name="领取并下载").click()
    return hashlib.sha256(download.value.path().read_bytes()).hexdigest()


def desk_text(page, portal, uid) -> str:
    page.goto(f"{portal.url}/desk/datasets/{uid}/")
    return page.get_by_role("main").inner_text()
