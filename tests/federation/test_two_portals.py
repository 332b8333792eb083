"""Two real portals, each a process tree with a database of its own, speaking through HTTP."""

import json
import time

import pytest
import requests

from tests.journeys.portals import PortalProcess, join

pytestmark = pytest.mark.processes

LIST_ONE = """
from tests.factories import COMPLETE, make_organization, make_user
from catalog.models import Dataset
from catalog.services import registration, review
import sys
user, reviewer = make_user(role="admin"), make_user(role="reviewer")
dataset = registration.create_dataset(COMPLETE | {"title": "示例：跨门户的数据集"}, organization=make_organization(), user=user)
review.approve_review(registration.submit_dataset(dataset, user=user), reviewer=reviewer)
print(dataset.uid)
"""
DECIDE = """
from tests.factories import make_user
from catalog.models import Dataset
from federation.services import decisions
decisions.decide(Dataset.objects.get(uid="{uid}"), "{kind}", actor=make_user(role="reviewer", username="{uid}{kind}"), reason="核查")
"""
LOOK = """
import json
from catalog.models import Dataset
row = Dataset.objects.filter(uid="{uid}").first()
print(json.dumps(row and [row.title, row.status, row.admission, row.is_public]))
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("portals")
    national = PortalProcess("cn", "national", "国家门户", "国家", folder)
    local = PortalProcess("cn-33", "local", "浙江门户", "浙江", folder)
    try:
        for portal in (national, local):
            portal.start()
        join(national, local, name="浙江门户")
        yield national, local
    finally:
        national.stop()
        local.stop()


def script(portal, text, **values):
    out = portal.manage("shell", "-v0", "-c", text.format(**values) if values else text).strip()
    return out.splitlines()[-1] if out else ""


def wait_for(portal, uid, expected, seconds):
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        found = json.loads(script(portal, LOOK, uid=uid))
        if found and all(found[index] == value for index, value in expected.items()):
            return time.monotonic() - started
        time.sleep(0.3)
    raise AssertionError(f"{portal.id} has {found} after {seconds} s\n{(portal.folder / 'serve.log').read_text()[-4000:]}")


def test_a_listing_travels_up_and_a_takedown_travels_down(pair):
    national, local = pair

    uid = script(local, LIST_ONE)
    wait_for(national, uid, {0: "示例：跨门户的数据集", 2: "admitted", 3: True}, 20)
    wait_for(local, uid, {2: "admitted"}, 20)
    script(national, DECIDE, uid=uid, kind="takedown")
    wait_for(national, uid, {3: False}, 5)
    wait_for(local, uid, {2: "taken_down", 3: False}, 20)
    script(national, DECIDE, uid=uid, kind="restore")
    wait_for(local, uid, {2: "admitted", 3: True}, 20)


def test_strangers_get_the_description_and_nothing_else(pair):
    national, local = pair

    described = requests.get(f"{local.url}/.well-known/dataset-federation", timeout=10).json()
    refused = requests.get(f"{local.url}/fed/v1/streams/listings/changes", timeout=10)

    assert described["portal"] == "cn-33" and described["streams"] == ["listings", "acks", "usage"]
    assert refused.status_code == 401 and refused.json()["server_time"]
    assert requests.post(f"{national.url}/fed/v1/enrol", data=b"[]", timeout=10).status_code == 400


def test_an_invitation_is_good_for_one_portal_and_one_use(pair, tmp_path):
    national, local = pair
    code = national.manage("portal", "invite", "cn-32", "--name", "江苏门户").strip()

    with pytest.raises(AssertionError, match="邀请码"):
        local.manage("portal", "enrol", national.url, "--code", code)
