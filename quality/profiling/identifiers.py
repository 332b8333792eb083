"""Numbers with a rule behind them: Chinese identity numbers, codes, cards, plates, and their checksums. Pure."""

import datetime

PROVINCES = set("11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split())
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # ISO 7064 MOD 11-2, GB 11643
USCC_CHARS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100
BINS = ("62", "4", "51", "52", "53", "54", "55", "34", "37", "35", "60", "9")
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)  # GB 16735
VIN_VALUES = {char: value for value, chars in enumerate("AJ BKS CLT DMU ENV FW GPX HY RZ".split(), 1) for char in chars}


def is_id_card(text: str) -> bool:
    if len(text) != 18 or not text[:17].isdigit() or text[:2] not in PROVINCES or not is_birthday(text[6:14]):
        return False
    return "10X98765432"[sum(w * int(c) for w, c in zip(WEIGHTS, text, strict=False)) % 11] == text[17].upper()


def is_birthday(text: str) -> bool:
    try:
        born = datetime.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2100


def luhn(digits: str) -> bool:
    total = 0
    for position, char in enumerate(reversed(digits)):
        number = int(char) * (1 + position % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def is_bank_card(text: str) -> bool:
    digits = text.replace(" ", "").replace("-", "")
    return digits.isdigit() and 16 <= len(digits) <= 19 and digits.startswith(BINS) and len(set(digits)) >= 3 and luhn(digits)


def is_imei(text: str) -> bool:
    return len(text) == 15 and text.isdigit() and len(set(text)) >= 3 and luhn(text)


def is_credit_code(text: str) -> bool:
    if len(text) != 18 or any(char not in USCC_CHARS for char in text):
        return False
    total = sum(USCC_CHARS.index(char) * pow(3, position, 31) for position, char in enumerate(text[:17]))
    return USCC_CHARS[(31 - total % 31) % 31] == text[17]


def is_vin(text: str) -> bool:
    text = text.upper()
    if len(text) != 17 or any(char in "IOQ" for char in text) or text.isdigit() or text.isalpha():
        return False
    total = sum(weight * (int(char) if char.isdigit() else VIN_VALUES[char]) for weight, char in zip(VIN_WEIGHTS, text, strict=True))
    return "0123456789X"[total % 11] == text[8]


def is_position(latitude: str, longitude: str) -> bool:
    return abs(float(latitude)) <= 90 and abs(float(longitude)) <= 180 and (float(latitude), float(longitude)) != (0.0, 0.0)
