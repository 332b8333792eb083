"""The English interface: every text has its English, the compiled file is the one written, placeholders agree."""

import gettext
import re

from babel.messages.pofile import read_po

from tests import messages

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|%[HM]|\{\w+\}|</?\w+>")


def test_every_text_of_the_sources_has_english():
    known = messages.translations()
    lacking = [msgid for msgid in messages.source_messages() if not messages.all_filled(known.get(msgid))]
    assert lacking == [], "run `make messages`, then write the English into config/locale/en/LC_MESSAGES/django.po"


def test_no_text_is_kept_that_left_the_sources():
    assert set(messages.translations()) <= set(messages.source_messages())


def test_the_compiled_file_holds_what_the_written_file_says():
    with messages.MO.open("rb") as stream:
        compiled = gettext.GNUTranslations(stream)._catalog
    for msgid, english in messages.translations().items():
        forms = {msgid: english} if isinstance(english, str) else {(msgid, number): form for number, form in enumerate(english)}
        for key, form in forms.items():
            assert compiled.get(key) == form, f"{msgid}: run `make messages`"


def test_placeholders_and_tags_are_the_same_in_english():
    for msgid, english in messages.translations().items():
        for form in [english] if isinstance(english, str) else english:
            assert set(PLACEHOLDER.findall(form)) == set(PLACEHOLDER.findall(msgid)), msgid


def test_english_has_no_chinese_punctuation_and_hardly_any_chinese_character():
    for msgid, english in messages.translations().items():
        text = "".join([english] if isinstance(english, str) else english)
        assert not re.search("[，。；：（）、？！]", text), msgid
        assert not messages.HAN.search(text) or msgid == "二至四字，如 浙江。", msgid


def test_the_written_file_is_marked_as_english_and_without_fuzzy_entries():
    with messages.PO.open("rb") as stream:
        catalog = read_po(stream, locale="en")
    assert catalog.num_plurals == 2
    assert [message.id for message in catalog if message.id and message.fuzzy] == []
