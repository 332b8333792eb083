"""Typed readers of environment variables. A wrong value raises ImproperlyConfigured with one sentence that names it."""

import ipaddress
import os
import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def shown(name: str, value: str) -> str:
    """The value as an error may show it: no secret, and no password inside an address."""
    if re.search(r"KEY|TOKEN|PASSWORD|SECRET", name):
        return "'***'"
    return repr(re.sub(r"://[^/@]*@", "://***@", value))


def env_str(name: str, default: str = "", *, pattern: str | None = None, means: str = "") -> str:
    value = os.environ.get(name, default).strip()
    if value and pattern and not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"{name}={shown(name, value)} is not {means or 'of the form ' + pattern}.")
    return value


def env_bool(name: str, default: bool = False) -> bool:
    raw = os.environ.get(name)
    if raw is None:
        return default
    value = raw.strip().lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r} is neither 1 nor 0.")


def env_int(name: str, default: int, *, low: int = 0, high: int = 2**53) -> int:
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={raw!r} is not a whole number.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name}={value} is outside {low} to {high}.")
    return value


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def env_choice(name: str, choices: tuple[str, ...], default: str) -> str:
    value = os.environ.get(name, "").strip() or default
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r} is none of: {', '.join(choices)}.")
    return value


def env_url(name: str, default: str = "", *, schemes: tuple[str, ...]) -> str:
    value = os.environ.get(name, default).strip()
    return _url(name, value, schemes) if value else ""


def _url(name: str, value: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises on a wrong port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={shown(name, value)} is not an address: {error}.") from None
    if parts.scheme not in schemes:
        raise ImproperlyConfigured(f"{name}={shown(name, value)} does not start with {' or '.join(s + '://' for s in schemes)}.")
    if parts.scheme in ("http", "https") and not parts.hostname:
        raise ImproperlyConfigured(f"{name}={value!r} names no host.")
    return value.rstrip("/") if parts.scheme in ("http", "https") else value


def env_urls(name: str, *, schemes: tuple[str, ...]) -> list[str]:
    """Addresses separated by commas; each is checked like env_url's."""
    return [_url(name, part, schemes) for part in env_list(name)]


def env_networks(name: str) -> list:
    networks = []
    for part in env_list(name):
        try:
            networks.append(ipaddress.ip_network(part))
        except ValueError:
            raise ImproperlyConfigured(f"{name}: {part!r} is not a network such as 10.0.0.0/8.") from None
    return networks
