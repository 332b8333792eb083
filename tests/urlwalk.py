"""Every address of the site, found by walking the URLconf, with its parameters filled."""

import re
from dataclasses import dataclass

from django.urls import URLResolver, get_resolver

PARAMETER = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>")
LEFT_OUT = {"admin"}  # Django's own, for staff; tests/test_visibility_matrix.py asks at its door


@dataclass(frozen=True)
class Address:
    route: str  # such as datasets/<uuid:uid>/samples/
    view: object

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """(segment before it, name) of each parameter: what fills `uid` depends on what stands before it."""
        found = []
        for match in PARAMETER.finditer(self.route):
            before = [part for part in self.route[: match.start()].split("/") if part and "<" not in part]
            found.append((before[-1] if before else "", match["name"]))
        return found

    def fill(self, values: dict) -> str:
        """The path, with values given by (segment, parameter)."""
        pairs = iter(self.parameters)
        return "/" + PARAMETER.sub(lambda match: str(values[next(pairs)]), self.route)


def addresses(resolver=None, prefix="") -> list[Address]:
    found = []
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
        if isinstance(pattern, URLResolver):
            if pattern.namespace not in LEFT_OUT:
                found += addresses(pattern, route)
        else:
            found.append(Address(route, pattern.callback))
    return found
