"""Profile a stored sample and hand the verdict to the catalogue: real high-risk personal information blocks it."""

import tempfile

from django.utils import timezone

from catalog import demo
from catalog.models import Sample
from catalog.services.samples import publish_profile
from quality.profiling import limits, storable
from quality.sandbox import ProfileFailed, profile_apart, profile_here

BLOCKED = "样例里像有真实的个人信息（{columns}），已拦截，待人工核实。请去标识化后重新上传。"
COMPARED, LEAST_KEYS, COPY_PERCENT = 20_000, 16, 20
UNREAD = "样例没有读完，已拦截：{why}"


def profile_sample(sample: Sample, *, progress=None, again: bool = False) -> dict:
    """The stored profile of the sample; its state becomes READY or BLOCKED with the reason.

    When the reading process breaks and another try may help (`again`), ProfileFailed is passed on; else the sample is held
    back with the reason and an empty profile, which no evaluation looks at: the grade that stood stays.
    """
    try:
        profile = read_profile(sample, progress=progress)
    except ProfileFailed as failure:
        if again and not failure.final:
            raise
        publish_profile(sample, {}, state=Sample.State.BLOCKED, reason=UNREAD.format(why=failure))
        return {}
    state, reason = verdict(profile)
    kept = storable(profile) | {"read_on": timezone.localdate().isoformat(), "near_copies": near_copies(sample, profile)}
    publish_profile(sample, kept, state=state, reason=reason)
    return kept


def read_profile(sample: Sample, *, progress=None) -> dict:
    """Copied out of the storage first: profiling needs a path and several passes, wherever the samples lie."""
    with tempfile.NamedTemporaryFile(prefix="jimu-sample-") as target, sample.file.open("rb") as source:
        while block := source.read(1024 * 1024):
            target.write(block)
            if target.tell() > limits.SAMPLE_BYTES:
                raise ProfileFailed(f"样例超过 {limits.SAMPLE_BYTES // 1024**2} MiB，不检查。", final=True)
        target.flush()
        read = profile_here if demo.is_filling() else profile_apart
        return read(target.name, sample.name, progress=progress)


def verdict(profile: dict) -> tuple[str, str]:
    risky = [item for item in profile.get("personal_information", []) if item["high_risk"]]
    if risky:
        columns = "、".join(dict.fromkeys(f"列 {item['column'][:40]}" for item in risky[:5]))
        return Sample.State.BLOCKED, BLOCKED.format(columns=columns)
    if not profile["readable"]:
        return Sample.State.READY, f"文件读不出：{profile['reason']}"
    return Sample.State.READY, ""


def near_copies(sample: Sample, profile: dict) -> list[dict]:
    """Listed samples of other datasets that share rows: [{"dataset", "title", "percent"}], by the sketches of their rows.

    A sketch is the 64 smallest row keys, so that equal rows are found whatever their order; a share below a fifth says nothing.
    """
    own = set(_sketch(profile))
    if len(own) < LEAST_KEYS:
        return []
    others = Sample.objects.exclude(dataset=sample.dataset_id).filter(state=Sample.State.READY).order_by("-pk")
    found = []
    for uid, title, sketch in others.values_list("dataset__uid", "dataset__title", "profile__content__sketch")[:COMPARED].iterator(chunk_size=2_000):
        keys = {key for key in sketch if isinstance(key, str)} if isinstance(sketch, list) else set()
        union = sorted(own | keys)[: max(len(own), LEAST_KEYS)]
        percent = round(100 * sum(key in own and key in keys for key in union) / len(union)) if keys else 0
        if percent >= COPY_PERCENT:
            found.append({"dataset": str(uid), "title": title[:80], "percent": percent})
    return sorted(found, key=lambda row: (-row["percent"], row["dataset"]))[:5]


def _sketch(profile: dict) -> list[str]:
    content = profile.get("content")
    return content.get("sketch") or [] if isinstance(content, dict) else []
