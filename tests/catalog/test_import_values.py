"""Single values of foreign catalogues: what is sure is read, what is not is None, nothing raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.interchange import codes, values
from catalog.interchange.draft import columns_of, plain


@pytest.mark.parametrize(
    ("said", "date"),
    [
        ("2013/03/18", "2013-03-18"),
        ("2017/05/22 20:26", "2017-05-22"),
        ("2018-07-02T02:27:27.485932", "2018-07-02"),
        ("2016-04-14T19:48:05.433640-03:00", "2016-04-14"),
        ("2019-06-27 12:41:27", "2019-06-27"),
        ("20180706", "2018-07-06"),
        ("2013.3.8", "2013-03-08"),
        ("1982", "1982-01-01"),
        ("2015-03", "2015-03-01"),
        ("2013年3月18日", "2013-03-18"),
        ("民國107年6月1日", "2018-06-01"),
        ("107/06/01", "2018-06-01"),
        ("25/12/2020", "2020-12-25"),
        ("10 May 2012", "2012-05-10"),
        ("May 10, 2012", "2012-05-10"),
        ("Mon, 06 Jan 2020 10:00:00 GMT", "2020-01-06"),
        (1506677088, "2017-09-29"),
        (1506677088000, "2017-09-29"),
        ("03/04/2020", None),
        ("04/26\n   ", None),
        ("2018-02-31", None),
        ("R/P1Y", None),
        ("soon", None),
        ("", None),
        (True, None),
    ],
)
def test_dates_of_many_shapes(said, date):
    assert values.day(said) == date


@pytest.mark.parametrize(
    ("said", "span"),
    [
        ("2015-01-01/2015-12-31", ("2015-01-01", "2015-12-31")),
        ("2015-01-01/P1Y", ("2015-01-01", "2015-12-31")),
        ("[1970-01-01T00:00:00 TO 2019-12-31T23:59:59]", ("1970-01-01", "2019-12-31")),
        ("2010-2015", ("2010-01-01", "2015-12-31")),
        ("2018/01/01 至 2018/06/30", ("2018-01-01", "2018-06-30")),
        ({"start": "1905-03-01", "end": "2013-01-05"}, ("1905-03-01", "2013-01-05")),
        ([{"startDate": "2001", "endDate": "2002"}], ("2001-01-01", "2002-12-31")),
        ("2013", ("2013-01-01", "2013-12-31")),
        ("2025-10-05T11:42:39Z/2025-10-19T01:06:58Z", ("2025-10-05", "2025-10-19")),
        ("long ago", (None, None)),
    ],
)
def test_intervals(said, span):
    assert values.interval(said) == span


@pytest.mark.parametrize(
    ("said", "count"),
    [("7,123", 7123), ("約1筆", 1), ("3.2万", 32000), (12.0, 12), ("1,2a", None), (1.5, None), (-3, None), (True, None), ("約 1,204 條", 1204)],
)
def test_counts(said, count):
    assert values.number(said) == count


@pytest.mark.parametrize(("said", "size"), [("117743 B", 117743), ("97.73 TiB", 107455271382548), (5120, 5120), ("1.5 KB", 1536), ("big", None)])
def test_sizes(said, size):
    assert values.size(said) == size


@pytest.mark.parametrize(
    ("word", "code"),
    [
        *[(word, "quarterly") for word in ("每季", "每季度", "Quarterly", "R/P3M", "90")],
        *[(word, "annual") for word in ("每年", "年度", "R/P1Y", "http://publications.europa.eu/resource/authority/frequency/ANNUAL")],
        *[(word, "irregular") for word in ("不定期", "不定時", "as needed", "-2")],
        *[(word, "never") for word in ("-1", "停止更新", "notPlanned")],
        *[(word, "") for word in ("R/P2W", "biweekly", "whenever", "14")],
    ],
)
def test_update_frequencies_are_mapped_only_where_sure(word, code):
    assert codes.code("update_frequency", word) == code


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "open_source"),
        ("https://creativecommons.org/licenses/by-nc/4.0/", ""),
        ("政府資料開放授權條款-第1版", "open_source"),
        ("http://www.usa.gov/publicdomain/label/1.0/", "open_source"),
        ("https://project-open-data.cio.gov/unknown-license", ""),
        ("apache-2.0", "open_source"),
        ("Proprietary", ""),
    ],
)
def test_licence_types_are_mapped_only_where_sure(word, code):
    assert codes.code("license_type", word) == code


def test_regions_are_known_by_name_short_name_and_code():
    assert {codes.code("region", word) for word in ("浙江省", "浙江", "330000", "33", "Zhejiang")} == {"330000"}
    assert codes.code("region", "ARG") == ""


def test_chinese_is_chosen_among_languages():
    assert values.text({"en": "Iris", "zh": "鸢尾花", "fr": "Iris"}) == "鸢尾花"
    assert values.text([{"@language": "fr", "@value": "a"}, {"@language": "en", "@value": "b"}]) == "b"


def test_columns_come_from_objects_and_from_one_text():
    assert columns_of("「序號」、「名稱」") == [{"name": "序號"}, {"name": "名稱"}]
    assert columns_of("no：編號、area：區域")[1] == {"name": "area", "description": "區域"}
    assert columns_of([{"title": "id", "type": "integer"}]) == [{"name": "id", "type": "integer"}]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_no_value_makes_a_reader_fail(value):
    values.text(value), values.texts(value), values.number(value), values.size(value)
    values.day(value), values.interval(value), values.web_address(value), values.email(value), columns_of(value)


@given(json_values)
def test_whatever_is_kept_may_stand_in_a_listing_document(value):
    from catalog.services.checks import _not_plain

    assert _not_plain({"unmapped": plain(value)}) == ""
