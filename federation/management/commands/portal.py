"""Who takes part in the federation: invite, enrol, accept, list, keys, rotate, suspend, revoke."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog.exceptions import DomainError
from federation import signing
from federation.models import OwnKey, Peer
from federation.services import custody, keys, outbox, peers, sync
from federation.transport import TransportError


class Command(BaseCommand):
    help = "Manage the portals this one exchanges with."

    def add_arguments(self, parser):
        actions = parser.add_subparsers(dest="action", required=True)
        invite = actions.add_parser("invite", help="print a one-time code for a new portal")
        invite.add_argument("id")
        invite.add_argument("--name", required=True)
        invite.add_argument("--short-name", default="", help="two to four characters for the stamp")
        enrol = actions.add_parser("enrol", help="join the national portal at URL")
        enrol.add_argument("url")
        enrol.add_argument("--code", required=True)
        accept = actions.add_parser("accept", help="let an enrolled portal take part")
        accept.add_argument("id")
        accept.add_argument("--trusted", action="store_true", help="its listings are admitted without a national review")
        for name in ("suspend", "revoke"):
            actions.add_parser(name).add_argument("id")
        for name in ("list", "keys", "rotate"):
            actions.add_parser(name)
        prepare = actions.add_parser("prepare-key", help="make the next key and give it to the peers, so that a lost key can be replaced at once")
        prepare.add_argument("--algorithm", default="ed25519")
        void = actions.add_parser(
            "revoke-key", help="a key fell into wrong hands: it is void at once, one of our own or (at the national portal) a peer's"
        )
        void.add_argument("keyid")
        actions.add_parser("take-back", help="after a restore: take newer records back from those who keep them, then let our feeds be read again")

    def handle(self, *args, **options):
        try:
            getattr(self, options["action"].replace("-", "_"))(options)
        except (DomainError, TransportError) as error:
            raise CommandError(str(error)) from error

    def invite(self, options):
        self.stdout.write(peers.invite(options["id"], name=options["name"], short_name=options["short_name"]))

    def enrol(self, options):
        peer = peers.enrol(options["url"], options["code"])
        published = outbox.publish_all()
        self.stdout.write(f"enrolled at {peer.pk} ({peer.base_url}); waiting to be accepted there; {published} listings to publish")

    def accept(self, options):
        peer = peers.accept(options["id"], trusted=True if options["trusted"] else None)
        self.stdout.write(f"{peer.pk} takes part{', trusted' if peer.trusted else ''}")

    def suspend(self, options):
        self.stdout.write(f"{peers.suspend(options['id']).pk} suspended")

    def revoke(self, options):
        self.stdout.write(f"{peers.revoke(options['id']).pk} revoked")

    def list(self, options):
        for peer in Peer.objects.select_related("portal").order_by("pk"):
            cursors = ", ".join(f"{row.stream} {row.seq}/{row.head}" for row in peer.checkpoints.all())
            self.stdout.write(f"{peer.pk}\t{peer.condition}\t{'trusted' if peer.trusted else '-'}\t{peer.base_url}\t{cursors}\t{peer.last_error}")

    def keys(self, options):
        for key in keys.public_keys():
            self.stdout.write(f"own\t{key['keyid']}\t{key['alg']}\t{key['public_key']}\t{key['valid_until'] or '-'}")
        for peer in Peer.objects.order_by("pk").prefetch_related("keys"):
            for row in peer.keys.all():
                self.stdout.write(f"{peer.pk}\t{row.keyid}\t{row.algorithm}\t{row.public_key}\t{row.state if row.is_valid else 'not valid'}")

    def rotate(self, options):
        row, missed = peers.rotate()
        self.stdout.write(row.keyid)
        until = OwnKey.objects.filter(valid_until__isnull=False).latest("valid_until").valid_until
        for line in missed:
            self.stderr.write(f"not reached, learns the key by itself until {until:%Y-%m-%d %H:%M} — {line}")
        sync.sequence_and_notify()

    def prepare_key(self, options):
        if options["algorithm"] not in signing.ALGORITHMS:
            raise CommandError(f"--algorithm is one of {', '.join(sorted(signing.ALGORITHMS))}")
        row = keys.prepare_rotation(options["algorithm"])
        self.to_peers(peers.send_keys)
        self.stdout.write(row.keyid)

    def revoke_key(self, options):
        keyid = options["keyid"]
        if not keyid.startswith(f"{settings.PORTAL_ID}:"):
            self.stdout.write(f"{keyid} of {peers.revoke_key(keyid).pk} is void")
            sync.sequence_and_notify()
            return
        following, old = keys.revoke_own(keyid)
        told = self.to_peers(lambda peer: peers.send_revocation(peer, keyid, following, old))
        self.stdout.write(f"{keyid} is void; {following.keyid} signs from now on")
        for portal_id, knows in told.items():
            if not knows:
                self.stderr.write(f"{portal_id} knows no other key of this portal: enrol there anew")

    def take_back(self, options):
        for peer in Peer.objects.filter(state__in=[Peer.State.ACTIVE, Peer.State.DIVERGED]).order_by("pk"):
            if custody.keeps_for_us(peer):
                taken = custody.take_back(peer)
                self.stdout.write(f"{peer.pk}: {taken.records} records taken back, {taken.tombstones} of them tombstones; {taken.kept} we have")
                for failed in taken.failed:
                    self.stderr.write(f"not taken back: {failed['id']} revision {failed['rev']}: {failed['reason']}")

    def to_peers(self, send) -> dict:
        """What `send` returned of each peer that was reached; the others are named."""
        answers = {}
        for peer in Peer.objects.filter(state=Peer.State.ACTIVE).order_by("pk"):
            try:
                answers[peer.pk] = send(peer)
            except TransportError as error:
                self.stderr.write(f"not reached: {peer.pk}: {error}")
        return answers
