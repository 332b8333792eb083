"""A token may do what its scopes say, and never more than its user may."""

from rest_framework import permissions


class HasScope(permissions.BasePermission):
    """Reading is public; writing needs a signed-in user and, with a token, the view's scope (default write)."""

    def has_permission(self, request, view):
        if request.method in permissions.SAFE_METHODS:
            return request.auth is None or "read" in request.auth.scopes or bool(request.auth.scopes)
        if not request.user.is_authenticated:
            return False
        scope = getattr(view, "scope", None) or getattr(view, "scopes_by_action", {}).get(getattr(view, "action", ""), "write")
        return request.auth is None or scope in request.auth.scopes
