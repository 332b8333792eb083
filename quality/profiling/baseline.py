"""A trial model on the labels of a sample: are they learnable beyond chance? And where it disagrees with itself, a hint.

Three folds. The null is the same model on permuted labels: the majority class is too weak a null, pure noise beats it.
Columns that give the label away alone (F1 above .98) are left out and reported. What this shows is that labels are learnable,
not that a model gets better; the hint flags labels even where none is wrong, so it is given less its own null and never as
an error rate.
"""

import warnings

from quality.profiling.table import finding

FOLDS = 3
ROWS = 4_000
FEATURES = 30
LEAK = 0.98
SEED = 20261118
LEAST = 60  # rows
LEAST_OF_CLASS = 6


def look(frame, names: list[str], types: list[str], text: int | None, label: int) -> tuple[dict, list[dict]]:
    import numpy as np

    rows = frame.filter(frame[f"c{label}"].fill_null("").str.strip_chars() != "").head(ROWS)  # by key already
    labels = np.array(rows[f"c{label}"].str.strip_chars().to_list())
    values, counts = np.unique(labels, return_counts=True)
    kept = set(values[counts >= LEAST_OF_CLASS])
    mask = np.array([value in kept for value in labels], dtype=bool)
    if len(kept) < 2 or mask.sum() < LEAST:
        return {}, []
    import polars as pl

    rows, labels = rows.filter(pl.Series(mask)), labels[mask]
    import sklearn.ensemble  # noqa: F401  its thread pool exists once it is imported, and can be pinned then
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if text is not None:
            return _text_trial(rows, labels, names, types, text, label)
        return _table_trial(rows, labels, names, types, label)


def _text_trial(rows, labels, names, types, text: int, label: int):
    from sklearn.feature_extraction.text import HashingVectorizer

    _found, _used, leaks = _features(rows, labels, names, types, (label, text))
    texts = [value[:400] for value in rows[f"c{text}"].fill_null("").to_list()]
    matrix = HashingVectorizer(analyzer="char", ngram_range=(1, 3), n_features=2**15, alternate_sign=False).fit_transform(texts)
    return _trial(matrix, labels, "text", [names[text]], leaks)


def _table_trial(rows, labels, names, types, label: int):
    import numpy as np

    found, used, leaks = _features(rows, labels, names, types, (label,))
    if not found:
        return ({"baseline": {"kind": "table", "leaks": [name[:80] for name in leaks], "n": len(labels)}} if leaks else {}), _leaks(leaks)
    return _trial(np.column_stack(found), labels, "table", used, leaks)


def _features(rows, labels, names, types, without: tuple) -> tuple[list, list[str], list[str]]:
    """(columns as numbers, their names, names of those that give the label away)."""
    found, used, leaks = [], [], []
    for position, name in enumerate(names[:FEATURES]):
        if position in without or f"c{position}" not in rows.columns:
            continue
        values = _numbers(rows[f"c{position}"], types[position])
        if values is None:
            continue
        if _alone(values, labels) > LEAK:
            leaks.append(name)
            continue
        found.append(values)
        used.append(name)
    return found, used, leaks


def _numbers(series, kind: str):
    """A column as numbers: its own, or the rank of its category; None for free text and ids."""
    import polars as pl

    if kind in ("integer", "number"):
        values = series.str.strip_chars().cast(pl.Float64, strict=False).to_numpy()
        return None if series.n_unique() > 0.95 * len(series) and kind == "integer" and _runs(values) else values
    if series.n_unique() > max(50, len(series) // 10):
        return None
    return series.fill_null("").rank("dense").cast(pl.Float64).to_numpy()


def _runs(values) -> bool:
    """A running number."""
    import numpy as np

    ordered = np.sort(values[np.isfinite(values)])
    return len(ordered) > 2 and float(np.median(np.diff(ordered))) <= max(2.0, (ordered[-1] - ordered[0]) / len(ordered) * 1.5)


def _alone(values, labels) -> float:
    """F1 of the label told from this column alone, by a small tree on held-out folds."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    column = np.nan_to_num(values, nan=-1e18).reshape(-1, 1)
    return f1(labels, cross_val_predict(DecisionTreeClassifier(max_leaf_nodes=256, random_state=SEED), column, labels, cv=folds))


def f1(truth, told) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(truth, told, average="macro"))


def _trial(matrix, labels, kind: str, used: list[str], leaks: list[str]):
    import numpy as np

    permuted = np.random.RandomState(SEED).permutation(labels)
    told, sure = _predicted(matrix, labels, kind)
    chance, chance_sure = _predicted(matrix, permuted, kind)
    score, null = f1(labels, told), f1(permuted, chance)
    lift = max(0.0, (score - null) / (1 - null)) if null < 1 else 0.0
    flagged = _flagged(labels, told, sure)
    # The hint's own null: what the same rule flags where every label is what the model itself says.
    own, own_sure = _predicted(matrix, told, kind) if len(set(told)) > 1 and min(np.unique(told, return_counts=True)[1]) >= FOLDS else (told, sure)
    null_flagged = _flagged(told, own, own_sure)
    out = {"kind": kind, "n": len(labels), "classes": len(set(labels)), "f1": round(score, 4), "null_f1": round(null, 4), "lift": round(lift, 4),
           "features": [name[:80] for name in used[:FEATURES]], "leaks": [name[:80] for name in leaks]}  # fmt: skip
    hint = {"n": len(labels), "flagged": int(flagged), "null": int(null_flagged)}
    return {"baseline": out, "label_hint": hint}, _leaks(leaks)


def _predicted(matrix, labels, kind: str):
    """(class, its confidence) of every row, from the fold that did not see it."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    told, sure = np.empty(len(labels), dtype=object), np.zeros((len(labels), 2))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(np.zeros(len(labels)), labels):
        model = _model(kind)
        model.fit(matrix[train], labels[train])
        chances = model.predict_proba(matrix[test])
        told[test] = model.classes_[chances.argmax(axis=1)]
        where = {name: position for position, name in enumerate(model.classes_)}
        own = np.array([chances[row, where[label]] if label in where else 0.0 for row, label in enumerate(labels[test])])
        sure[test] = np.column_stack([own, chances.max(axis=1)])
    return told.astype(str), sure


def _model(kind: str):
    if kind == "text":
        from sklearn.linear_model import SGDClassifier

        return SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=8, tol=None, random_state=SEED)
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=25, max_leaf_nodes=15, early_stopping=False, random_state=SEED)


def _flagged(labels, told, sure) -> int:
    """Confident learning: another class is told with at least the confidence that rows of that class have on average."""
    import numpy as np

    usual = {name: float(sure[labels == name, 0].mean()) for name in np.unique(labels)}
    return sum(bool(label != other and best >= usual.get(other, 1.1)) for label, other, best in zip(labels, told, sure[:, 1], strict=True))


def _leaks(names: list[str]) -> list[dict]:
    return [finding("0305", "leakage", "warning", f"列 {name[:60]}", "这一列单独就能定出标签，试训时没有使用。") for name in names]
