"""Made listings: seeded, with the skew of real catalogues. The same seed and number give the same listing on every machine,
apart from its identifiers and times of writing."""

import datetime
import hashlib
import random
from bisect import bisect
from collections.abc import Sequence
from functools import cache
from itertools import accumulate

from django.conf import settings
from django.db.models.base import ModelState

from catalog.generated import words
from catalog.ids import dataset_urn, new_uid
from catalog.models import Dataset, Organization, Resource, Sample, Term
from catalog.search.text import traditional_table

TRADITIONAL = 0.08  # share of listings written in traditional characters
ENGLISH = 0.25  # share with an English title as well
EPOCH = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
SAMPLE_FILE, SAMPLE = "generated/sample.csv", "编号,名称,数值\n1,示例一,10\n2,示例二,20\n3,示例三,30\n".encode()
SAMPLE_SHA256 = hashlib.sha256(SAMPLE).hexdigest()
MARK = "generated:{seed}:"  # begins the source identifier of each


class NoVocabulary(Exception):
    """The vocabularies are not loaded."""


class Zipf:
    """Draws of words, the one at place n with weight 1 / (n + offset)."""

    def __init__(self, values: Sequence, offset: float = 1.0):
        self.values = list(values)
        self.cumulated = list(accumulate(1 / (at + offset) for at in range(len(self.values))))

    def draw(self, chance: random.Random):
        return self.values[bisect(self.cumulated, chance.random() * self.cumulated[-1])]

    def some(self, chance: random.Random, most: int) -> list:
        return list(dict.fromkeys(self.draw(chance) for _time in range(chance.randint(0, most))))


def _terms(scheme: str) -> list[str]:
    return list(Term.objects.filter(scheme=scheme, is_active=True, parent=None).order_by("position", "code").values_list("code", flat=True))


class Maker:
    """Makes the listings of one seed. Needs the vocabularies; NoVocabulary without them."""

    def __init__(self, seed: int, portal: str = ""):
        self.seed, self.portal = seed, portal or settings.PORTAL_ID
        self.mark = MARK.format(seed=seed)
        self.codes = {
            name: _terms(name)
            for name in (
                "sector region modality model_stage knowledge_tier cognition_layer license_type industry collection_method update_frequency "
                "access_method source_type annotator annotation_method"
            ).split()
        }
        if not self.codes["sector"]:
            raise NoVocabulary
        self.zipf = {name: Zipf(codes, 2.0) for name, codes in self.codes.items()}
        self.words = {
            name: Zipf(getattr(words, name).split(), 2.0)
            for name in "ENDS USES TASKS METHODS QUALITIES FORMATS COLUMNS LICENSES LANGUAGES ENGLISH PLACE_ENDS".split()
        }
        self.subjects = {sector: Zipf(text.split()) for sector, text in words.SUBJECTS.items()}
        self.kinds = {modality: Zipf(text.split()) for modality, text in words.KINDS.items()}
        self.periods = words.PERIODS.split()
        self.blank: dict[type, dict] = {}
        self.places = Zipf(self._places(3000), 20.0)

    def _places(self, count: int) -> list[str]:
        chance, signs = random.Random(f"{self.seed} places"), words.PLACE_SIGNS
        names: dict[str, None] = {}
        while len(names) < count:
            names["".join(chance.sample(signs, 2)) + self.words["PLACE_ENDS"].draw(chance)] = None
        return list(names)

    def organizations(self, count: int) -> list[Organization]:
        chance, bodies = random.Random(f"{self.seed} organizations"), Zipf(words.BODIES.split(), 3.0)
        made: dict[str, Organization] = {}
        while len(made) < count:
            ending, _mark, kind = bodies.draw(chance).partition(":")
            name = f"示例{self.places.draw(chance)}{chance.choice(words.PLACE_SIGNS)}{chance.choice(words.PLACE_SIGNS)}{ending}"
            region = self.zipf["region"].draw(chance) if chance.random() < 0.9 else ""
            made[name] = Organization(name=name, kind=kind, region=region, home_portal=self.portal, is_example=True)
        return list(made.values())

    def batch(self, first: int, count: int, providers: Zipf) -> list[Dataset]:
        """Listings first, first + 1, …; each has `made_files` and `made_samples` besides."""
        made = [self._listing(number, providers) for number in range(first, first + count)]
        traditional = [row for row in made if row.is_traditional]
        if traditional:
            texts = _traditional("\n".join(f"{row.title}\n{row.summary}\n{row.description}" for row in traditional)).split("\n")
            for row, *told in zip(traditional, texts[::3], texts[1::3], texts[2::3], strict=True):
                row.title, row.summary, row.description = told
        return made

    def _listing(self, number: int, providers: Zipf) -> Dataset:
        chance = random.Random(self.seed * 1_000_003 + number)
        roll = chance.random
        sector = self.zipf["sector"].draw(chance)
        modality = self.zipf["modality"].draw(chance)
        subject = self.subjects[sector].draw(chance) if sector in self.subjects else chance.choice(list(self.subjects.values())).draw(chance)
        kind = self.kinds[modality].draw(chance) if modality in self.kinds else "数据"
        place = self.places.draw(chance) if roll() < 0.7 else ""
        use, year = self.words["USES"].draw(chance), chance.choice(self.periods)
        title = f"{place}{subject}{kind}" + (self.words["ENDS"].draw(chance) if roll() < 0.55 else "") + (f"（{year}年）" if roll() < 0.3 else "")
        described = roll() < 0.85
        quality, method = self.words["QUALITIES"].draw(chance), self.words["METHODS"].draw(chance)
        description = f"面向{use}场景，收录{place or '全国'}{year}年以来的{subject}{kind}，由{method}形成，{quality}。" if described else ""
        if described and roll() < 0.3:
            named = "、".join(["编号", *self.words["COLUMNS"].some(chance, 9)])
            other = self.subjects[chance.choice(list(self.subjects))].draw(chance)
            description += f"主要字段：{named}。可与{self.places.draw(chance)}{other}数据一并使用。"
        size = None if roll() < 0.2 else int(10 ** min(max(chance.gauss(9.5, 2), 3), 15))
        listed = EPOCH - datetime.timedelta(minutes=int(1_000_000 * roll() ** 2))
        modified = None if roll() < 0.15 else (listed - datetime.timedelta(days=int(900 * roll() ** 3))).date()
        grade = self._grade(chance)
        uid = new_uid()
        row = self._fresh(
            Dataset,
            uid=uid,
            identifier=dataset_urn(self.portal, uid),
            source_identifier=f"{self.mark}{number}",
            home_portal=self.portal,
            status=Dataset.Status.LISTED,
            is_example=True,
            listed_at=listed,
            title=title,
            title_en=" ".join(self.words["ENGLISH"].draw(chance) for _word in range(4)).capitalize() if roll() < ENGLISH else "",
            summary=f"{subject}{kind}，用于{use}。" if roll() < 0.6 else "",
            description=description,
            keywords=list(dict.fromkeys([subject, *([use] if roll() < 0.5 else []), *([kind] if roll() < 0.3 else [])])) if roll() < 0.8 else [],
            contact_email="data@example.org",
            modified=modified,
            sectors=[sector] + ([self.zipf["sector"].draw(chance)] if roll() < 0.1 else []) if roll() < 0.9 else [],
            industry=self.zipf["industry"].draw(chance) if roll() < 0.6 else "",
            region=self.zipf["region"].draw(chance) if roll() < 0.8 else "",
            modalities=list(dict.fromkeys([modality, *([self.zipf["modality"].draw(chance)] if roll() < 0.12 else [])])) if roll() < 0.93 else [],
            model_stages=self.zipf["model_stage"].some(chance, 2),
            knowledge_tier=self.zipf["knowledge_tier"].draw(chance) if roll() < 0.7 else "",
            cognition_layer=self.zipf["cognition_layer"].draw(chance) if roll() < 0.5 else "",
            knowledge_nodes=[sector] if roll() < 0.4 else [],
            tasks=self.words["TASKS"].some(chance, 2),
            languages=self.words["LANGUAGES"].some(chance, 2),
            scenarios=[use] if roll() < 0.4 else [],
            record_count=None if size is None or roll() < 0.3 else max(1, size // chance.randint(100, 1_000_000)),
            byte_size=size,
            collection_method=self.zipf["collection_method"].draw(chance) if roll() < 0.6 else "",
            source_types=self.zipf["source_type"].some(chance, 2),
            is_synthetic=roll() < 0.05,
            rights_holder=place + "数据管理机构" if roll() < 0.3 else "",
            license_type=self.zipf["license_type"].draw(chance) if roll() < 0.75 else "",
            license=self.words["LICENSES"].draw(chance) if roll() < 0.5 else "",
            openness=chance.choices(("open", "conditional", "closed"), (30, 60, 10))[0],
            access_method=self.zipf["access_method"].draw(chance) if roll() < 0.5 else "",
            update_frequency=self.zipf["update_frequency"].draw(chance) if roll() < 0.7 else "",
            storage_place="本地机房" if roll() < 0.1 else "",
            grade=grade,
            score={"A": 92, "B": 81, "C": 68, "D": 51}.get(grade),
            assurance="L1" if grade else "",
            grade_source="own" if grade else "",
            documentation_score=int(100 * roll() ** 2),
            download_count=int(1 / (roll() + 0.0005) - 0.9),
            view_count=int(20 / (roll() + 0.0005)),
            serial=1,
            rev=1,
        )
        row.organization = providers.draw(chance)
        row.is_traditional = roll() < TRADITIONAL
        row.made_files = [self._file(row, chance, at, title) for at in range(min(int(1 / (roll() + 0.12)), 6))]
        row.made_samples = [self._sample()] if roll() < 0.08 else []
        return row

    def _grade(self, chance: random.Random) -> str:
        return chance.choices(("", "A", "B", "C", "D"), (55, 6, 16, 18, 5))[0]

    def _file(self, row: Dataset, chance: random.Random, at: int, title: str) -> Resource:
        form = self.words["FORMATS"].draw(chance)
        columns = [{"name": name} for name in self.words["COLUMNS"].some(chance, 8)] if at == 0 and form in ("CSV", "XLSX", "PARQUET") else []
        address = f"https://example.org/files/{row.source_identifier.rpartition(':')[2]}/{at + 1}.{form.lower()}"
        name = f"{title[:60]}-{at + 1}.{form.lower()}"
        told = {"position": at, "name": name, "format": form, "download_url": address, "byte_size": chance.randint(10**3, 10**9), "columns": columns}
        return self._fresh(Resource, uid=new_uid(), **told)

    def _fresh(self, model: type, **values):
        """A new object with these values and the model's defaults: the model's own way goes through every field each time."""
        if model not in self.blank:
            self.blank[model] = vars(model())
        row = model.__new__(model)
        row.__dict__.update(self.blank[model] | values, _state=ModelState())
        return row

    def _sample(self) -> Sample:
        """All made samples share one small file."""
        profile = {"columns": [{"name": name} for name in ("编号", "名称", "数值")]}
        known = {"format": "CSV", "media_type": "text/csv", "byte_size": len(SAMPLE), "sha256": SAMPLE_SHA256, "row_count": 3}
        return Sample(name="示例样例.csv", file=SAMPLE_FILE, profile=profile, state=Sample.State.READY, is_synthetic=True, **known)


@cache
def _variants() -> dict[int, str]:
    table: dict[int, str] = {}
    for sign, simplified in traditional_table().items():
        if len(simplified) == 1:
            table.setdefault(ord(simplified), chr(sign))
    return table


def _traditional(text: str) -> str:
    """Sign by sign: a variant that folding takes back, not always the one that is usual."""
    return text.translate(_variants())
