"""The operator's tables. What has a lifecycle is changed by services only: here it is read, searched and nudged."""

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import jobs
from catalog.exceptions import DomainError
from catalog.models import (
    Announcement,
    AuditEntry,
    Dataset,
    Job,
    KnowledgeNode,
    Membership,
    Notification,
    Organization,
    Portal,
    Review,
    SynonymGroup,
    Term,
    User,
)
from catalog.models.search import valid_words
from catalog.services import synonyms
from catalog.services.accounts import verify_organization


class ReadOnly:
    """Looks, never touches."""

    def has_view_permission(self, request, obj=None):
        return request.user.is_staff and (request.user.is_superuser or request.user.is_portal_admin)

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    raw_id_fields = ["user"]


@admin.register(User)
class PortalUserAdmin(UserAdmin):
    list_display = ["username", "display_name", "email", "is_active", "is_staff", "last_login"]
    search_fields = ["username", "display_name", "email"]
    fieldsets = [*UserAdmin.fieldsets, (gettext_lazy("门户"), {"fields": ["display_name", "phone"]})]
    inlines = [MembershipInline]


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):
    list_display = ["name", "kind", "credit_code", "region", "home_portal", "verified_at"]
    list_filter = ["kind", ("verified_at", admin.EmptyFieldListFilter), "home_portal"]
    search_fields = ["name", "short_name", "credit_code"]
    readonly_fields = ["uid", "home_portal", "verified_at", "created_at", "updated_at"]
    raw_id_fields = ["parent"]
    inlines = [MembershipInline]
    actions = ["verify"]

    @admin.action(description=gettext_lazy("核验所选机构"))
    def verify(self, request, queryset):
        done = 0
        for organization in queryset.filter(verified_at=None):
            try:
                verify_organization(organization, user=request.user)
                done += 1
            except DomainError as error:
                self.message_user(request, str(error), messages.ERROR)
                return
        self.message_user(request, _("已核验 %(count)d 家机构。") % {"count": done})

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Term)
class TermAdmin(admin.ModelAdmin):
    list_display = ["scheme", "code", "label", "label_en", "position", "is_active"]
    list_filter = ["scheme", "is_active"]
    search_fields = ["code", "label", "label_en"]
    raw_id_fields = ["parent"]

    def has_delete_permission(self, request, obj=None):
        return False  # listings use the code: switch it off instead


@admin.register(KnowledgeNode)
class KnowledgeNodeAdmin(admin.ModelAdmin):
    list_display = ["code", "label", "parent", "sector", "position"]
    list_filter = ["sector"]
    search_fields = ["code", "label", "label_en"]
    raw_id_fields = ["parent"]


class WordsField(forms.CharField):
    """One word on each line."""

    def __init__(self, **options):
        super().__init__(widget=forms.Textarea(attrs={"rows": 12, "cols": 40}), **options)

    def prepare_value(self, value):
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value):
        words = list(dict.fromkeys(filter(None, (line.strip() for line in super().clean(value).splitlines()))))
        valid_words(words)
        return words


class SynonymGroupForm(forms.ModelForm):
    words = WordsField(label=gettext_lazy("词语"), help_text=gettext_lazy("每行一个词。保存后立即用于检索。"))

    class Meta:
        model = SynonymGroup
        fields = ["code", "domain", "relation", "words", "is_active"]


@admin.register(SynonymGroup)
class SynonymGroupAdmin(admin.ModelAdmin):
    form = SynonymGroupForm
    list_display = ["code", "domain", "relation", "__str__", "is_active", "updated_at"]
    list_filter = ["domain", "relation", "is_active"]
    search_fields = ["code", "words"]

    def save_model(self, request, obj, form, change):
        synonyms.save_group(obj, user=request.user)

    def delete_model(self, request, obj):
        synonyms.delete_group(obj, user=request.user)

    def delete_queryset(self, request, queryset):
        for group in queryset:
            synonyms.delete_group(group, user=request.user)


@admin.register(Announcement)
class AnnouncementAdmin(admin.ModelAdmin):
    list_display = ["title", "note", "published_at", "is_example"]
    search_fields = ["title", "note", "body"]
    date_hierarchy = "published_at"


@admin.register(Portal)
class PortalAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["id", "role", "name", "base_url", "is_self", "updated_at"]
    list_filter = ["role"]
    search_fields = ["id", "name"]


@admin.register(Dataset)
class DatasetAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["title", "organization", "home_portal", "status", "grade", "admission", "updated_at"]
    list_filter = ["status", "grade", "admission", "security_level", "home_portal"]
    list_select_related = ["organization"]
    search_fields = ["title", "identifier", "source_identifier", "organization__name"]
    show_full_result_count = False


@admin.register(Review)
class ReviewAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["dataset", "kind", "round", "state", "submitted_by", "submitted_at", "due_at", "decided_by"]
    list_filter = ["state", "kind"]
    list_select_related = ["dataset", "submitted_by", "decided_by"]
    search_fields = ["dataset__title", "dataset__identifier", "uid"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["id", "at", "actor", "actor_label", "action", "object_type", "object_id"]
    list_filter = ["action", "object_type"]
    list_select_related = ["actor"]
    search_fields = ["action", "object_id", "actor_label", "actor__username"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["kind", "state", "attempts", "done_units", "total_units", "created_at", "finished_at", "error"]
    list_filter = ["state", "kind"]
    search_fields = ["kind", "uid", "error"]
    actions = ["retry", "cancel"]
    show_full_result_count = False

    @admin.action(description=gettext_lazy("重新执行"))
    def retry(self, request, queryset):
        done = 0
        for job in queryset.filter(state__in=["failed", "cancelled"]):
            jobs.enqueue(job.kind, job.payload, key=job.idempotency_key, max_attempts=job.max_attempts)
            done += 1
        self.message_user(request, _("已重新排队 %(count)d 个任务。") % {"count": done})

    @admin.action(description=gettext_lazy("取消"))
    def cancel(self, request, queryset):
        done = queryset.filter(state__in=["queued", "running"]).update(state="cancelled", finished_at=timezone.now())
        self.message_user(request, _("已取消 %(count)d 个任务；进行中的会在下一步停下。") % {"count": done})


@admin.register(Notification)
class NotificationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["user", "kind", "text", "created_at", "read_at"]
    list_filter = ["kind"]
    list_select_related = ["user"]
    search_fields = ["text", "user__username"]
