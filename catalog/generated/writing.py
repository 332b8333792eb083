"""A made catalogue into the database, batch by batch, each batch whole or not at all."""

from collections.abc import Callable

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction

from catalog import rows
from catalog.generated.listings import MARK, SAMPLE, SAMPLE_FILE, Maker, Zipf
from catalog.listing import digest, resource_document, sample_document, to_document
from catalog.models import Dataset, Organization, Resource, Sample
from catalog.models.resources import sample_storage
from catalog.search import index_datasets
from catalog.search.backends import get_backend
from catalog.services import audit
from catalog.services.versions import record_versions

BATCH = 2000
PER_PROVIDER = 40  # listings, on average


def holds_others() -> bool:
    """Whether there is anything that was not made as an example."""
    return Dataset.objects.filter(is_example=False).exists()


def written(seed: int) -> int:
    return Dataset.objects.filter(home_portal=settings.PORTAL_ID, source_identifier__startswith=MARK.format(seed=seed)).count()


def generate(
    count: int, *, seed: int = 1, with_versions: bool = False, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[int, int]:
    """(written now, there before). Listings of this seed up to `count` in all: a run that was stopped is taken up where it ended.

    Written: datasets, files, samples, index rows, one audit entry a batch, and with `with_versions` the first version of each. Not
    written: entries for other portals and the work of evaluating, which announce() would ask for.
    """
    maker = Maker(seed)
    there = written(seed)
    providers = Zipf(_organizations(maker, max(1, min(20_000, count // PER_PROVIDER))), 5.0) if there < count else None
    if not sample_storage().exists(SAMPLE_FILE):
        sample_storage().save(SAMPLE_FILE, ContentFile(SAMPLE))
    on_progress(there, count)
    for first in range(there, count, BATCH):
        made = maker.batch(first, min(BATCH, count - first), providers)
        _store(made, maker, with_versions)
        on_progress(first + len(made), count)
    get_backend().feed()
    return max(0, count - there), there


@transaction.atomic
def _organizations(maker: Maker, count: int) -> list[Organization]:
    wanted = maker.organizations(count)
    names = {row.name for row in wanted}
    known = {row.name: row for row in Organization.objects.filter(home_portal=maker.portal, is_example=True) if row.name in names}
    new = [row for row in wanted if row.name not in known]
    rows.insert(Organization, new)
    if new:
        audit.append("organizations.generated", ("catalog.Organization", maker.mark), label="generate_catalog", count=len(new))
    return [known.get(row.name, row) for row in wanted]


@transaction.atomic
def _store(made: list[Dataset], maker: Maker, with_versions: bool) -> None:
    documents = []
    for row in made:
        files = {"resources": [resource_document(item) for item in row.made_files], "samples": [sample_document(item) for item in row.made_samples]}
        documents.append(to_document(row, with_files=False) | files)
        row.document_hash = digest(documents[-1])
    rows.insert(Dataset, made)
    for row in made:
        for item in [*row.made_files, *row.made_samples]:
            item.dataset = row
    rows.insert(Resource, [item for row in made for item in row.made_files])
    rows.insert(Sample, [item for row in made for item in row.made_samples])
    if with_versions:
        record_versions(made, documents, change_note="generate_catalog", user=None, responsible="generate_catalog")
    told = {"first": made[0].source_identifier, "count": len(made)}
    audit.append("datasets.generated", ("catalog.Dataset", maker.mark), label="generate_catalog", **told)
    index_datasets(made)
