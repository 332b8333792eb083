"""The list of synonyms: shipped groups, edits that stay, and the form of the admin."""

import csv

import pytest

from catalog.models import AuditEntry, SearchState, SynonymGroup
from catalog.search.text import fold
from catalog.services import synonyms
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def edition():
    return SearchState.objects.get(id=1).lexicon


def test_the_shipped_list_is_whole_and_has_each_group_once():
    groups = synonyms.shipped_groups()

    assert len({group.code for group in groups}) == len(groups) > 500
    for group in groups:
        group.full_clean(validate_unique=False)
        assert len({fold(word) for word in group.words}) == len(group.words), group.words


def test_loading_again_changes_nothing_and_keeps_what_was_edited(tmp_path, monkeypatch):
    synonyms.load_shipped()
    before, shipped = edition(), synonyms.shipped_groups()
    assert synonyms.load_shipped() == len(shipped) and edition() == before
    edited, own = SynonymGroup.objects.get(code=shipped[0].code), SynonymGroup(code="own", words=["甲词", "乙词"])
    edited.words = ["改过的", "词"]
    synonyms.save_group(edited, user=None)
    synonyms.save_group(own, user=None)
    with open(tmp_path / synonyms.FILE, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["domain", "relation", "words"])
        writer.writerow([shipped[0].domain, shipped[0].relation, "|".join([*shipped[0].words, "新词"])])
        writer.writerow([shipped[1].domain, shipped[1].relation, "|".join([*shipped[1].words, "新词"])])
    monkeypatch.setattr(synonyms, "FOLDER", tmp_path)

    synonyms.load_shipped()

    held = SynonymGroup.objects.in_bulk(field_name="code")
    assert held[shipped[0].code].words == ["改过的", "词"] and held[shipped[1].code].words[-1] == "新词"
    assert held[shipped[2].code].is_active is False and held["own"].is_active


def test_an_administrator_edits_words_line_by_line(client):
    admin = make_user(role="admin", is_staff=True, is_superuser=True)
    client.force_login(admin)
    fields = {"code": "own:test", "domain": "test", "relation": "same", "is_active": "on"}

    refused = client.post("/admin/catalog/synonymgroup/add/", fields | {"words": "只有一个"})
    assert refused.status_code == 200 and "一组应有 2 至" in refused.content.decode() and not SynonymGroup.objects.filter(code="own:test").exists()
    before = edition()
    assert client.post("/admin/catalog/synonymgroup/add/", fields | {"words": " 甲词 \n乙词\n甲词\n"}).status_code == 302

    group = SynonymGroup.objects.get(code="own:test")
    assert group.words == ["甲词", "乙词"] and edition() != before
    entry = AuditEntry.objects.filter(action="synonyms.change").latest("id")
    assert entry.actor == admin and entry.data["words"] == ["甲词", "乙词"]
    client.post(f"/admin/catalog/synonymgroup/{group.pk}/delete/", {"post": "yes"})
    assert not SynonymGroup.objects.filter(code="own:test").exists() and AuditEntry.objects.filter(action="synonyms.delete").exists()
