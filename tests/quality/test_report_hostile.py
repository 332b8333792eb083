"""Addresses and forms of the report and the schemes with what nobody sends by accident: a clear answer, never a 500."""

import pytest

from quality.services import schemes
from tests.factories import make_user
from tests.quality.test_evaluation import listed

pytestmark = pytest.mark.django_db
ODD = ["", "\x00", "a" * 5000, "' OR 1=1 --", "../../etc", "{{7*7}}", "<script>alert(1)</script>", "²", "-1", "1e400", "nan", "\ud83d"]


def encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


@pytest.mark.parametrize("odd", [encodable(text) for text in ODD])
def test_odd_words_in_an_address(client, odd):
    from urllib.parse import quote

    dataset = listed()
    for address in (f"/quality/methods/{quote(odd, safe='')}/", f"/quality/methods/{quote(odd, safe='')}.json", f"/quality/overview/?by={quote(odd)}",
                    f"/datasets/{dataset.uid}/quality/compare/?a={quote(odd)}&b={quote(odd)}"):  # fmt: skip
        assert client.get(address).status_code in (200, 301, 400, 404), address


@pytest.mark.parametrize("odd", [encodable(text) for text in ODD])
def test_odd_words_in_the_forms_of_staff(client, odd):
    schemes.active_scheme()
    client.force_login(make_user(role="admin"))
    assert client.post("/quality/schemes/", {"from": odd, "version": odd}).status_code in (302, 400, 404, 409, 422, 200)
    client.post("/quality/schemes/", {"from": "2026.1", "version": "2027.1"})
    fields = ["title", "w.0.0101", "bands.0.from", "shares.0101.0", "limits.0201.bad.0", "caps.V1.grade", "assurance.L1.cap", "declared.0201"]
    for do in ("save", "add", "remove:" + odd, "schedule", odd):
        values = dict.fromkeys(fields, odd) | {"do": do, "code": odd, "name": odd, "like": odd, "sectors": odd, "effective_from": odd, "reason": odd}
        assert client.post("/quality/schemes/2027.1/", values).status_code in (302, 400, 404, 409, 422), do
    assert schemes.active_scheme().version == "2026.1"
    assert client.get("/quality/schemes/2027.1/").status_code == 200
