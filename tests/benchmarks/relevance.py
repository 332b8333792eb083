"""Relevance on judged queries: python tests/benchmarks/relevance.py [--corpus FOLDER] [--run FILE] [--per-query] [--json].

Loads the corpus of real records (corpus.jsonl of the shared relevance data, or of another folder of the same make) into a database of
its own and asks every query of queries.tsv as the API does: the text alone, never the intent. Prints nDCG@10, recall@50, MRR and the
share of queries without a result for each stratum, by the folder's own score.py. The engine is that of the environment: SQLite, or
DATABASE_URL of an empty PostgreSQL database, and Elasticsearch where ELASTICSEARCH_URL is set. `--keep FOLDER` keeps the loaded SQLite
database for further runs.
"""

import argparse
import importlib.util
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.benchmarks import setting

MEASURES = ("nDCG@10", "recall@50", "MRR", "zero", "judged@10")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, default=None)
    parser.add_argument("--run", type=Path, default=None, help="write the run (qid, rank, docid) here")
    parser.add_argument("--keep", default="", help="folder of a database that is kept")
    parser.add_argument("--per-query", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = options.corpus or corpus()
    setting.start(options.keep)
    names = load(folder)
    found, slowest = ask(folder, names)
    if options.run:
        lines = [f"{qid}\t{rank}\t{doc}" for qid, docs in found.items() for rank, doc in enumerate(docs, 1)]
        options.run.write_text("\n".join(["qid\trank\tdocid", *lines, ""]), encoding="utf-8")
    report(folder, found, slowest, options)


def corpus() -> Path:
    places = [os.environ.get("JIMU_SHARED"), setting.ROOT.parent / "shared", setting.ROOT.parent.parent / "shared"]
    folder = next((Path(place) for place in places if place and Path(place).is_dir()), None)
    if folder is None:
        sys.exit("The shared test data are not here: set JIMU_SHARED or give --corpus.")
    return folder / "data" / "relevance"


def load(folder: Path) -> dict[int, str]:
    """Names of the records by the keys of their datasets; loads those that are not there."""
    from django.conf import settings
    from django.utils import timezone

    from catalog.ids import dataset_urn, new_uid
    from catalog.models import Dataset, Organization
    from catalog.search.backends import get_backend

    records = [json.loads(line) for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]
    if Dataset.objects.count() != len(records):
        if Dataset.objects.exists():
            sys.exit("The database holds other datasets: give an empty one.")
        organizations, now = {}, timezone.now()
        for record in records:
            name = (record["publisher"] or "—")[:200]
            if name not in organizations:
                organizations[name] = Organization.objects.create(name=name, home_portal=settings.PORTAL_ID)
        uids = [new_uid() for _record in records]
        kept = {"home_portal": settings.PORTAL_ID, "status": "listed", "listed_at": now}
        made = [
            Dataset(
                title=record["title"][:300],
                description=record["description"],
                keywords=record["keywords"],
                source_identifier=record["id"],
                organization=organizations[(record["publisher"] or "—")[:200]],
                uid=uid,
                identifier=dataset_urn(settings.PORTAL_ID, uid),
                **kept,
            )
            for record, uid in zip(records, uids, strict=True)
        ]
        Dataset.objects.bulk_create(made, batch_size=500)
    if get_backend().status()["rows"] != len(records) or get_backend().name == "elasticsearch":
        get_backend().build()
    return dict(Dataset.objects.values_list("pk", "source_identifier"))


def ask(folder: Path, names: dict[int, str]) -> tuple[dict[str, list[str]], float]:
    from django.http import QueryDict

    from catalog.search import vocabulary
    from catalog.search.backends import get_backend
    from catalog.search.lexicon import lexicon
    from catalog.search.listing import parse_query

    vocabulary.holder.get(lexicon(), at_once=True)
    found, slowest = {}, 0.0
    for line in (folder / "queries.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        qid, _stratum, text = line.split("\t")[:3]
        params = QueryDict(mutable=True)
        params.update({"q": text, "page_size": "50"})
        start = time.perf_counter()
        result = get_backend().search(parse_query(params))
        slowest = max(slowest, time.perf_counter() - start)
        if result.degraded:
            sys.exit("The search server gave no answer: the database answered.")
        found[qid] = [names[pk] for pk in result.ids]
    return found, slowest


def report(folder: Path, found: dict[str, list[str]], slowest: float, options) -> None:
    from catalog.search.backends import get_backend

    place = folder if (folder / "score.py").exists() else corpus()
    spec = importlib.util.spec_from_file_location("score", place / "score.py")
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    run = Path(options.run or Path(setting.ROOT / "var" / "relevance.run"))
    if not options.run:
        run.parent.mkdir(exist_ok=True)
        run.write_text("".join(f"{qid}\t{rank}\t{doc}\n" for qid, docs in found.items() for rank, doc in enumerate(docs, 1)), encoding="utf-8")
    queries, judged, ranked = score.load(folder, run)
    strata, empty = {}, []
    for qid, (stratum, text) in queries.items():
        if stratum == "none":
            empty.append(not ranked.get(qid))
            continue
        measured = score.measure(ranked.get(qid, []), judged[qid])
        strata.setdefault(stratum, []).append(measured)
        if options.per_query:
            print(f"{qid}\t{stratum}\t" + "\t".join("-" if value is None else f"{value:.3f}" for value in measured) + f"\t{text}")
    rows = [*strata.items(), ("all", [measured for each in strata.values() for measured in each])]
    table = {name: [len(each), *(score.mean(column) for column in zip(*each, strict=True))] for name, each in rows}
    if options.json:
        print(json.dumps({"engine": get_backend().name, "strata": table, "nonsense_empty": sum(empty), "nonsense": len(empty)}))
        return
    print(f"{setting.machine()} · {get_backend().name} · slowest query {slowest * 1000:.0f} ms\n")
    print("| stratum | queries | " + " | ".join(MEASURES) + " |\n|---|" + "---|" * (len(MEASURES) + 1))
    for name, (count, *values) in table.items():
        print(f"| {name} | {count} | " + " | ".join("–" if value is None else f"{value:.3f}" for value in values) + " |")
    print(f"\nnothing returned for {sum(empty)} of {len(empty)} queries that should find nothing")


if __name__ == "__main__":
    main()
