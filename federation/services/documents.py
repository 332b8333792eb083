"""Streams of small documents (acknowledgements, counts, vocabularies, the directory): applied one by one, parked one by one."""

from collections.abc import Callable

from django.db import transaction

from catalog.services import audit
from federation.models import Peer
from federation.protocol import Event
from federation.services.apply import REFUSED_BY_DATABASE, Batch, keep_records, park, sort_events
from federation.services.records import Unfit

Write = Callable[[Peer, Event, dict], None]


def apply_each(peer: Peer, stream: str, events, write: Write, *, whole: bool = False, damaged: frozenset[str] = frozenset()) -> Batch:
    """`write` stores one document, or raises Unfit. A tombstone is kept and changes nothing: these streams only ever add."""
    batch = sort_events(peer, stream, events, whole=whole, damaged=damaged)
    applied = []
    for event, document in batch.puts:
        try:
            with transaction.atomic():
                write(peer, event, document)
        except Unfit as error:
            batch.park(event, error.code, str(error))
        except REFUSED_BY_DATABASE as error:
            batch.park(event, "refused", f"{type(error).__name__}: {error}"[:500])
        else:
            applied.append(event)
    kept = [*applied, *(event for event, _document in batch.dels), *batch.purges]
    keep_records(batch, kept)
    batch.applied += len(kept)
    if kept:
        entries = [("federation.received", ("federation.RemoteRecord", event.id), {"stream": stream, "rev": event.rev}) for event in kept]
        audit.append_many(entries, label=peer.pk)
    park(batch)
    return batch
