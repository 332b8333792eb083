"""Sign-up, organisation registration, members and API keys."""

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.utils.translation import gettext_lazy as _

from catalog.labels import term_choices
from catalog.models import ApiToken, Membership, Organization, User


class Styled:
    """Inputs in the portal's look, one description for each help and error."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect)):
                field.widget.attrs["class"] = "input"


class SignUpForm(Styled, forms.Form):
    username = forms.CharField(
        label=_("用户名"), max_length=60, validators=[ASCIIUsernameValidator()], help_text=_("字母、数字和 @ . + - _，登录时用。")
    )
    display_name = forms.CharField(label=_("姓名"), max_length=80, required=False, help_text=_("别人在审核意见和版本记录里看到的名字。"))
    password = forms.CharField(label=_("密码"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), max_length=200, strip=False)
    again = forms.CharField(label=_("再输一次密码"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), max_length=200, strip=False)

    def clean_username(self):
        username = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("这个用户名已经有人用了，请换一个。"))
        return username

    def clean(self):
        password = self.cleaned_data.get("password")
        if password and self.cleaned_data.get("again") not in (None, password):
            self.add_error("again", _("两次输入的密码不一样。"))
        if password:
            try:
                validate_password(
                    password, User(username=self.cleaned_data.get("username", ""), display_name=self.cleaned_data.get("display_name", ""))
                )
            except forms.ValidationError as error:
                self.add_error("password", error)


class OrganizationForm(Styled, forms.ModelForm):
    class Meta:
        model = Organization
        fields = ["name", "short_name", "kind", "credit_code", "region", "description", "website", "contact_email"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["region"] = forms.ChoiceField(label=_("地区"), choices=[("", _("请选择")), *term_choices("region")], required=False)
        self.fields["region"].widget.attrs["class"] = "input"
        self.fields["kind"].choices = Organization.Kind.choices

    def clean_credit_code(self):
        return self.cleaned_data["credit_code"].strip().upper()


class MemberForm(Styled, forms.Form):
    username = forms.CharField(label=_("用户名"), max_length=150)
    role = forms.ChoiceField(label=_("角色"), choices=Membership.Role.choices)


class TokenForm(Styled, forms.Form):
    name = forms.CharField(label=_("用途"), max_length=80, help_text=_("以后凭它认出这把密钥。"))
    scopes = forms.MultipleChoiceField(label=_("权限范围"), widget=forms.CheckboxSelectMultiple)
    days = forms.IntegerField(label=_("有效天数"), min_value=1, max_value=365, initial=90)

    def __init__(self, user, *args, **kwargs):
        super().__init__(*args, **kwargs)
        words = {"read": _("读取"), "write": _("登记和修改"), "review": _("审核"), "admin": _("管理")}
        allowed = {"read", "write"} | ({"review"} if user.is_reviewer else set()) | ({"admin"} if user.is_portal_admin else set())
        self.fields["scopes"].choices = [(scope, words[scope]) for scope in ApiToken.SCOPES if scope in allowed]
