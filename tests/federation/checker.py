"""The judge of every run: what owners and the national portal committed, against what each portal shows at the end.

Facts are plain: {identifier: fact}. A fact of an owner is the last event it published: {"op", "rev", "hash"}. What a portal holds is
{"rev", "op", "hash", "public", "admission", "parked"}. An empty verdict means that nothing was lost, nothing lives on that was
withdrawn, nothing is old, and no takedown was undone.
"""

from collections.abc import Iterable

from catalog.models import Dataset
from federation.models import Change, Decision, Quarantine, RemoteRecord

SHOWN = ("admitted", "")


def published(events: Iterable) -> dict[str, dict]:
    """The last event of each identifier, by revision."""
    found: dict[str, dict] = {}
    for event in events:
        name = event.id if hasattr(event, "id") and isinstance(event.id, str) else event.identifier
        if name not in found or event.rev > found[name]["rev"]:
            found[name] = {"op": event.op, "rev": event.rev, "hash": event.hash}
    return found


def own_history() -> dict[str, dict]:
    """Of the portal this process is: what it committed to publish, numbered or not."""
    return published(Change.objects.filter(stream="listings").defer("doc").order_by("id"))


def own_decisions() -> dict[str, str]:
    """Of the national portal: the admission that its last decision on each dataset states."""
    return {row.identifier: row.admission for row in Decision.objects.order_by("identifier", "rev")}


def holdings() -> dict[str, dict]:
    """Of the portal this process is: what it holds of others, with what waits in quarantine."""
    waiting: dict[str, int] = {}
    for identifier, rev in Quarantine.objects.filter(state__in=["parked", "held"]).values_list("identifier", "rev"):
        waiting[identifier] = max(rev, waiting.get(identifier, 0))
    datasets = {row.identifier: row for row in Dataset.objects.all()}
    found = {}
    for record in RemoteRecord.objects.filter(stream="listings").defer("doc"):
        row = datasets.get(record.identifier)
        found[record.identifier] = {"op": record.op, "rev": record.rev, "hash": record.hash}
        found[record.identifier] |= {"public": bool(row and row.is_public), "admission": row.admission if row else ""}
    for identifier, rev in waiting.items():
        found.setdefault(identifier, {"op": "", "rev": 0, "hash": "", "public": False, "admission": ""})["parked"] = rev
    return found


def own_admissions() -> dict[str, dict]:
    """Of the portal this process is: what its own datasets show of the national decisions."""
    return {row.identifier: {"admission": row.admission, "public": row.is_public} for row in Dataset.objects.own()}


def facts() -> dict[str, dict]:
    """All of this portal's, as JSON can carry them from its process to the judge."""
    return {"owners": own_history(), "homes": own_admissions(), "held": holdings(), "decisions": own_decisions()}


def verdict(owners: dict[str, dict], national: dict[str, dict], decisions: dict[str, str], homes: dict[str, dict] | None = None) -> list[str]:
    """What is wrong, one line each. `owners`: facts of all owners together; `homes`: own_admissions of all owners together."""
    wrong = []
    for identifier, fact in owners.items():
        wrong += _one(identifier, fact, national.get(identifier), decisions.get(identifier, ""))
    wrong += [f"ghost: {identifier} was published by nobody" for identifier, row in national.items() if identifier not in owners and row["op"]]
    for identifier, admission in decisions.items() if homes is not None else ():
        shown = homes.get(identifier)
        if shown is None or owners.get(identifier, {}).get("op") == "purge":
            continue
        if shown["admission"] != admission:
            wrong.append(f"decision lost: {identifier} is {admission!r} nationally, {shown['admission']!r} at home")
        if admission == "taken_down" and shown["public"]:
            wrong.append(f"takedown undone: {identifier} is on offer at home")
    return sorted(wrong)


def _one(identifier: str, fact: dict, held: dict | None, admission: str) -> list[str]:
    if held is None:
        return [f"lost: {identifier} revision {fact['rev']} is neither held nor parked"]
    if held.get("parked", 0) >= fact["rev"]:
        return []  # with a reason, for a person
    found = []
    if held["rev"] < fact["rev"]:
        found.append(f"stale: {identifier} is revision {held['rev']}, its owner has {fact['rev']}")
    elif (held["rev"], held["hash"]) != (fact["rev"], fact["hash"]):
        found.append(f"other: {identifier} revision {held['rev']} {held['hash'][:8]}, its owner has {fact['rev']} {fact['hash'][:8]}")
    if fact["op"] != "put" and held["public"]:
        found.append(f"ghost: {identifier} was withdrawn and is on offer")
    if fact["op"] == "put" and not held["public"] and admission in SHOWN and held["admission"] in SHOWN:
        found.append(f"lost: {identifier} is listed by its owner, admitted, and not on offer")
    if admission == "taken_down" and held["public"]:
        found.append(f"takedown undone: {identifier} is on offer nationally")
    return found
