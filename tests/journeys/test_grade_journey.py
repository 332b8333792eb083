"""A listing taken from D to A at the screen: the provider follows its report's advice, uploads a sample, experts score; the trend shows it all."""

import re

import pytest

from tests.journeys.browser import chromium, person
from tests.journeys.portals import PortalProcess
from tests.journeys.test_main_journey import ACCOUNTS, PASSWORD, until

pytestmark = [pytest.mark.browser, pytest.mark.processes]
SAMPLE = "文件,类别,宽度\n" + "".join(f"img_{n:05}.jpg,{'裂缝' if n % 5 < 3 else '坑槽'},{n % 97 + n % 13 / 10}\n" for n in range(6000))
TITLE = "示例：公路病害影像标注表"
LISTED = """
from catalog.models import Organization, User
from catalog.services import registration, review
document = {{"title": "{title}", "summary": "公路病害影像的标注，用于训练识别模型。", "sectors": ["transport"],
            "modalities": ["image"],
            "region": "330000", "keywords": ["公路"], "model_stages": ["finetune"], "contact_email": "road@example.org",
            "rights_holder": "示例交通科技（丽水）",
            "rights_basis": "自行采集", "has_holding_right": True, "license_type": "commercial_authorization", "update_frequency": "annual"}}
provider = User.objects.get(username="provider")
dataset = registration.create_dataset(document, organization=Organization.objects.get(name="示例交通科技（丽水）"), user=provider)
review.approve_review(registration.submit_dataset(dataset, user=provider), reviewer=User.objects.get(username="reviewer"))
print(dataset.uid)
"""
# Three experts whose round has ended: the desk where they score has tests of its own.
EXPERTS = """
from django.utils import timezone
from catalog.models import Dataset
from quality.models import ExpertRound
from quality.services import triggers
from quality.services.rounds import samples_hash
dataset = Dataset.objects.get(uid="{uid}")
codes = "0101 0102 0103 0104 0202 0203 0205 0206 0207 0208 0301 0302 0303 0304 0305".split()
result = {{code: {{"value": "96.00", "low": "94.00", "high": "98.00", "n": 3, "method": "median"}} for code in codes}}
ExpertRound.objects.create(dataset=dataset, state="closed", counts=True, closed_at=timezone.now(), due_at=timezone.now(), seed=1, indicators=codes,
                           result=result, document_hash=dataset.document_hash, samples_hash=samples_hash(dataset))
triggers.ask(dataset, "opinions", at_once=True)
"""
CONTENT = {
    "record_count": "12600", "byte_size": "2 GB", "cognition_layer": "", "knowledge_tier": "",
    "doc-distribution_note-parts-0-name": "裂缝", "doc-distribution_note-parts-0-share": "60",
    "doc-distribution_note-parts-1-name": "坑槽", "doc-distribution_note-parts-1-share": "40",
    "doc-label_statistics-labels-0-name": "裂缝", "doc-label_statistics-labels-0-count": "7560",
    "doc-label_statistics-labels-1-name": "坑槽", "doc-label_statistics-labels-1-count": "5040",
    "doc-limitations": "只在晴天采集，夜间和雨雪天气没有覆盖；山区隧道内的影像偏少，桥面伸缩缝没有单独标注。" * 2,
}  # fmt: skip
CONSTRUCTION = {
    "source_types": "", "collection_method": "sensor", "collection_channel": "巡检车", "temporal_start": "2026-01-01", "temporal_end": "2026-09-30",
    "doc-data_source-sources-0-name": "巡检车", "doc-data_source-sources-0-type": "自行采集", "doc-data_source-sources-0-authorization": "合同 12 号",
    "doc-processing_flow-steps-0-name": "去重", "doc-processing_flow-steps-0-tool": "脚本 1.2", "doc-processing_flow-steps-0-date": "2026-02-01",
    "doc-processing_flow-steps-1-name": "脱敏", "doc-processing_flow-steps-1-tool": "模型 3", "doc-processing_flow-steps-1-date": "2026-02-03",
    "annotation_method": "", "annotator_type": "", "doc-annotation_rules": "按《路面病害分类》标注，每张由两人独立标注，不一致的由第三人裁定。" * 3,
    "doc-version_control-changes-0-version": "1.0.0", "doc-version_control-changes-0-date": "2026-03-01",
}  # fmt: skip
APPLICATION = {
    "scenarios": "路面巡检", "doc-evaluation_method": "在留出的两成图像上计算 mAP。",
    "doc-benchmark_results-results-0-model": "YOLO", "doc-benchmark_results-results-0-metric": "mAP", "doc-benchmark_results-results-0-value": "0.81",
    "doc-benchmark_results-results-0-date": "2026-03-01",
    "doc-typical_cases-cases-0-organization": "示例养护中心", "doc-typical_cases-cases-0-effect": "巡检用时减少三成",
}  # fmt: skip
RIGHTS = {
    "rights_evidence": "合同 12 号", "license": "授权协议 1.0", "deidentification": "车牌与人脸全部模糊，漏检率 0.2%，由安全部复核。",
    "access_method": "", "access_note": "在线申请，三个工作日内答复。",
}  # fmt: skip
FILES = {"resources-0-name": "影像清单.csv", "resources-0-format": "CSV", "resources-0-byte_size": "200000"}


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    portal = PortalProcess("cn-33", "local", "浙江门户", "浙江", tmp_path_factory.mktemp("grade"))
    try:
        portal.manage("load_vocabularies", "-v0")
        portal.manage("shell", "-v0", "-c", ACCOUNTS.format(password=PASSWORD))
        portal.start()
        yield portal
    finally:
        portal.stop()


def enter(page, values: dict) -> None:
    """Fill a step as a person would; "" chooses an option there is. A row that is not there yet comes with the next save."""
    while values:
        later = {}
        for name, value in values.items():
            field = page.locator(f"[name='{name}']:not([type=hidden])")
            if not field.count():
                later[name] = value
                continue
            kind = field.first.get_attribute("type") or field.first.evaluate("node => node.tagName.toLowerCase()")
            if kind in ("radio", "checkbox"):
                (field.nth(min(1, field.count() - 1)) if value == "" else page.locator(f"[name='{name}'][value='{value}']")).check()
            elif kind == "select":
                field.select_option(index=1) if value == "" else field.select_option(value)
            else:
                field.first.fill(value)
        page.get_by_role("button", name="保存", exact=True).click()
        page.wait_for_load_state()
        assert page.locator(".field--error").count() == 0, page.locator(".field__error").all_inner_texts()
        assert len(later) < len(values), later
        values = later


def submit_and_approve(provider, reviewer, portal, uid, note: str) -> None:
    provider.goto(f"{portal.url}/register/{uid}/preview/")
    assert provider.locator("[name=change_note]").count(), provider.locator("main").inner_text()[:600]
    provider.fill("[name=change_note]", note)
    provider.get_by_role("button", name=re.compile("提交")).last.click()
    provider.wait_for_url("**/desk/**")
    reviewer.goto(f"{portal.url}/review/")
    reviewer.get_by_role("link", name=re.compile(TITLE)).first.click()
    for part in ("annotation", "quality", "ethics", "rights"):
        reviewer.locator(f"input[name=verdict-{part}][value=pass]").check()
    reviewer.get_by_role("button", name="通过", exact=True).click()
    reviewer.wait_for_load_state()


def shown(page, portal, uid) -> tuple[str, str, float]:
    """(grade, level, total) on the report page."""
    page.goto(f"{portal.url}/datasets/{uid}/quality/")
    if not page.locator(".report__total").count():
        return "", "", 0.0
    level = page.locator(".report .grade__level span").first.inner_text().split()[0]
    return page.locator(".report .grade__letter").first.inner_text(), level, float(page.locator(".report__total").inner_text().split()[0])


def test_from_d_to_a_by_following_the_advice(portal, tmp_path):
    uid = portal.manage("shell", "-v0", "-c", LISTED.format(title=TITLE)).split()[-1]
    file = tmp_path / "标注.csv"
    file.write_text(SAMPLE, encoding="utf-8")
    seen = []
    with chromium() as browser:
        provider, reviewer = person(browser, portal, "provider", PASSWORD), person(browser, portal, "reviewer", PASSWORD)
        until(40, lambda: shown(provider, portal, uid)[0] == "D")
        seen.append(shown(provider, portal, uid))

        provider.locator(".advice__do").first.click()  # the advice leads to its field
        anchor = provider.url.split("#")[1]
        assert provider.locator(f"#{anchor}").count() == 1
        for step, values in (
            ("content", CONTENT),
            ("construction", CONSTRUCTION),
            ("application", APPLICATION),
            ("rights", RIGHTS),
            ("files", FILES),
        ):
            provider.goto(f"{portal.url}/register/{uid}/{step}/")
            enter(provider, values)
        submit_and_approve(provider, reviewer, portal, uid, "补全说明文档")
        until(40, lambda: shown(provider, portal, uid)[0] == "C")
        seen.append(shown(provider, portal, uid))
        assert "V7" in provider.content() or "没有可分析的样例" in provider.locator(".cap").inner_text()

        provider.goto(f"{portal.url}/register/{uid}/files/")
        provider.set_input_files("#sample-file", str(file))
        provider.fill("#sample-terms", "仅供评估，不得转让。")
        provider.get_by_role("button", name="上传样例").click()
        until(40, lambda: provider.goto(f"{portal.url}/register/{uid}/files/") and provider.locator(".wizard__samples .state").count())
        until(40, lambda: provider.goto(f"{portal.url}/register/{uid}/files/") and "检查中" not in provider.locator(".wizard__samples").inner_text())
        submit_and_approve(provider, reviewer, portal, uid, "补充样例")
        until(40, lambda: shown(provider, portal, uid)[:2] == ("B", "L1"))
        seen.append(shown(provider, portal, uid))

        portal.manage("shell", "-v0", "-c", EXPERTS.format(uid=uid))
        until(40, lambda: shown(provider, portal, uid)[1] == "L2")
        seen.append(shown(provider, portal, uid))

        assert [row[0] for row in seen] == ["D", "C", "B", "A"], seen
        assert provider.locator(".chart__dot").count() >= 4
        trend = provider.locator("figure .table").inner_text()
        assert all(f"{row[2]:.1f}" in trend for row in seen), (seen, trend)
        assert not provider.errors and not reviewer.errors
