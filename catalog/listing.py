"""The listing document: what the owner says of a dataset, as one plain JSON value.

Versions keep it, imports and the API write it, the quality engine reads it, portals exchange it. Keys are the model's
field names. It holds no floats, no integer above 2^53 and only ASCII keys, so that compact JSON with sorted keys equals
RFC 8785 canonical JSON and one SHA-256 names its content.
"""

import datetime
import hashlib
from functools import cache
from operator import attrgetter

import orjson

from catalog.models.dataset import Dataset
from catalog.models.resources import Resource, Sample

SCHEMA = "listing/1"
LIMITS = {"document": 256 * 1024, "depth": 32}  # bytes and nesting of one record (fed/1)

TEXT = """source_identifier title title_en summary description landing_page contact_name contact_email contact_phone
industry region knowledge_tier cognition_layer build_mode case_badge collection_method collection_channel resource_kind
synthetic_method annotation_method annotator_type rights_holder rights_basis rights_evidence ip_registration license_type
license license_url allowed_scenarios allowed_scope security_level deidentification openness access_method access_note
update_frequency storage_place maintenance_contact price_model price_note exchange_url citation""".split()
FLAGS = """has_chain_of_thought is_synthetic has_holding_right has_processing_right has_operating_right
has_personal_information is_example""".split()
NUMBERS = "record_count byte_size token_count file_count price_index".split()
DATES = "issued modified temporal_start temporal_end".split()
LISTS = """keywords sectors modalities model_stages knowledge_nodes tasks languages scenarios standards source_types""".split()
OBJECTS = "tier_criteria documentation extras".split()
LIST_OBJECTS = ["lineage"]
FIELDS = TEXT + FLAGS + NUMBERS + DATES + LISTS + OBJECTS + LIST_OBJECTS

RESOURCE_FIELDS = "name description kind format media_type byte_size sha256 access_url download_url encoding columns".split()
SAMPLE_FIELDS = "name description format media_type byte_size sha256 row_count terms is_synthetic profile".split()

# Which vocabulary each coded field draws from (Term.scheme).
VOCABULARIES = {
    "sectors": "sector",
    "industry": "industry",
    "region": "region",
    "modalities": "modality",
    "model_stages": "model_stage",
    "knowledge_tier": "knowledge_tier",
    "cognition_layer": "cognition_layer",
    "build_mode": "build_mode",
    "collection_method": "collection_method",
    "resource_kind": "resource_kind",
    "source_types": "source_type",
    "annotation_method": "annotation_method",
    "annotator_type": "annotator",
    "license_type": "license_type",
    "security_level": "security_level",
    "openness": "openness",
    "access_method": "access_method",
    "update_frequency": "update_frequency",
}


_values = attrgetter(*FIELDS)


def to_document(dataset: Dataset, *, with_files: bool = True) -> dict:
    """The listing document of a dataset. Empty values are left out; resources and samples need to be prefetched in bulk."""
    document = {"schema": SCHEMA}
    for name, value in zip(FIELDS, _values(dataset), strict=True):
        if value:
            document[name] = value.isoformat() if isinstance(value, datetime.date) else value
    organization = dataset.organization
    document["organization"] = {"uid": str(organization.uid), "name": organization.name, "kind": organization.kind}
    for name in ("credit_code", "region", "short_name"):
        if getattr(organization, name):
            document["organization"][name] = getattr(organization, name)
    if with_files:
        document["resources"] = [resource_document(resource) for resource in dataset.resources.all()]
        document["samples"] = [sample_document(sample) for sample in dataset.samples.all() if sample.state == Sample.State.READY]
    return document


def resource_document(resource: Resource) -> dict:
    return {"uid": str(resource.uid)} | _filled(resource, RESOURCE_FIELDS)


def sample_document(sample: Sample) -> dict:
    return {"uid": str(sample.uid)} | _filled(sample, SAMPLE_FIELDS)


def _filled(row, names) -> dict:
    return {name: value for name in names if (value := getattr(row, name))}


@cache
def _defaults() -> dict:
    return {name: Dataset._meta.get_field(name).get_default for name in FIELDS}


def assign(dataset: Dataset, document: dict) -> None:
    """Set the owner-written scalar fields named in the document; absent ones return to their default. Saves nothing."""
    for name in FIELDS:
        value = document.get(name)
        if value is None:
            value = _defaults()[name]()
        if name in DATES and isinstance(value, str):
            value = datetime.date.fromisoformat(value)
        setattr(dataset, name, value)


def canonical(document: dict) -> bytes:
    """Compact JSON with sorted keys; equals RFC 8785 for a listing document."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def digest(document: dict) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()
