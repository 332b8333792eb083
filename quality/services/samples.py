"""Profile a stored sample and hand the verdict to the catalogue: real high-risk personal information blocks it."""

import tempfile

from django.db import transaction

from catalog.models import Sample
from quality.profiling import profile_file, storable

BLOCKED = "样例里像有真实的个人信息（{columns}），已拦截，待人工核实。请去标识化后重新上传。"


def profile_sample(sample: Sample) -> dict:
    """The stored profile of the sample; its state becomes READY or BLOCKED with the reason."""
    profile = read_profile(sample)
    state, reason = verdict(profile)
    kept = storable(profile)
    publish(sample, kept, state=state, reason=reason)
    return kept


def read_profile(sample: Sample) -> dict:
    """Copied out of the storage first: profiling needs a path and several passes, wherever the samples lie."""
    with tempfile.NamedTemporaryFile(prefix="jimu-sample-") as target, sample.file.open("rb") as source:
        while block := source.read(1024 * 1024):
            target.write(block)
        target.flush()
        return profile_file(target.name, name=sample.name)


def verdict(profile: dict) -> tuple[str, str]:
    risky = [item for item in profile.get("personal_information", []) if item["high_risk"]]
    if risky:
        columns = "、".join(dict.fromkeys(f"列 {item['column'][:40]}" for item in risky[:5]))
        return Sample.State.BLOCKED, BLOCKED.format(columns=columns)
    if not profile["readable"]:
        return Sample.State.READY, f"文件读不出：{profile['reason']}"
    return Sample.State.READY, ""


def publish(sample: Sample, profile: dict, *, state: str, reason: str) -> None:
    try:
        from catalog.services.samples import publish_profile
    except ImportError:
        publish_profile = _publish_profile
    publish_profile(sample, profile, state=state, reason=reason)


@transaction.atomic
def _publish_profile(sample: Sample, profile: dict, *, state: str, reason: str = "") -> None:
    from catalog.services.publication import announce

    sample.profile, sample.row_count, sample.state, sample.state_reason = profile, profile.get("rows"), state, reason
    sample.save(update_fields=["profile", "row_count", "state", "state_reason"])
    announce([sample.dataset])
