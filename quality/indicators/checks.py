"""What the measures from samples share: a check with its bound, and careful readers of profiles that may come from elsewhere."""

from quality.indicators.registry import Snapshot
from quality.statistics import declining, lower_bound, upper_bound


def check(rule: str, count: int, n: int, score: float, *, version: int = 1, examples=(), **more) -> dict:
    """{"rule", "version", "count", "n", "value", "low", "high", "score", "source", "examples"}: strings and integers only."""
    count = min(count, n)
    return {
        "rule": rule, "version": version, "count": count, "n": n, "value": f"{count / n if n else 0:.4%}", "low": f"{lower_bound(count, n):.4%}",
        "high": f"{upper_bound(count, n):.4%}", "score": f"{score:.2f}", "source": "sample", "examples": list(examples)[:20],
    } | more  # fmt: skip


COMPARED = ("unseen", "original", "evenness", "age", "lift", "process")  # checks that count no defects among n


def shown(checks: list[dict]) -> dict:
    """The value of a measure: each defect rate by its short name, for the report, and the checks as they are."""
    facts = {}
    for item in checks:
        name = item["rule"].partition(".")[2]
        if name not in COMPARED:
            facts[name] = {"count": item["count"], "n": item["n"], "rate": item["value"], "upper": item["high"]}
    return facts | {"checks": checks}


def bounded(rule: str, count: int, n: int, good: float, bad: float, **more) -> tuple[float, dict]:
    """(score, check) of a defect rate at its upper bound."""
    count = min(count, n)
    score = declining(upper_bound(count, n), good, bad)
    return score, check(rule, count, n, score, **more)


def weighted(parts: dict[str, float], shares: dict[str, str]) -> float:
    total = sum(float(shares[name]) for name in parts)
    return sum(score * float(shares[name]) for name, score in parts.items()) / total


def block(profile: dict, *path) -> dict:
    """A nested object of the profile, {} where there is none."""
    for name in path:
        profile = profile.get(name) if isinstance(profile, dict) else None
    return profile if isinstance(profile, dict) else {}


def rows(profile: dict, *path) -> list[dict]:
    value = block(profile, *path[:-1]).get(path[-1]) if len(path) > 1 else profile.get(path[0])
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def whole(value) -> int:
    """A count; 0 for anything that is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def decimal(value) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if abs(number) < 1e18 else 0.0


def text(value) -> str:
    return value if isinstance(value, str) else ""


def contents(snapshot: Snapshot) -> list[dict]:
    """What the closer looks saw, of each table; those inside an archive too."""
    out = []
    for profile in snapshot.tables:
        found = [block(profile, "content"), *(block(part, "content") for part in rows(profile, "parts"))]
        out += [item for item in found if item]
    return out


def columns(snapshot: Snapshot) -> list[dict]:
    return [column for profile in snapshot.tables for column in profile["columns"]]


def media(snapshot: Snapshot) -> list[dict]:
    return [group for profile in snapshot.profiles if profile.get("readable") for group in rows(profile, "media")]


def evidence(snapshot: Snapshot, code: str) -> tuple:
    found = []
    for profile in snapshot.profiles:
        for item in profile.get("findings", []):
            if item["indicator"] != code or item["severity"] == "info":
                continue
            where = " ".join(filter(None, [text(profile.get("name")), item["place"]]))
            found.append({"place": where, "code": item["code"], "message": item["message"]})
            found += [{"place": example["place"] if isinstance(example["place"], str) else f"{where}，第 {example['place']} 行",
                       "code": item["code"], "message": example["text"]} for example in item.get("examples", [])]  # fmt: skip
    return tuple(found[:20])
