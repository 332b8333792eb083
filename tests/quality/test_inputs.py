"""Providers of opinions and rulings: asked once for many datasets, in an order of their own."""

import pytest

from quality.opinions import Opinion, Ruling
from quality.services import inputs
from tests.factories import make_dataset


@pytest.fixture
def providers(monkeypatch):
    monkeypatch.setattr(inputs, "_providers", [])
    return inputs._providers


@pytest.mark.django_db
def test_without_a_provider_nobody_has_an_opinion(providers):
    assert inputs.opinions(make_dataset()) == []


@pytest.mark.django_db
def test_providers_are_asked_once_and_their_order_does_not_matter(providers):
    first, second, calls = make_dataset(), make_dataset(), []

    def experts(datasets):
        calls.append(len(datasets))
        return {first.pk: [Opinion("user", "0301", 70, 12), Opinion("expert", "0207", 80, 3), "drawn"]}

    def rulings(datasets):
        return {first.pk: [Ruling("V1", "dismissed", "演示号段")]}

    inputs.provides(experts)
    inputs.provides(rulings)
    found = inputs.inputs_of([first, second])

    assert calls == [2]
    assert [row.indicator for row in found[first.pk].opinions] == ["0207", "0301"]
    assert found[first.pk].rulings[0].state == "dismissed" and found[first.pk].is_sample_drawn
    assert found[second.pk] == inputs.Inputs()
