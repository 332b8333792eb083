"""What the faults are injected into: a portal in memory read by this one, alone or behind a proxy that fails."""

import ipaddress

import pytest

from federation.models import Checkpoint, Peer
from federation.services import sync
from tests.federation.fake_portal import FakePortal, Network
from tests.federation.faults.served import proxied


@pytest.fixture
def home(db):
    """A trusted portal cn-33; requests reach it by the loopback transport."""
    portal = FakePortal()
    network = Network(portal)
    yield portal
    network.close()


@pytest.fixture
def line(db, settings, monkeypatch):
    """The same portal at the end of a real connection that can fail; waits are seconds, not minutes."""
    settings.PORTAL_ALLOWED_PRIVATE_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    monkeypatch.setattr("federation.transport.TIMEOUT", 2.0)
    monkeypatch.setattr("federation.transport.IDLE", 1.0)
    portal = FakePortal()
    with proxied(portal) as proxy:
        Peer.objects.filter(pk=portal.id).update(base_url=portal.base_url)
        proxy.home = portal
        yield proxy


def pull(portal_id: str = "cn-33"):
    """One pull of its listings, as a worker does it."""
    return sync.pull_peer(portal_id)[0]


def cursor(portal_id: str = "cn-33") -> int:
    return Checkpoint.objects.get(peer_id=portal_id).seq
