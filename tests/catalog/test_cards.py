import pytest
from django.utils import translation

from catalog import labels
from catalog.cards import card_rows
from catalog.formatting import count_text, size_text
from catalog.models import Resource
from tests.factories import make_dataset


@pytest.mark.parametrize(
    "size,text",
    [(None, ""), (0, "0 B"), (999, "999 B"), (1500, "1.5 KB"), (118 * 10**9, "118 GB"), (6_420 * 10**12, "6.42 PB"), (960 * 10**15, "960 PB")],
)
def test_sizes_are_decimal_with_three_digits(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(
    "number,text", [(0, "0"), (1234, "1,234"), (116_000, "11.6 万"), (132_480, "13.2 万"), (10_000, "1 万"), (250_000_000, "2.5 亿")]
)
def test_counts_use_ten_thousands(number, text):
    assert count_text(number) == text


def test_counts_in_english_use_thousands_and_millions():
    with translation.override("en"):
        assert count_text(1_250_000) == "1.25M"


@pytest.mark.django_db
def test_cards_keep_the_order_and_cost_three_queries(django_assert_num_queries):
    datasets = [make_dataset() for _ in range(4)]
    Resource.objects.create(dataset=datasets[0], name="a", format="CSV")
    labels.forget()

    with django_assert_num_queries(3):
        rows = card_rows([dataset.pk for dataset in reversed(datasets)] + [10**9])

    assert [row["uid"] for row in rows] == [str(dataset.uid) for dataset in reversed(datasets)]
    assert rows[-1]["formats"] == ["CSV"] and rows[-1]["region_label"] == "浙江" and rows[-1]["modality_labels"] == ["图像"]
