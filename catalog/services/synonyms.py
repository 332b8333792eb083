"""The editable list of synonyms: shipped groups, the portal's own ones, and the edition that tells searches of a change."""

import csv
import hashlib
import uuid

from django.db import transaction

from catalog.models import SearchState, SynonymGroup
from catalog.search.text import FORMAT
from catalog.services import audit
from catalog.services.vocabularies import FOLDER

FILE = "synonyms.csv"
BETWEEN = "|"


def renew_edition() -> str:
    """In the transaction that changed groups: every search from its commit on reads them anew."""
    state = SearchState.objects.select_for_update().filter(id=1).first()
    number = int((state.lexicon if state else "").partition(".")[0] or 0) + 1
    edition = f"{number}.{uuid.uuid4().hex[:12]}"
    if state is None:
        SearchState.objects.create(id=1, version=0, stamp="", format=FORMAT, lexicon=edition)
    else:
        SearchState.objects.filter(id=1).update(lexicon=edition)
    return edition


def digest(group: SynonymGroup) -> str:
    told = BETWEEN.join([group.domain, group.relation, str(group.is_active), *map(str, group.words)])
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


@transaction.atomic
def save_group(group: SynonymGroup, *, user) -> None:
    before = SynonymGroup.objects.filter(pk=group.pk).values_list("words", flat=True).first()
    group.save()
    audit.append("synonyms.change", group, actor=user, code=group.code, before=before, words=group.words, active=group.is_active)
    renew_edition()


@transaction.atomic
def delete_group(group: SynonymGroup, *, user) -> None:
    audit.append("synonyms.delete", group, actor=user, code=group.code, before=group.words)
    group.delete()
    renew_edition()


@transaction.atomic
def load_shipped() -> int:
    """Groups of the file into the table; what was edited here stays, what left the file unedited is switched off. Number of shipped groups."""
    shipped = {group.code: group for group in shipped_groups()}
    held = SynonymGroup.objects.in_bulk(field_name="code")
    fresh, changed = [], []
    for code, group in shipped.items():
        mine = held.get(code)
        if mine is None:
            fresh.append(group)
        elif mine.shipped_digest != group.shipped_digest and digest(mine) == mine.shipped_digest:
            group.pk = mine.pk
            changed.append(group)
    for code, mine in held.items():
        if code not in shipped and mine.shipped_digest and mine.is_active and digest(mine) == mine.shipped_digest:
            mine.is_active = False
            mine.shipped_digest = digest(mine)
            changed.append(mine)
    SynonymGroup.objects.bulk_create(fresh)
    SynonymGroup.objects.bulk_update(changed, ["domain", "relation", "words", "is_active", "shipped_digest"])
    if fresh or changed:
        renew_edition()
    return len(shipped)


def shipped_groups() -> list[SynonymGroup]:
    """A group is named by its domain and first word, so that its other words can change."""
    found = []
    with open(FOLDER / FILE, encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            words = [word.strip() for word in row["words"].split(BETWEEN)]
            mark = "" if row["relation"] == SynonymGroup.Relation.SAME else ">"
            code = f"{row['domain']}:{words[0]}{mark}"
            group = SynonymGroup(code=code, domain=row["domain"], relation=row["relation"], words=words)
            group.shipped_digest = digest(group)
            found.append(group)
    return found
