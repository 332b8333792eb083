"""Move a dataset from one portal to another, by a record that both sign: offer (giver), take-over (taker), hand-over (giver)."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from catalog.exceptions import DomainError
from catalog.models import Dataset, Organization, User
from federation.protocol import ProtocolError
from federation.services import transfer


class Command(BaseCommand):
    help = "Transfer a dataset between portals. The record is printed; carry it to the other side in any way."

    def add_arguments(self, parser):
        actions = parser.add_subparsers(dest="action", required=True)
        offer = actions.add_parser("offer", help="sign an offer of a listed dataset")
        offer.add_argument("dataset", help="its identifier")
        offer.add_argument("to", help="the portal that takes it")
        take = actions.add_parser("take-over", help="make a draft of an offer and sign it too")
        take.add_argument("file", type=Path)
        take.add_argument("--organization", required=True, help="uid of the provider here")
        hand = actions.add_parser("hand-over", help="delist what the other side took, naming its successor")
        hand.add_argument("file", type=Path)
        for action in (offer, take, hand):
            action.add_argument("--user", required=True, help="account name of the person who decides it")

    def handle(self, *args, **options):
        try:
            actor = User.objects.get(username=options["user"], is_active=True)
            self.stdout.write(getattr(self, options["action"].replace("-", "_"))(options, actor))
        except (DomainError, ProtocolError, OSError) as error:
            raise CommandError(str(error)) from error
        except (User.DoesNotExist, Dataset.DoesNotExist, Organization.DoesNotExist, ValueError) as error:
            raise CommandError(f"not found: {error}") from error

    def offer(self, options, actor):
        return self.text(transfer.offer(Dataset.objects.get(identifier=options["dataset"]), options["to"], actor=actor))

    def take_over(self, options, actor):
        organization = Organization.objects.get(uid=options["organization"])
        return self.text(transfer.take_over(transfer.read(options["file"].read_bytes()), organization=organization, actor=actor))

    def hand_over(self, options, actor):
        return transfer.hand_over(transfer.read(options["file"].read_bytes()), actor=actor).status_reason

    def text(self, record):
        return json.dumps(record, ensure_ascii=False)
