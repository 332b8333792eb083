"""Where experts, users and evidence enter an evaluation: whoever keeps such rows registers a provider here.

A provider answers for many datasets at once, so that a bulk evaluation costs it a fixed number of queries. Importing the
provider's module is up to its app (quality/apps.py does it for quality's own).
"""

from collections.abc import Callable, Iterable, Sequence

from catalog.models import Dataset, Version
from quality.opinions import Inputs, Opinion, Ruling

Provider = Callable[[Sequence[Dataset]], dict[int, Iterable]]
_providers: list[Provider] = []


def provides(function: Provider) -> Provider:
    """Register `function(datasets) -> {dataset.pk: [Opinion | Ruling | "drawn"]}`; datasets it knows nothing of may be left out.

    It speaks about each dataset's current version. "drawn" says that the samples were drawn by the portal from a locked manifest.
    """
    if function not in _providers:
        _providers.append(function)
    return function


def inputs_of(datasets: Sequence[Dataset]) -> dict[int, Inputs]:
    """{dataset.pk: Inputs} for every dataset given, in an order that does not depend on the providers' rows."""
    found: dict[int, list] = {dataset.pk: [] for dataset in datasets}
    for provider in _providers:
        for pk, values in provider(datasets).items():
            found[pk] += values
    return {pk: _inputs(values) for pk, values in found.items()}


def opinions(dataset: Dataset, version: Version | None = None) -> list[Opinion]:
    """Opinions about the dataset's current version; of an older version there are none, since no run looks at it."""
    if version is not None and version.pk != dataset.current_version_id:
        return []
    return list(inputs_of([dataset])[dataset.pk].opinions)


def _inputs(values: list) -> Inputs:
    return Inputs(
        opinions=tuple(sorted((row for row in values if isinstance(row, Opinion)), key=lambda row: (row.indicator, row.source, row.value, row.n))),
        rulings=tuple(sorted((row for row in values if isinstance(row, Ruling)), key=lambda row: (row.rule, row.state, row.message))),
        is_sample_drawn="drawn" in values,
    )
