"""Sample tickets: issued once to a signed-in user, taken once by the owner, for one sample, within five minutes."""

import time
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.core.files.base import ContentFile

from catalog.models import DownloadEvent, Sample
from federation import signing
from federation.models import Peer, PeerKey
from federation.services import keys
from tests.factories import make_dataset, make_user
from tests.federation.fake_portal import FakePortal

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(settings):
    """This process is the owner cn-33; the national portal is a peer whose key is at hand."""
    settings.PORTAL_ID, settings.PORTAL_ROLE = "cn-33", "local"
    settings.STORAGES = settings.STORAGES | {"samples": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    national = FakePortal("cn", stream="decisions", role="national")
    dataset = make_dataset(status="listed", openness="conditional")
    sample = Sample(dataset=dataset, name="样例.csv", state="ready", byte_size=4)
    sample.file.save("x", ContentFile(b"a,b\n"), save=False)
    sample.save()
    return national, sample


def ticket(national, sample, /, *, signer=None, header=None, **changes):
    now = int(time.time())
    claims = {
        "iss": "cn", "aud": "cn-33", "sub": "p" * 32, "jti": signing.secrets.token_hex(16), "iat": now, "exp": now + 300,
        "dataset": sample.dataset.identifier, "sample": str(sample.uid), "purpose": "评估",
    }  # fmt: skip
    signer = signer or national.signer
    values = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(values, signer.key, algorithm="EdDSA", headers={"kid": header or signer.keyid})


def fetch(client, sample, token):
    return client.get(f"/fed/v1/samples/{sample.uid}", {"ticket": token})


def test_a_ticket_gives_the_file_once_and_the_download_is_counted(client, owner):
    national, sample = owner
    token = ticket(national, sample)

    first, second = fetch(client, sample, token), fetch(client, sample, token)

    assert (first.status_code, b"".join(first.streaming_content)) == (200, b"a,b\n")
    assert "attachment" in first["Content-Disposition"] and first["X-Content-Type-Options"] == "nosniff"
    assert second.status_code == 403 and "已经用过" in second.content.decode()
    event = DownloadEvent.objects.get()
    assert (event.consumer, event.purpose, event.via_portal) == ("p" * 32, "评估", "cn")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "cn-44"},
        {"iss": "cn-44"},
        {"exp": int(time.time()) - 600, "iat": int(time.time()) - 900},
        {"exp": int(time.time()) + 86400},
        {"sample": "01890000-0000-7000-8000-000000000000"},
        {"dataset": "urn:dataset:cn-33:01890000-0000-7000-8000-000000000000"},
        {"jti": None},
        {"exp": None},
        {"aud": None},
        {"purpose": ""},
        {"purpose": 5},
        {"header": "cn:unknown"},
        {"signer": signing.Ed25519Signer("cn:test", signing.new_key())},
    ],
)
def test_a_ticket_that_does_not_fit_is_refused(client, owner, changes):
    national, sample = owner

    assert fetch(client, sample, ticket(national, sample, **changes)).status_code == 403
    assert not DownloadEvent.objects.exists()


def test_tickets_of_local_portals_unsigned_ones_and_noise_are_refused(client, owner):
    national, sample = owner
    local = FakePortal("cn-44")
    unsigned = jwt.encode({"iss": "cn", "aud": "cn-33"}, None, algorithm="none")
    hmac = jwt.encode({"iss": "cn", "aud": "cn-33"}, signing.public_text(national.signer.key), algorithm="HS256", headers={"kid": "cn:test"})

    for token in (ticket(local, sample, iss="cn-44"), ticket(local, sample), unsigned, hmac, "", "a.b.c", "x" * 5000):
        assert fetch(client, sample, token).status_code == 403


@pytest.mark.parametrize("change", [{"status": "suspended"}, {"admission": "taken_down"}, {"security_level": "important"}])
def test_the_owner_asks_its_own_policy_again(client, owner, change):
    national, sample = owner
    for name, value in change.items():
        setattr(sample.dataset, name, value)
    sample.dataset.save()

    assert fetch(client, sample, ticket(national, sample)).status_code == 403


def test_a_revoked_national_key_signs_no_tickets(client, owner):
    national, sample = owner
    PeerKey.objects.update(state="revoked")

    assert fetch(client, sample, ticket(national, sample)).status_code == 403


def test_the_national_portal_issues_to_signed_in_users_who_accept_the_terms(client):
    FakePortal("cn-33")
    dataset = make_dataset(home_portal="cn-33", status="listed", admission="admitted")
    sample = Sample.objects.create(dataset=dataset, name="样例.csv", state="ready")
    url = f"/samples/{sample.uid}/ticket/"

    assert client.get(url).status_code == 302
    user = make_user()
    client.force_login(user)
    page = client.get(url)
    assert page.status_code == 200 and "http://cn-33.test" in page["Content-Security-Policy"]
    assert client.post(url, {"purpose": "评估"}).status_code == 400
    response = client.post(url, {"purpose": "评估", "accepted": "1"})

    target = urlsplit(response["Location"])
    claims = jwt.decode(parse_qs(target.query)["ticket"][0], options={"verify_signature": False})
    assert (target.netloc, target.path) == ("cn-33.test", f"/fed/v1/samples/{sample.uid}")
    assert claims["aud"] == "cn-33" and user.username not in str(claims) and claims["exp"] - claims["iat"] == 300
    assert jwt.get_unverified_header(parse_qs(target.query)["ticket"][0])["kid"] == keys.current_key().keyid
    Peer.objects.update(state="suspended")
    assert client.post(url, {"purpose": "评估", "accepted": "1"}).status_code == 400
