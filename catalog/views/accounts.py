"""Sign-up, organisations, members and API keys."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.api.authentication import create_token
from catalog.forms.accounts import MemberForm, OrganizationForm, SignUpForm, TokenForm
from catalog.models import ApiToken, Organization, User
from catalog.services import accounts
from catalog.views.acting import attempt, number, valid_uid


def sign_up(request):
    if request.user.is_authenticated:
        return redirect("catalog:desk")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            user = accounts.sign_up(username=data["username"], password=data["password"], display_name=data["display_name"])
        except IntegrityError:  # taken between the check and the insert
            form.add_error("username", _("这个用户名已经有人用了，请换一个。"))
        else:
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            return redirect("catalog:desk")
    return render(request, "catalog/accounts/form.html", page(form, _("注册账号"), _("注册"), "signup"), status=422 if form.errors else 200)


def page(form, title, button, kind):
    return {"form": form, "title": title, "button": button, "kind": kind}


@login_required
def organization_new(request):
    form = OrganizationForm(request.POST or None)
    error = None
    if request.method == "POST" and form.is_valid():
        error = attempt(
            request,
            lambda: accounts.register_organization(form.cleaned_data, user=request.user),
            _("“%(name)s”已登记，等待管理员核验；现在就可以开始填写数据集。") % {"name": form.cleaned_data["name"]},
        )
        if error is None:
            return redirect("catalog:desk")
    status = error.status if error else 422 if form.errors else 200
    return render(request, "catalog/accounts/form.html", page(form, _("登记机构"), _("提交登记"), "organization"), status=status)


def own_organizations(user):
    known = Organization.objects.filter(home_portal__in=["", settings.PORTAL_ID])
    return known.filter(pk__in=user.organization_ids()).prefetch_related("memberships__user")


@login_required
def members(request):
    """Members of every organisation one belongs to; owners change them."""
    form, error = MemberForm(request.POST or None), None
    if request.method == "POST":
        organization = get_object_or_404(own_organizations(request.user), uid=valid_uid(request.POST.get("organization_uid")))
        if "remove" in request.POST:
            person = get_object_or_404(User, pk=number(request.POST["remove"]))
            error = attempt(request, lambda: accounts.remove_member(organization, person=person, by=request.user), _("已移出机构。"))
        elif form.is_valid():
            data = form.cleaned_data
            error = attempt(request, lambda: accounts.set_member(organization, **data, by=request.user), _("成员已更新。"))
        if error is None and not form.errors or "remove" in request.POST and error is None:
            return redirect("catalog:desk_members")
    owned = request.user.organization_ids("owner")
    organizations = list(own_organizations(request.user))
    for organization in organizations:
        organization.may_manage = organization.pk in owned or request.user.is_portal_admin
    status = error.status if error else 422 if form.is_bound and form.errors else 200
    return render(request, "catalog/desk/members.html", {"organizations": organizations, "form": form, "section": "members"}, status=status)


@login_required
def keys(request):
    """API keys of the signed-in person; a new one is shown once, on the answer to the form that made it."""
    form, secret = TokenForm(request.user, request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        _row, secret = create_token(request.user, **form.cleaned_data)
        form = TokenForm(request.user)
    context = {"form": form, "secret": secret, "tokens": request.user.api_tokens.order_by("-id"), "section": "keys"}
    response = render(request, "catalog/desk/keys.html", context, status=422 if form.errors else 200)
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def revoke_key(request, pk):
    token = get_object_or_404(ApiToken, pk=pk, user=request.user)
    attempt(request, lambda: accounts.revoke_token(token, user=request.user), _("密钥已撤销，立即失效。"))
    return redirect("catalog:desk_keys")


@login_required
@require_POST
def read_notifications(request):
    from django.utils import timezone

    request.user.notifications.filter(read_at=None).update(read_at=timezone.now())
    messages.success(request, _("通知已全部标为已读。"))
    return redirect("catalog:desk")
