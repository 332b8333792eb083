"""The form of a demand: what PRODUCT page 12 asks, prefilled from a search where it comes from one."""

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.forms.accounts import Styled
from catalog.labels import region_choices, term_choices
from catalog.models import Demand, Organization
from catalog.search.query import MISSING, SearchQuery


class DemandForm(Styled, forms.Form):
    title = forms.CharField(label=_("需求名称"), max_length=300, help_text=_("一句话说清要什么数据，如“山区道路积雪结冰图像”。"))
    content = forms.CharField(
        label=_("内容要求"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("有哪些字段、标注、场景。提交前要填。"),
    )
    scope = forms.CharField(
        label=_("数据范围"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 2}), help_text=_("地域、时间、对象的范围。")
    )
    availability = forms.CharField(
        label=_("可用要求"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 2}), help_text=_("许可、交付方式、更新频率。")
    )
    quality = forms.CharField(
        label=_("质量要求"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 2}), help_text=_("等级、准确率、一致率等。")
    )
    sectors = forms.MultipleChoiceField(label=_("行业领域"), required=False, widget=forms.CheckboxSelectMultiple)
    modalities = forms.MultipleChoiceField(label=_("模态"), required=False, widget=forms.CheckboxSelectMultiple)
    region = forms.ChoiceField(label=_("地区"), required=False)
    record_count = forms.IntegerField(label=_("期望规模（条）"), required=False, min_value=1, max_value=2**53)
    annotation_precision = forms.CharField(label=_("标注精度"), max_length=200, required=False, help_text=_("如“框的交并比不低于 0.9”。"))
    priority = forms.ChoiceField(label=_("优先级"), choices=Demand.Priority.choices, initial=Demand.Priority.NORMAL)
    deadline = forms.DateField(label=_("截止日期"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    budget_note = forms.CharField(label=_("预算说明"), max_length=200, required=False)
    organization = forms.ChoiceField(label=_("以哪个机构的名义"), required=False)
    contact = forms.CharField(
        label=_("联系方式"), max_length=200, required=False, help_text=_("电话或邮箱；给谁看由下一项决定，公开页面上从不出现。")
    )
    contact_to = forms.ChoiceField(label=_("联系方式给谁看"), choices=Demand.ContactTo.choices, initial=Demand.ContactTo.ACCEPTED)
    query = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)

    def __init__(self, user, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sectors"].choices = term_choices("sector")
        self.fields["modalities"].choices = term_choices("modality")
        self.fields["region"].choices = [("", _("不限")), *region_choices()]
        own = Organization.objects.filter(pk__in=user.organization_ids("owner", "editor")).order_by("name")
        self.organizations = {str(row.uid): row for row in own}
        self.fields["organization"].choices = [("", _("个人")), *((uid, row.name) for uid, row in self.organizations.items())]

    def values(self) -> dict:
        return {name: value for name, value in self.cleaned_data.items() if name != "organization"}

    def chosen_organization(self):
        return self.organizations.get(self.cleaned_data.get("organization") or "")


def initial_of(demand: Demand) -> dict:
    names = [name for name in DemandForm.base_fields if name != "organization"]
    return {name: getattr(demand, name) for name in names} | {"organization": str(demand.organization.uid) if demand.organization_id else ""}


def initial_from(query: SearchQuery, words: list[str], asked: str) -> dict:
    """What a search that found too little says of the demand."""
    chosen = {name: [value for value in query.filters.get(name, ()) if value != MISSING] for name in ("sector", "modality", "region")}
    text = " ".join(query.text.split())[:300]
    return {
        "title": text,
        "content": "\n".join(words)[:4000] if len(words) > bool(text) else "",
        "sectors": chosen["sector"],
        "modalities": chosen["modality"],
        "region": next(iter(chosen["region"]), ""),
        "query": asked if len(asked) <= 2000 else "",
    }
