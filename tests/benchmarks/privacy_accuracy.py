"""Recall and precision of personal information on a generated set: `python -m tests.benchmarks.privacy_accuracy [--rows 2000] [--dingo PYTHON]`.

Planted numbers stand alone, glued to Han text, and among near misses: mistyped checksums, order numbers with a date inside,
card-like and phone-like numbers, decimals, hashes. With --dingo, the Python of an environment that has dingo-python reads the
same records; it judges records, so it is compared by record, with the column decision left out for both.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

PATTERNS = ["{}", "患者{}已出院", "身份信息：{}。", "联系{}谢谢", "({})", "请核对{}后办理", "号码{}，备用", "ID={};"]
CHECKSUM = ("id_card", "bank_card", "credit_code")


def make(kind: str, draw: random.Random) -> str:
    from quality.profiling import identifiers as rules

    if kind == "id_card":
        day = f"{draw.randint(1940, 2015)}{draw.randint(1, 12):02}{draw.randint(1, 28):02}"
        body = f"{draw.choice(sorted(rules.PROVINCES))}{draw.randint(1, 30):02}{draw.randint(1, 30):02}{day}{draw.randint(0, 999):03}"
        return body + "10X98765432"[sum(w * int(c) for w, c in zip(rules.WEIGHTS, body, strict=True)) % 11]
    if kind == "bank_card":
        body = draw.choice(["622848", "621700", "622202", "436742", "356889"]) + "".join(draw.choices("0123456789", k=draw.choice([9, 12])))
        return next(body + digit for digit in "0123456789" if rules.luhn(body + digit))
    if kind == "credit_code":
        body = draw.choice(["91", "92", "12", "52"]) + f"{draw.randint(110000, 659000)}" + "".join(draw.choices(rules.USCC_CHARS, k=9))
        total = sum(rules.USCC_CHARS.index(char) * pow(3, n, 31) for n, char in enumerate(body))
        return body + rules.USCC_CHARS[(31 - total % 31) % 31]
    if kind == "mobile":
        return f"1{draw.choice('3456789')}{draw.randint(0, 10**9 - 1):09}"
    if kind == "email":
        return f"{draw.choice(['li', 'wang', 'zhang.san'])}{draw.randint(1, 9999)}@{draw.choice(['example.com', 'mail.example.cn'])}"
    if kind == "plate":
        tail = "".join(draw.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=1)) + f"{draw.randint(0, 9999):04}"
        return draw.choice("京沪粤浙川苏") + draw.choice("ABCDEF") + draw.choice([tail, f"D{draw.randint(0, 99999):05}"])
    return f"E{draw.randint(0, 99999999):08}"  # passport


def near_miss(kind: str, draw: random.Random) -> str:
    from quality.profiling import identifiers as rules

    if kind == "order_with_date":
        day = f"{draw.randint(1990, 2025)}{draw.randint(1, 12):02}{draw.randint(1, 28):02}"
        return f"{draw.choice(sorted(rules.PROVINCES))}0102{day}{draw.randint(0, 9999):04}"
    if kind == "order":
        return "".join(draw.choices("0123456789", k=18))
    if kind == "card_like":
        return "62" + "".join(draw.choices("0123456789", k=14))
    if kind == "phone_like":
        return f"{draw.randint(10**10, 10**11 - 1)}"
    if kind == "decimal":
        return f"{draw.random():.18f}"
    if kind == "hash":
        return f"{draw.getrandbits(128):032x}"
    if kind == "code_like":
        return "91" + f"{draw.randint(110000, 659000)}" + "".join(draw.choices(rules.USCC_CHARS, k=10))
    return f"{draw.randint(10**15, 10**16 - 1)}-{draw.randint(0, 9)}"


KINDS = ["id_card", "bank_card", "credit_code", "mobile", "email", "plate", "passport"]
MISSES = ["order_with_date", "order", "card_like", "phone_like", "decimal", "hash", "code_like", "serial"]


def generate(path: Path, rows: int, seed: int = 7) -> dict[str, dict[str, set]]:
    """A table of columns of planted numbers, alone and glued, and of near misses; {column: {kind: values}} that are real."""
    draw = random.Random(seed)
    names = {f"{kind}_{style}": (kind, style) for kind in KINDS for style in ("alone", "glued")} | {name: ("", name) for name in MISSES}
    truth: dict[str, dict[str, set]] = {name: {} for name in names}
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([name.replace("passport", "护照") for name in names])
        for _row in range(rows):
            cells = []
            for name, (kind, style) in names.items():
                value = make(kind, draw) if kind else near_miss(style, draw)
                if kind:
                    truth[name].setdefault(kind, set()).add(value)
                cells.append(draw.choice(PATTERNS[1:]).format(value) if style == "glued" else value)
            writer.writerow(cells)
    return {name.replace("passport", "护照"): found for name, found in truth.items()}


def ours(path: Path, truth: dict) -> dict[str, tuple[int, int, int]]:
    """{kind: (planted, of them found, found in all)}; a kind counts in a column when the column is decided to be real."""
    from quality.profiling import privacy

    found: dict[str, dict[str, set]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            for column, value in row.items():
                if privacy.re.match(privacy.DECIMAL, value):
                    continue
                for kind, text, verified in privacy.find(value, column):
                    tally = found.setdefault(column, {}).setdefault(kind, privacy.Tally())
                    tally.add(text, verified, column)
    out = {}
    for kind in KINDS:
        planted = sum(len(values.get(kind, ())) for values in truth.values())
        hit = wrong = 0
        for column, tallies in found.items():
            if kind in tallies and tallies[kind].is_real:
                real = truth[column].get(kind, set())
                hit += len(tallies[kind].distinct & real)
                wrong += len(tallies[kind].distinct - real)
        out[kind] = (planted, hit, hit + wrong)
    return out


DINGO = """
import csv, json, sys
from dingo.io.input import Data
from dingo.model.rule import rule_common
names = [name for name in ("RuleIDCard", "RulePIIDetection") if hasattr(rule_common, name)]
out = {}
for row in csv.DictReader(open(sys.argv[1], encoding="utf-8", newline="")):
    for column, value in row.items():
        bad = 0
        for name in names:
            result = getattr(rule_common, name)().eval(Data(data_id="1", content=value))
            bad |= bool(getattr(result, "status", None) or getattr(result, "error_status", False))
        seen = out.setdefault(column, [0, 0])
        seen[0] += 1
        seen[1] += bad
print(json.dumps({"rules": names, "columns": out}))
"""


def by_record(path: Path) -> dict[str, list[int]]:
    """{column: [records, records with a verified number]}, as a judge of records sees them."""
    from quality.profiling import privacy

    out: dict[str, list[int]] = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            for column, value in row.items():
                seen = out.setdefault(column, [0, 0])
                seen[0] += 1
                seen[1] += any(verified for _kind, _text, verified in privacy.find(value, column))
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--dingo", help="python of an environment with dingo-python")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jimu-privacy-") as folder:
        path = Path(folder) / "personal.csv"
        truth = generate(path, options.rows)
        print(f"{'kind':14}{'planted':>9}{'found':>9}{'recall':>9}{'precision':>11}")
        for kind, (planted, hit, reported) in ours(path, truth).items():
            mark = " *" if kind in CHECKSUM else ""
            print(f"{kind + mark:14}{planted:>9}{hit:>9}{hit / planted:>9.4f}{hit / reported if reported else 0:>11.4f}")
        print("* with a checksum")
        if options.dingo:
            beside(path, options.dingo)


def beside(path: Path, python: str) -> None:
    made = subprocess.run([python, "-c", DINGO, str(path)], capture_output=True, text=True, timeout=600)
    if made.returncode:
        print("dingo-python did not run:", made.stderr.strip().splitlines()[-1][:200])
        return
    theirs = json.loads(made.stdout.strip().splitlines()[-1])
    print(f"\nshare of records flagged{'':11}{'here':>8}{'dingo':>8}   ({', '.join(theirs['rules'])})")
    for column, (records, flagged) in by_record(path).items():
        print(f"{column:34}{flagged / records:>8.3f}{theirs['columns'][column][1] / theirs['columns'][column][0]:>8.3f}")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    main()
