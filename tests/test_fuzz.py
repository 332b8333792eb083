"""Every address, with values nobody expects in its parameters and forms, answers with a page or a sentence: never a 500.

On SQLite and on PostgreSQL, which takes no NUL character. Each request is rolled back, so that they do not meet.
"""

import time
from urllib.parse import quote_from_bytes

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from catalog.models import Membership, Review, Sample, User
from catalog.search import index_datasets
from catalog.services import registration
from catalog.services.versions import record_version
from tests.factories import COMPLETE, make_dataset, make_member, make_organization
from tests.test_visibility_matrix import fillers
from tests.urlwalk import addresses

NAMES = """q sort page page_size cursor layer value table tab sample old new version resume scope kind batch state region sector modality grade
updated size has_sample organization keyword portal from to format ticket since limit next language""".split()
FIELDS = """do reason purpose scenario organization accepted kind body rating stop token how original title file terms description is_synthetic
username role remove organization_uid name scopes days display_name password again short_name credit_code region website contact_email review
reviewer comment pointer request verdict-quality note-quality change_note base autosave action row portal answer next language resources-0-name
resources-0-byte_size doc-label_statistics-labels-0-count title_en record_count byte_size temporal_start modified keywords sectors security_level
resources-rows doc-scale tier_criteria price_index q""".split()
DEEDS = (
    "submit withdraw delist suspend discard abandon granted refused answer start assign comment resolve verdicts approve return reject errors".split()
)
ACTIONS = "accept trust untrust suspend revoke anew sync retry release refuse".split()
VALUES = [
    b"\x00",
    b"a\x00b",
    b"\xed\xa0\x80",  # half of a surrogate pair
    b"\xff\xfe",
    "²".encode(),
    "٣".encode(),
    b"9" * 30,
    b"1" * 5000,
    b"-1",
    b"1e999",
    b"NaN",
    b"2026-99-99",
    b"[]",
    b'{"a": [1]}',
    b"%",
    b"_%\\'\"`;--",
    b"((((*",
    b'"AND" OR NEAR(',
    b"../../../etc/passwd",
    b"//evil.example",
    b"javascript:alert(1)",
    b"=1+1",
    "\u202e\u200b\ufeff".encode(),
    ("字" * 10_001).encode(),
    b"",
]
BODIES = [
    b"",
    b"null",
    b"5",
    b"[]",
    b'"text"',
    b"{",
    b"\xff",
    b'{"title": "\\u0000"}',
    b'{"title": "\\ud800"}',
    b'{"title": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"title": ["a"], "keywords": "a", "documentation": [], "resources": {"a": 1}, "record_count": 1e999}',
    b'{"record_count": 99999999999999999999999999, "temporal_start": "2026-99-99", "sectors": [{}], "security_level": ["general"]}',
    b'{"resources": [{"name": {"a": 1}, "uid": "x", "byte_size": -1, "columns": 3}, 5, null]}',
    b'{"documentation": {"scale": {"text": "\\u0000"}}, "extras": {"\\u0000": 1}, "lineage": [{"identifier": "\\u0000"}]}',
    b'{"organization": {"uid": "\\u0000"}, "title": "x"}',
    b'{"organization": "\\u0000", "name": "\\u0000", "region": "\\u0000", "credit_code": "\\u0000", "parent": "\\u0000"}',
    b'{"reason": "\\u0000", "change_note": "\\u0000", "body": "\\u0000", "pointer": "\\u0000", "part": "\\u0000", "verdict": []}',
]


@pytest.fixture
def world(db):
    organization = make_organization()
    member = make_member(organization, "owner", username="fuzz-member")
    everything = User.objects.create_superuser("fuzz-admin", password="x")
    Membership.objects.create(user=everything, organization=make_organization(), role="owner")
    dataset = make_dataset(organization=organization, status="listed", listed_at=timezone.now(), created_by=member)
    record_version(dataset, change_note="首版", user=None)
    Sample.objects.create(dataset=dataset, name="a.csv", state="ready", sha256="0" * 64, profile={"columns": [{"name": "a"}], "preview": [["1"]]})
    index_datasets([dataset])
    draft = registration.create_dataset(COMPLETE | {"title": "草稿"}, organization=organization, user=member)
    registration.submit_dataset(draft, user=member)
    return {"listed": dataset, "submitted": draft, "member": member, "everything": everything, "review": Review.objects.get()}


def clients(world):
    found = {"anonymous": Client()}
    for name in ("member", "everything"):
        found[name] = Client()
        found[name].force_login(world[name])
    return found


def encoded(names, value: bytes) -> str:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name in names)


SLOW = 10  # seconds: an answer that takes longer is an attack that works


class Attempts:
    """Sends requests, each rolled back, and keeps what failed."""

    def __init__(self):
        self.failed = []
        self.sent = 0

    def send(self, client, method, path, **sent):
        self.sent += 1
        started = time.monotonic()
        try:
            with transaction.atomic():
                answer = client.generic(method, path, **sent)
                if answer.streaming:
                    b"".join(answer.streaming_content)
                transaction.set_rollback(True)
            status = answer.status_code
        except Exception as error:  # what a handler lets through is what this test looks for
            status = f"{type(error).__name__}: {str(error)[:160]}"
        if (took := time.monotonic() - started) > SLOW:
            status = f"{status} after {took:.1f} s"
        if not isinstance(status, int) or status >= 500:
            where = f"{method} {path[:90]} {sent.get('QUERY_STRING', '')[:60]} {str(sent.get('data', ''))[:120]}"
            self.failed.append(f"{where}\n    {status}")


def places(world):
    for address in addresses():
        if address.route.startswith("admin/"):
            continue
        yield address, {address.fill(fillers(world[name])) for name in ("listed", "submitted")}


def test_no_value_in_a_query_brings_a_500(world):
    attempts = Attempts()
    client = clients(world)["everything"]
    for number, (_address, paths) in enumerate(places(world)):
        for path in sorted(paths)[:1]:
            for value in some(VALUES, number):
                attempts.send(client, "GET", path, QUERY_STRING=encoded(NAMES, value))

    assert not attempts.failed, "\n".join(attempts.failed)


def some(values, number):
    """The worst two, and two others that differ from address to address."""
    return [values[0], values[6], values[1 + number % (len(values) - 1)], values[1 + (number * 7 + 3) % (len(values) - 1)]]


def test_no_value_in_a_form_brings_a_500(world):
    attempts = Attempts()
    client = clients(world)["everything"]
    for number, (address, paths) in enumerate(places(world)):
        if address.route.startswith(("api/", "fed/")):
            continue
        deeds = {"desk/datasets": DEEDS[:9], "review/<uuid": DEEDS[9:], "federation/": ACTIONS}
        deeds = next((found for start, found in deeds.items() if address.route.startswith(start)), [""])
        for path in sorted(paths):
            for place, deed in enumerate(deeds):
                value = some(VALUES, number + place)[place % 4 if deed else number % 4]
                names = [name for name in FIELDS if name not in ("do", "action")]
                body = f"{encoded(names, value)}&do={deed}&action={deed}"
                attempts.send(client, "POST", path, data=body, content_type="application/x-www-form-urlencoded")

    assert not attempts.failed, "\n".join(attempts.failed)


def test_no_body_sent_to_the_api_brings_a_500(world):
    attempts = Attempts()
    client = clients(world)["everything"]
    for number, (address, paths) in enumerate(places(world)):
        if not address.route.startswith(("api/", "fed/")):
            continue
        path = sorted(paths)[0]
        bodies = BODIES if "datasets/<uuid:uid>/" == address.route[7:] or address.route == "api/v1/datasets/" else some(BODIES, number)
        for body in bodies:
            attempts.send(client, "POST", path, data=body, content_type="application/json")
            attempts.send(client, "PATCH", path, data=body, content_type="application/json")
        attempts.send(client, "POST", path, data=b"--x\r\n", content_type="multipart/form-data; boundary=x")
        attempts.send(client, "POST", path, data=b"a", content_type="multipart/form-data; boundary=")

    assert not attempts.failed, "\n".join(attempts.failed)


ODD_PATHS = """/id/%00 /id/urn:dataset:cn:%ED%A0%80 /samples/00000000-0000-0000-0000-00000000000g/file/ /%00 /%2e%2e/%2e%2e/etc/passwd
/announcements/99999999999999999999999/ /desk/keys/99999999999999999999999/revoke/ /api/v1/datasets/%00/ /api/v1/vocabularies/%00/ /static/%00
/static/../config/settings.py /fed/v1/streams/%00/changes /sitemap.xml?page=0100009999999999999999999999 /federation/portals/%00/""".split()
HEADERS = {
    "HTTP_ACCEPT": ";;;q=x",
    "HTTP_ACCEPT_LANGUAGE": "zh-" + "a" * 5000,
    "HTTP_RANGE": "bytes=999999999999999999-",
    "HTTP_IF_MODIFIED_SINCE": "Thu, 99 Foo 99999 99:99:99 GMT",
    "HTTP_IF_MATCH": '"' * 100,
    "HTTP_AUTHORIZATION": "Bearer \x00\xff",
    "HTTP_IDEMPOTENCY_KEY": "a" * 5000,
    "HTTP_X_FORWARDED_FOR": "'; DROP",
    "HTTP_COOKIE": "language=../../x; cn-8000-session=\x00; cn-8000-csrf=%00",
    "HTTP_FED_PORTAL": "x" * 5000,
    "HTTP_SIGNATURE": "sig=:x:",
    "HTTP_SIGNATURE_INPUT": 'fed=("@method);created=x',
    "CONTENT_LENGTH": "abc",
}


def test_odd_paths_and_headers_bring_no_500(world):
    attempts = Attempts()
    client = clients(world)["everything"]
    for path in ODD_PATHS:
        path, _mark, query = path.partition("?")
        for method in ("GET", "POST"):
            attempts.send(client, method, path, QUERY_STRING=query)
    anonymous = Client()
    for _address, paths in places(world):
        attempts.send(anonymous, "GET", sorted(paths)[0], **HEADERS)

    assert not attempts.failed, "\n".join(attempts.failed)
