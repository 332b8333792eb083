"""A token may do what its scopes say, and never more than its user may."""

from rest_framework import permissions

from catalog.models import Dataset

# Whoever may write, review or administer may also read; `admin` does not stand for `review`, nor the other way round.
READING = {"read", "write", "review", "admin"}


def has_scope(request, scope: str) -> bool:
    """True for a session, whose user's own rights count, and for a token that carries the scope."""
    if request.auth is None:
        return True
    return bool(READING & set(request.auth.scopes)) if scope == "read" else scope in request.auth.scopes


def visible_datasets(request):
    """What this caller may see: a reviewer's token sees unlisted datasets of others only with scope review or admin."""
    as_reviewer = has_scope(request, "review") or has_scope(request, "admin")
    return Dataset.objects.visible_to(request.user, as_reviewer=as_reviewer)


class HasScope(permissions.BasePermission):
    """Reading is public; writing needs a signed-in user and, with a token, the scope of the action (default write).

    A view says otherwise with `scope`, or `scopes_by_action` for a viewset; `scope_for_reading` closes its GET as well.
    """

    def has_permission(self, request, view):
        reading = request.method in permissions.SAFE_METHODS
        if reading and not getattr(view, "scope_for_reading", None):
            return has_scope(request, "read")
        if not request.user.is_authenticated:
            return False
        return has_scope(request, self.scope(view, reading))

    def scope(self, view, reading) -> str:
        if reading:
            return view.scope_for_reading
        return getattr(view, "scopes_by_action", {}).get(getattr(view, "action", None)) or getattr(view, "scope", None) or "write"
