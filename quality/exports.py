"""A report for machines: its checks as CSV, and as Data Quality Vocabulary (W3C DQV) in Turtle or JSON-LD for upward reporting."""

import csv
import io

from django.utils.translation import gettext as _

CSV_COLUMNS = ("report", "indicator", "name", "check", "status", "value", "n", "score", "low", "high", "weight", "source", "rule", "place", "note")


def checks(report: dict) -> list[dict]:
    """One row per indicator, per measured fact, per item and per piece of evidence."""
    rows = []
    for row in report["indicators"]:
        base = {"report": report["number"], "indicator": row["code"], "name": row["name"], "status": row["status"], "rule": row["rule"]}
        rows.append(base | {"check": row["code"], "n": row["n"], "score": row["score"], "low": row.get("low"), "high": row.get("high"),
                            "weight": row["weight"], "source": " ".join(part["source"] for part in row.get("sources") or [])})  # fmt: skip
        for name, value in sorted((row["value"] or {}).items()):
            rows += _facts(base | {"check": f"{row['code']}.{name}"}, value)
        rows += [
            base | {"check": f"{row['code']}.{item.get('code', 'evidence')}", "place": item.get("place"), "note": item.get("message")}
            for item in row["evidence"]
        ]
    return rows


def _facts(base: dict, value) -> list[dict]:
    if isinstance(value, dict) and "n" in value:
        note = _("95%% 上界 %(upper)s") % {"upper": value["upper"]} if value.get("upper") else ""
        return [base | {"value": value.get("rate") or value.get("count"), "n": value["n"], "note": note}]
    if isinstance(value, dict):
        return [base | {"check": f"{base['check']}.{name}", "value": part} for name, part in value.items() if isinstance(part, (str, int))]
    return [base | {"value": value}] if isinstance(value, (str, int)) else []


def checks_csv(report: dict) -> bytes:
    """With a byte order mark, so that Excel reads it as UTF-8; cells that a sheet would compute are quoted."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, CSV_COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    for row in checks(report):
        writer.writerow({key: _safe(row.get(key)) for key in CSV_COLUMNS})
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8")


def _safe(value) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not text.lstrip("+-").replace(".", "", 1).isdigit() else text


# rdflib's name of a format: (its media type, ending)
DQV_FORMATS = {"turtle": "text/turtle", "json-ld": "application/ld+json"}


def dqv(report: dict, *, base_url: str, format: str) -> bytes:
    """Measurements of the 17 indicators and the total, the grade as an annotation, on the IRI of the dataset's page."""
    return graph(report, base_url).serialize(format=format, encoding="utf-8")


def graph(report: dict, base_url: str):
    from rdflib import DCTERMS, PROV, RDF, SKOS, XSD, Graph, Literal, Namespace, URIRef

    DQV, OA = Namespace("http://www.w3.org/ns/dqv#"), Namespace("http://www.w3.org/ns/oa#")
    found, method = Graph(), f"{base_url}/quality/"
    for prefix, space in (("dqv", DQV), ("oa", OA), ("prov", PROV), ("dcterms", DCTERMS), ("skos", SKOS)):
        found.bind(prefix, space)
    dataset = URIRef(f"{base_url}/datasets/{report['dataset']['uid']}/")
    run = URIRef(f"{base_url}/datasets/{report['dataset']['uid']}/quality/#{report['number']}")
    at = Literal(report["evaluated_at"], datatype=XSD.dateTime)
    found.add((dataset, DCTERMS.identifier, Literal(report["dataset"]["identifier"])))
    found.add((dataset, DCTERMS.title, Literal(report["dataset"]["title"])))
    found.add((run, RDF.type, DQV.QualityMetadata))
    found.add((run, PROV.generatedAtTime, at))
    found.add((run, DCTERMS.identifier, Literal(report["number"])))
    found.add((run, DCTERMS.conformsTo, URIRef(f"{method}#scheme-{report['scheme']}")))
    for row in report["dimensions"]:
        dimension = URIRef(f"{method}#{row['code']}")
        found.add((dimension, RDF.type, DQV.Dimension))
        found.add((dimension, SKOS.prefLabel, Literal(row["name"])))
    rows = [{"code": "total", "name": _("加权总分"), "score": report["raw_score"], "status": "measured"}, *report["indicators"]]
    for row in rows:
        if row["score"] is None:
            continue
        metric, measurement = URIRef(f"{method}#{row['code']}"), URIRef(f"{run}-{row['code']}")
        found.add((metric, RDF.type, DQV.Metric))
        found.add((metric, SKOS.prefLabel, Literal(row["name"])))
        found.add((metric, DQV.expectedDataType, XSD.decimal))
        if row.get("dimension"):
            found.add((metric, DQV.inDimension, URIRef(f"{method}#{row['dimension']}")))
        found.add((measurement, RDF.type, DQV.QualityMeasurement))
        found.add((measurement, DQV.computedOn, dataset))
        found.add((measurement, DQV.isMeasurementOf, metric))
        found.add((measurement, DQV.value, Literal(row["score"], datatype=XSD.decimal)))
        found.add((measurement, PROV.generatedAtTime, at))
        found.add((dataset, DQV.hasQualityMeasurement, measurement))
    note = URIRef(f"{run}-grade")
    found.add((note, RDF.type, DQV.QualityAnnotation))
    found.add((note, OA.hasTarget, dataset))
    found.add((note, OA.motivatedBy, DQV.qualityAssessment))
    found.add((note, OA.hasBody, URIRef(f"{method}#grade-{report['grade']}")))
    found.add((dataset, DQV.hasQualityAnnotation, note))
    found.add((dataset, DQV.hasQualityMetadata, run))
    return found
