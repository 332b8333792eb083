"""Dataset, the heart of the catalogue, and Version, its immutable history.

Owner-written fields are listed in catalog/listing.py: that list is the listing document which versions keep, imports
write, the quality engine reads and portals exchange. Everything else here is set by services.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.exceptions import InvalidTransition
from catalog.formatting import is_english
from catalog.ids import new_uid
from catalog.querysets import DatasetQuerySet


class Dataset(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft", _("草稿")
        SUBMITTED = "submitted", _("待审核")
        IN_REVIEW = "in_review", _("审核中")
        RETURNED = "returned", _("退回修改")
        REJECTED = "rejected", _("驳回")
        PUBLIC_NOTICE = "public_notice", _("公示中")
        LISTED = "listed", _("已上架")
        SUSPENDED = "suspended", _("暂停")
        DELISTED = "delisted", _("已下架")

    class SecurityLevel(models.TextChoices):  # GB/T 43697-2024
        GENERAL = "general", _("一般数据")
        IMPORTANT = "important", _("重要数据")
        CORE = "core", _("核心数据")

    class Openness(models.TextChoices):
        OPEN = "open", _("无条件开放")
        CONDITIONAL = "conditional", _("有条件开放")
        CLOSED = "closed", _("不予开放")

    class Admission(models.TextChoices):
        """What the national portal decided of a listing; federation projects the latest decision here."""

        NONE = "", _("未上报")
        PENDING = "pending", _("待国家审核")
        ADMITTED = "admitted", _("国家已收录")
        RETURNED = "returned", _("国家退回")
        TAKEN_DOWN = "taken_down", _("国家下架")

    class GradeSource(models.TextChoices):
        NONE = "", _("未评")
        OWN = "own", _("本门户评定")
        HOME = "home", _("来源门户评定")
        NATIONAL = "national", _("国家评定")

    # --- identity and ownership
    uid = models.UUIDField(default=new_uid, unique=True, editable=False)
    identifier = models.CharField(_("统一标识"), max_length=140, unique=True)
    source_identifier = models.CharField(_("原标识"), max_length=500, blank=True)
    home_portal = models.CharField(_("来源门户"), max_length=64, db_index=True)
    organization = models.ForeignKey("catalog.Organization", models.PROTECT, related_name="datasets", verbose_name=_("提供方"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField(_("状态"), max_length=16, choices=Status, default=Status.DRAFT)
    is_example = models.BooleanField(_("示例"), default=False)

    # --- basics
    title = models.CharField(_("名称"), max_length=300)
    title_en = models.CharField(_("英文名称"), max_length=300, blank=True)
    summary = models.CharField(_("摘要"), max_length=600, blank=True)
    description = models.TextField(_("详细说明"), blank=True, max_length=100_000)
    keywords = models.JSONField(_("关键词"), default=list, blank=True)
    landing_page = models.CharField(_("主页"), max_length=1000, blank=True)
    contact_name = models.CharField(_("联系人"), max_length=120, blank=True)
    contact_email = models.CharField(_("联系邮箱"), max_length=254, blank=True)
    contact_phone = models.CharField(_("联系电话"), max_length=60, blank=True)
    issued = models.DateField(_("首次发布"), null=True, blank=True)
    modified = models.DateField(_("数据更新"), null=True, blank=True)

    # --- classification (002 一(三), 二)
    sectors = models.JSONField(_("行业领域"), default=list, blank=True)
    industry = models.CharField(_("国民经济行业"), max_length=8, blank=True)
    region = models.CharField(_("覆盖地区"), max_length=6, blank=True)
    modalities = models.JSONField(_("模态"), default=list, blank=True)
    has_chain_of_thought = models.BooleanField(_("含思维链"), default=False)
    model_stages = models.JSONField(_("模型阶段"), default=list, blank=True)
    knowledge_tier = models.CharField(_("知识层级"), max_length=24, blank=True)
    tier_criteria = models.JSONField(_("层级判定依据"), default=dict, blank=True)  # the seven answers of TC609-5-2025-03
    cognition_layer = models.CharField(_("认知层次"), max_length=24, blank=True)
    knowledge_nodes = models.JSONField(_("知识索引"), default=list, blank=True)
    tasks = models.JSONField(_("任务类型"), default=list, blank=True)
    languages = models.JSONField(_("语种"), default=list, blank=True)
    scenarios = models.JSONField(_("应用场景"), default=list, blank=True)
    build_mode = models.CharField(_("建设模式"), max_length=24, blank=True)
    standards = models.JSONField(_("遵循标准"), default=list, blank=True)
    case_badge = models.CharField(_("典型案例"), max_length=120, blank=True)

    # --- scale
    record_count = models.BigIntegerField(_("记录数"), null=True, blank=True)
    byte_size = models.BigIntegerField(_("数据量（字节）"), null=True, blank=True)
    token_count = models.BigIntegerField(_("词元数"), null=True, blank=True)
    file_count = models.BigIntegerField(_("文件数"), null=True, blank=True)

    # --- source (R5, R38, R43)
    source_types = models.JSONField(_("来源类型"), default=list, blank=True)
    collection_method = models.CharField(_("采集方式"), max_length=24, blank=True)
    collection_channel = models.CharField(_("采集渠道"), max_length=300, blank=True)
    resource_kind = models.CharField(_("资源类别"), max_length=32, blank=True)  # R67
    temporal_start = models.DateField(_("时间范围起"), null=True, blank=True)
    temporal_end = models.DateField(_("时间范围止"), null=True, blank=True)
    is_synthetic = models.BooleanField(_("合成数据"), default=False)
    synthetic_method = models.TextField(_("合成方法"), blank=True)
    annotation_method = models.CharField(_("标注方式"), max_length=24, blank=True)
    annotator_type = models.CharField(_("标注人员"), max_length=24, blank=True)

    # --- rights (R33, R111, R119; 数据二十条)
    rights_holder = models.CharField(_("权利人"), max_length=200, blank=True)
    has_holding_right = models.BooleanField(_("数据资源持有权"), default=False)
    has_processing_right = models.BooleanField(_("数据加工使用权"), default=False)
    has_operating_right = models.BooleanField(_("数据产品经营权"), default=False)
    rights_basis = models.TextField(_("权利依据"), blank=True)
    rights_evidence = models.CharField(_("权属证明"), max_length=1000, blank=True)
    ip_registration = models.CharField(_("数据知识产权登记号"), max_length=80, blank=True)
    license_type = models.CharField(_("授权类型"), max_length=32, blank=True)
    license = models.CharField(_("许可"), max_length=300, blank=True)
    license_url = models.CharField(_("许可全文"), max_length=1000, blank=True)
    allowed_scenarios = models.TextField(_("许可使用场景"), blank=True)
    allowed_scope = models.TextField(_("许可使用范围"), blank=True)

    # --- security (R86, GB/T 43697-2024)
    security_level = models.CharField(_("数据级别"), max_length=12, choices=SecurityLevel, default=SecurityLevel.GENERAL)
    has_personal_information = models.BooleanField(_("含个人信息"), default=False)
    deidentification = models.TextField(_("去标识化说明"), blank=True)
    openness = models.CharField(_("开放属性"), max_length=12, choices=Openness, default=Openness.CONDITIONAL)
    access_method = models.CharField(_("获取方式"), max_length=24, blank=True)
    access_note = models.TextField(_("获取说明"), blank=True)

    # --- upkeep (R68, R109)
    update_frequency = models.CharField(_("更新频率"), max_length=24, blank=True)
    storage_place = models.CharField(_("存储位置"), max_length=200, blank=True)
    maintenance_contact = models.CharField(_("维护联系方式"), max_length=200, blank=True)

    # --- trade (pricing is description and links only)
    price_model = models.CharField(_("计价方式"), max_length=32, blank=True)
    price_note = models.CharField(_("价格说明"), max_length=300, blank=True)
    price_index = models.IntegerField(_("价格指数"), null=True, blank=True)
    exchange_url = models.CharField(_("交易专区"), max_length=1000, blank=True)

    # --- documentation: 20 items of documentation_items.csv, {english name: {"text": …, structured parts}}
    documentation = models.JSONField(_("说明文档"), default=dict, blank=True)
    lineage = models.JSONField(_("血缘"), default=list, blank=True)  # [{"relation", "identifier", "title"}]
    citation = models.TextField(_("引用方式"), blank=True)  # the source the statements come from, or how to cite
    extras = models.JSONField(_("未映射属性"), default=dict, blank=True)  # what an import could not map is kept

    # --- lifecycle, set by services
    rev = models.BigIntegerField(_("修订号"), default=0)  # the owner's, grows by one with each committed change (fed/1)
    serial = models.BigIntegerField(default=0)  # this portal's, orders index writes
    document_hash = models.CharField(max_length=64, blank=True)
    current_version = models.ForeignKey("Version", models.PROTECT, null=True, blank=True, related_name="+")
    submitted_at = models.DateTimeField(_("提交时间"), null=True, blank=True)
    listed_at = models.DateTimeField(_("上架时间"), null=True, blank=True)
    notice_until = models.DateTimeField(_("公示截止"), null=True, blank=True)
    status_reason = models.TextField(_("状态说明"), blank=True)
    admission = models.CharField(_("国家收录"), max_length=12, choices=Admission, default=Admission.NONE, blank=True)
    admission_reason = models.TextField(_("国家意见"), blank=True)
    synced_at = models.DateTimeField(_("同步时间"), null=True, blank=True)

    # --- grade, published by quality through services.datasets.publish_grade
    grade = models.CharField(_("质量等级"), max_length=1, blank=True)
    score = models.DecimalField(_("质量得分"), max_digits=5, decimal_places=2, null=True, blank=True)
    assurance = models.CharField(_("保证级别"), max_length=2, blank=True)
    graded_at = models.DateTimeField(_("评定时间"), null=True, blank=True)
    grade_source = models.CharField(max_length=10, choices=GradeSource, default=GradeSource.NONE, blank=True)
    documentation_score = models.PositiveSmallIntegerField(_("说明文档得分"), default=0)

    # --- counters, updated in place
    view_count = models.BigIntegerField(_("浏览"), default=0)
    download_count = models.BigIntegerField(_("样例下载"), default=0)
    request_count = models.BigIntegerField(_("申请"), default=0)

    created_at = models.DateTimeField(_("登记时间"), auto_now_add=True)
    updated_at = models.DateTimeField(_("记录更新"), auto_now=True)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("数据集")
        ordering = ["-id"]
        permissions = [
            ("review_dataset", "审核数据集"),
            ("evaluate_dataset", "评测数据集"),
            ("administer_portal", "管理门户"),
        ]
        indexes = [
            models.Index(fields=["status", "-listed_at"]),
            models.Index(fields=["home_portal", "source_identifier"]),
            models.Index(fields=["organization", "status"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["home_portal", "organization", "source_identifier"],
                condition=~Q(source_identifier=""),
                name="dataset_source_identifier_once",
            ),
            models.CheckConstraint(condition=~Q(title=""), name="dataset_has_title"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "draft",
                        "submitted",
                        "in_review",
                        "returned",
                        "rejected",
                        "public_notice",
                        "listed",
                        "suspended",
                        "delisted",
                    ]
                ),
                name="dataset_status_known",
            ),
            models.CheckConstraint(condition=Q(security_level__in=["general", "important", "core"]), name="dataset_level_known"),
            # 核心数据 are never on offer (SECURITY: levels); a draft may say so and is refused at submission.
            models.CheckConstraint(
                condition=~Q(security_level="core") | Q(status__in=["draft", "returned", "rejected", "delisted"]),
                name="dataset_core_never_offered",
            ),
            models.CheckConstraint(condition=Q(grade__in=["", "A", "B", "C", "D"]), name="dataset_grade_known"),
            models.CheckConstraint(condition=Q(record_count__isnull=True) | Q(record_count__gte=0), name="dataset_records_positive"),
            models.CheckConstraint(condition=Q(byte_size__isnull=True) | Q(byte_size__gte=0), name="dataset_bytes_positive"),
            models.CheckConstraint(
                condition=Q(temporal_start__isnull=True) | Q(temporal_end__isnull=True) | Q(temporal_end__gte=models.F("temporal_start")),
                name="dataset_time_span_ordered",
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("catalog:dataset_detail", args=[self.uid])

    def require_status(self, *allowed: str) -> None:
        if self.status not in allowed:
            raise InvalidTransition(_("“%(title)s”现在是“%(status)s”，不能这样操作。") % {"title": self.title, "status": self.get_status_display()})

    @property
    def is_remote(self) -> bool:
        return self.home_portal != settings.PORTAL_ID

    @property
    def is_cited(self) -> bool:
        """Quoted from a public document by a portal's administrator, not registered by the body it names: never evaluated."""
        return self.extras.get("entry_kind") == "cited"

    @property
    def is_multimodal(self) -> bool:
        return "multimodal" in self.modalities or len(self.modalities) > 1

    @property
    def title_local(self) -> str:
        return self.title_en or self.title if is_english() else self.title

    @property
    def is_public(self) -> bool:
        """Mirrors DatasetQuerySet.published for one row."""
        if self.status != self.Status.LISTED or self.admission == self.Admission.TAKEN_DOWN:
            return False
        return not self.is_remote or self.admission == self.Admission.ADMITTED


class Version(models.Model):
    """An immutable snapshot (R74, R75, R87): 更新内容, 责任人, 时间戳. Triggers refuse UPDATE; rows are only ever added."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("版本号"))
    label = models.CharField(_("版本标签"), max_length=40, blank=True)
    change_note = models.TextField(_("更新内容"))
    responsible = models.CharField(_("责任人"), max_length=120)
    responsible_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField(_("时间戳"))
    document = models.JSONField(_("快照"))
    sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name = verbose_name_plural = _("版本")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="version_number_once")]

    def __str__(self):
        return f"v{self.number}"
