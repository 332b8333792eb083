"""Fill one portal with the demonstration, through the same services that people use; running it again changes nothing."""

from datetime import timedelta

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from catalog import jobs
from catalog.demo import cited, invented, news, samples, wider
from catalog.demo.accounts import ACCOUNTS, make_account
from catalog.models import Announcement, Dataset, Demand, Feedback, Membership, Organization, Review, User
from catalog.services import matching, registration, review
from catalog.services.publication import announce
from catalog.services.samples import add_sample
from catalog.signals import demo_filled

CONTENT = {
    "national": (cited.NATIONAL, [*invented.NATIONAL, *wider.NATIONAL]),
    "local": (cited.ZHEJIANG, [*invented.ZHEJIANG, *wider.ZHEJIANG]),
    "industry": (cited.HEALTHCARE, invented.HEALTHCARE),
}
# The organisations of the accounts `provider` and `provider2`; each other one has its own people, who do not sign in here.
OWNERS = {
    "provider": ("示例交通科技", "示例智造", "示例能源研究院", "示例医学影像中心", "示例机器人创新中心", "示例新能源"),
    "provider2": ("示例电商", "示例出行", "示例眼科联盟", "示例教育科技"),
}
TERMS = "仅供评估与研究；不得用于识别个人，不得转让；使用后请反馈问题。"


def load(*, password: str, on_progress=lambda done, total: None) -> int:
    """Datasets made. Accounts first, then listings in every state, then the jobs that grade them."""
    users = {username: make_account(username, name, group, password) for username, name, group in ACCOUNTS}
    if Dataset.objects.own().exists():
        return 0
    named, made = CONTENT[settings.PORTAL_ROLE]
    rows = [*named, *([cited.IRIS] if settings.PORTAL_ROLE == "national" else []), *made]
    users["elsewhere"] = make_registrar()
    for number, row in enumerate(rows, 1):
        add_listing(row, users)
        on_progress(number, len(rows))
    jobs.run_due()
    add_life(users)
    demo_filled.send(sender=Dataset, users=users, password=password)
    jobs.run_due()
    return len(rows)


def make_registrar() -> User:
    """Who registers for the organisations that no account of the demonstration belongs to; cannot sign in."""
    user, created = User.objects.get_or_create(username="registrar", defaults={"display_name": "登记员", "is_active": False})
    if created:
        user.set_unusable_password()
        user.save()
    return user


def make_organization(name: str, kind: str, region: str, owner: User | None) -> Organization:
    organization, _created = Organization.objects.get_or_create(
        name=name,
        home_portal=settings.PORTAL_ID,
        defaults={"kind": kind, "region": region, "is_example": True, "verified_at": timezone.now()},
    )
    if owner:
        Membership.objects.get_or_create(user=owner, organization=organization, defaults={"role": "owner"})
        owner.__dict__.pop("_memberships", None)  # asked once per request otherwise
    return organization


def add_listing(row, users) -> Dataset:
    """One listing through draft, sample, submission and review to the state it is to show."""
    if isinstance(row, dict):
        return add_cited(row, users)
    owner = users[next((name for name, held in OWNERS.items() if row.organization.startswith(held)), "elsewhere")]
    with transaction.atomic():
        organization = make_organization(row.organization, row.kind, row.region, owner)
        dataset = registration.create_dataset(invented.listing(row), organization=organization, user=owner)
        if row.sample and row.level == Dataset.SecurityLevel.GENERAL:
            attach(dataset, row.sample, owner, is_synthetic=True)
    jobs.run_due()  # the sample is profiled before anyone looks at the submission
    dataset.refresh_from_db()
    with transaction.atomic():
        advance(dataset, row.state, owner, users)
    Dataset.objects.filter(pk=dataset.pk).update(download_count=row.downloads, view_count=row.downloads * 9)
    return dataset


@transaction.atomic
def add_cited(row, users) -> Dataset:
    """A statement of a source document: entered by the portal's administrator, listed as such."""
    document = {name: value for name, value in row.items() if name not in ("organization", "sample")} | {"is_example": True}
    if not row.get("sample"):
        document["extras"] = {"entry_kind": "cited"}  # quoted, not registered by the body it names: shown without a grade
    owner = users["provider"] if "示例" in row["organization"][0] else None
    organization = make_organization(*row["organization"], owner)
    dataset = registration.create_dataset(document, organization=organization, user=users["admin"])
    if row.get("sample"):
        attach(dataset, row["sample"], users["admin"], is_synthetic=False)
    # What the source does not say cannot be demanded of it, so the entry is listed without the form check.
    Dataset.objects.filter(pk=dataset.pk).update(status=Dataset.Status.SUBMITTED)
    dataset.refresh_from_db()
    return review.list_dataset(dataset, user=users["admin"], change_note="依据公开文件整理")


def attach(dataset, kind, user, *, is_synthetic):
    filename, content = samples.build(kind, dataset.title)
    upload = SimpleUploadedFile(filename, content)
    add_sample(dataset, upload, user=user, terms=TERMS, description="演示样例", is_synthetic=is_synthetic)


def advance(dataset: Dataset, state: str, owner: User, users) -> None:
    if state == "draft":
        return
    with transaction.atomic():
        round_ = registration.submit_dataset(dataset, user=owner)
    if state == "submitted":
        return
    review.start_review(round_, reviewer=users["reviewer"])
    review.add_comment(round_, author=users["reviewer"], pointer="/rights_evidence", body="权属证明请附上授权合同的编号。")
    if state == "in_review":
        return
    if state == "returned":
        review.return_review(round_, reviewer=users["reviewer"], reason="去标识化的方法没有写清楚，请补充后再提交。")
        return
    if state == "rejected":
        review.reject_review(round_, reviewer=users["reviewer"], reason="评价文本来自第三方平台，没有取得授权。")
        return
    for part in ("annotation", "quality", "ethics", "rights"):
        review.give_verdict(round_, part=part, verdict="pass", reviewer=users["reviewer"])
    review.approve_review(round_, reviewer=users["reviewer"], reason="材料齐全。", notice_days=10 if state == "public_notice" else 0)
    dataset.refresh_from_db()
    if state == "delisted":
        review.delist_dataset(dataset, user=owner, reason="数据已由新版替代，旧版不再提供。")
    elif state == "suspended":
        review.suspend_dataset(dataset, user=users["reviewer"], reason="接到投诉，核实授权期间暂停。")
    elif state == "revision":
        count = dataset.record_count + 4000
        summary = dataset.summary.replace(f"{dataset.record_count:,}", f"{count:,}") + "新增冬季样本。"
        method = dataset.documentation | {"evaluation_method": {"text": "按采集地点和季节留出 10% 作测试，报告 F1 与召回率。"}}
        changes = {
            "record_count": count,
            "byte_size": dataset.byte_size + 9 * invented.GB,
            "modified": "2026-11-10",
            "temporal_end": "2026-11-10",
            "summary": summary,
            "update_frequency": "quarterly",
            "documentation": method,
        }
        registration.update_dataset(dataset, changes, user=owner, change_note="新增冬季样本 4,000 条，修正 12 处标签。")
        registration.submit_dataset(dataset, user=owner)


def add_life(users) -> None:
    """A second version, feedback, a demand: what a running portal has."""
    first = Dataset.objects.own().filter(status="listed", organization__is_example=True, samples__isnull=False).order_by("pk").first()
    if first and users["provider"].pk in first.organization.memberships.values_list("user_id", flat=True):
        with transaction.atomic():
            count = (first.record_count or 0) + 12_000
            summary = first.summary.replace(f"{first.record_count:,}", f"{count:,}")
            changes = {"record_count": count, "summary": summary, "keywords": [*first.keywords, "路面病害"]}
            registration.update_dataset(first, changes, user=users["provider"], change_note="补充雨天样本 12,000 条。")
            round_ = registration.submit_dataset(first, user=users["provider"])
            review.approve_review(round_, reviewer=users["reviewer2"], reason="差异清楚。")
    if first:
        Feedback.objects.create(dataset=first, author=users["seeker"], kind="rating", rating=4, body="样例的列说明清楚，希望增加夜间数据。")
        Feedback.objects.create(
            dataset=first,
            author=users["seeker"],
            kind="model_effect",
            body="在自有测试集上的对比（示例值）。",
            data={"model": "示例检测模型", "metric": "F1", "before": "0.74", "after": "0.81"},
        )
    add_news()
    Demand.objects.create(
        title="求购：山区道路积雪结冰图像（示例）",
        author=users["seeker"],
        home_portal=settings.PORTAL_ID,
        scope="海拔 800 米以上的县乡道路，两个冬季",
        content="可见光图像，标注积雪、结冰、湿滑三类",
        quality="标注一致率不低于 95%",
        sectors=["transport"],
        modalities=["image"],
        record_count=50_000,
        is_example=True,
        state=Demand.State.PUBLISHED,
        published_at=timezone.now(),
        priority=Demand.Priority.HIGH,
        deadline=(timezone.now() + timedelta(days=60)).date(),
    )
    add_demands(users["seeker"])
    spread_deadlines()
    # Spread the listing dates, so that newest, change in 7 days and freshness have something to tell.
    listed = list(Dataset.objects.own().filter(status="listed").order_by("pk"))
    for number, dataset in enumerate(listed):
        dataset.listed_at = timezone.now() - timedelta(days=(number * 37) % 150, hours=number)
    Dataset.objects.bulk_update(listed, ["listed_at"])
    with transaction.atomic():
        announce(listed, bump=False)
        for demand in Demand.objects.filter(state=Demand.State.PUBLISHED):
            matching.ask(demand)
    jobs.run_due()


def add_news() -> None:
    now = timezone.now()
    for days, title, note, body in news.NEWS[settings.PORTAL_ROLE]:
        Announcement.objects.create(title=f"{title}（示例）", note=note, body=body, published_at=now - timedelta(days=days, hours=2), is_example=True)


def add_demands(seeker: User) -> None:
    today = timezone.localdate()
    for title, scope, content, quality, sector, modality, records, days in wider.DEMANDS[settings.PORTAL_ROLE]:
        Demand.objects.create(
            title=f"{title}（示例）",
            author=seeker,
            home_portal=settings.PORTAL_ID,
            scope=scope,
            content=content,
            quality=quality,
            sectors=[sector],
            modalities=[modality],
            record_count=records,
            is_example=True,
            state=Demand.State.PUBLISHED,
            published_at=timezone.now(),
            deadline=today + timedelta(days=days),
        )


def spread_deadlines() -> None:
    """Waiting reviews were not all handed in a minute ago: one is late, one is due today, the rest follow."""
    now = timezone.now()
    for row, left in zip(Review.objects.filter(state__in=Review.OPEN_STATES).order_by("pk"), (2, -1, 0.02, 5, 8, 12, 16, 19), strict=False):
        row.due_at = now + timedelta(days=left)
        row.submitted_at = row.due_at - timedelta(days=settings.PORTAL_REVIEW_DAYS)
        row.save(update_fields=["due_at", "submitted_at"])
