"""Bearer tokens for machines: looked up by SHA-256, expiring, scoped, never stored in the clear."""

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions

from catalog.models import ApiToken, User


def create_token(user: User, *, scopes: list[str], days: int, name: str = "") -> tuple[ApiToken, str]:
    """(row, secret); the secret is shown once. ValueError for an unknown scope."""
    unknown = set(scopes) - set(ApiToken.SCOPES)
    if unknown or not scopes:
        raise ValueError(f"scopes are {', '.join(ApiToken.SCOPES)}; not {', '.join(sorted(unknown)) or 'empty'}")
    secret = f"jimu_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=user, name=name, prefix=secret[:10], digest=digest(secret), scopes=scopes, expires_at=timezone.now() + timedelta(days=days)
    )
    return token, secret


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class TokenAuthentication(authentication.BaseAuthentication):
    keyword = "Bearer"

    def authenticate(self, request):
        header = request.headers.get("Authorization", "")
        if not header.startswith("Bearer "):
            return None
        token = ApiToken.objects.select_related("user").filter(digest=digest(header[7:].strip())).first()
        if token is None or not token.is_usable:
            raise exceptions.AuthenticationFailed(_("密钥无效、已到期或已撤销。"))
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1):
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request):
        return self.keyword


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names this authentication."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer"}
