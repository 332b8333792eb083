"""Acceptance plans, draws, assignment, aggregation, flags, ratings: each rule by a case that breaks it."""

import random
from datetime import datetime, timedelta

import pytest

from quality.panel import acceptance, aggregation, assignment, collusion, sampling, users
from quality.panel.assignment import Candidate
from quality.panel.collusion import Sheet
from quality.panel.users import Rating

NOW = datetime(2026, 11, 25, 12)


@pytest.mark.parametrize(("percent", "plan"), [(percent, plan) for percent, plans in acceptance.PLANS.items() for plan in plans])
def test_every_plan_is_the_smallest_that_shows_its_rate(percent, plan):
    assert acceptance.size(plan[0], percent / 100) == plan[1]


def judged(right=0, wrong=0, unsure=0, name=""):
    return [(name, "right")] * right + [(name, "wrong")] * wrong + [(name, "unsure")] * unsure


def test_the_default_audit_accepts_two_wrong_and_refuses_three():
    two = acceptance.outcome(judged(311, 2), accept=2, drawn=313)
    three = acceptance.outcome(judged(100, 3), accept=2, drawn=313)

    assert (two.decision, two.score) == ("accept", pytest.approx(100.0))
    assert two.low == pytest.approx(0.98, abs=5e-4)
    assert (three.decision, three.score) == ("reject", None)  # decided before the end; the score waits for all


def test_an_unsure_label_counts_as_wrong_and_an_unfinished_audit_stays_open():
    assert acceptance.outcome(judged(310, 1, 2), accept=2, drawn=313).decision == "reject"
    assert acceptance.outcome(judged(200), accept=2, drawn=313).decision == "open"


def test_a_draw_by_class_is_weighted_back():
    verdicts = judged(30, 0, 0, "常见") + judged(15, 15, 0, "罕见")
    found = acceptance.outcome(verdicts, accept=60, drawn=60, shares={"常见": 0.9, "罕见": 0.1})

    assert found.accuracy == pytest.approx(0.95)
    assert found.low < 0.95 and found.score < 100
    assert found.low < acceptance.lower_bound(57, 60)  # fewer effective items: a wider bound


def test_anybody_draws_the_same_items_from_the_seed_in_any_order():
    paths = [f"images/{number:04}.jpg" for number in range(500)]
    shuffled = random.Random(1).sample(paths, len(paths))

    assert sampling.draw(paths, 20, 42) == sampling.draw(shuffled, 20, 42)
    assert sampling.draw(paths, 20, 42) != sampling.draw(paths, 20, 43)
    assert sampling.draw(["a", "b"], 1, 1) == [min(("a", "b"), key=lambda path: sampling.rank(1, path))]


def test_the_draw_is_uniform():
    paths, hits = [str(number) for number in range(10)], dict.fromkeys(map(str, range(10)), 0)
    for seed in range(2000):
        for path in sampling.draw(paths, 3, seed):
            hits[path] += 1

    assert all(540 < count < 660 for count in hits.values())  # 600 expected, sd 20


def test_strata_get_their_share_and_small_ones_their_least():
    assert sampling.allocate({"a": 900, "b": 90, "c": 10}, 100) == {"a": 90, "b": 9, "c": 1}
    assert sampling.allocate({"a": 900, "b": 90, "c": 10}, 100, least=30) == {"a": 90, "b": 30, "c": 10}
    assert sum(sampling.allocate({"a": 1, "b": 1, "c": 1}, 2, least=0).values()) == 2


def test_distance_of_declared_and_found_shares():
    assert sampling.distance({"正常": 50, "病害": 50}, {"正常": 0.8, "病害": 0.2}) == pytest.approx(0.3)
    assert sampling.distance({"a": 1}, {"b": 1}) == 1.0


def experts(number, **fields):
    return [Candidate(key=f"e{place}", organization=100 + place, **fields) for place in range(number)]


def test_the_choice_repeats_and_excludes_with_its_reason():
    pool = [
        *experts(4),
        Candidate("same", organization=1),
        Candidate("interested", organization=9, interests=frozenset({1})),
        Candidate("elsewhere", organization=9, sectors=frozenset({"finance"})),
        Candidate("expired", organization=9, is_valid=False),
        Candidate("much", organization=9, works=9, works_of_provider=2),
    ]
    once = assignment.choose(pool, provider=1, sectors=["transport"], seed=5)
    again = assignment.choose(reversed(pool), provider=1, sectors=["transport"], seed=5)

    assert once.chosen == again.chosen and len(once.chosen) == 3
    assert once.excluded == {"same": "organization", "interested": "interest", "elsewhere": "scope", "expired": "invalid", "much": "share"}


def test_a_pair_meets_at_most_twice_in_a_row():
    met = (frozenset({"e1"}), frozenset({"e1"}))
    pool = [Candidate("e0", organization=5, recent=met), Candidate("e1", organization=6, recent=(frozenset({"e0"}), frozenset({"e0"})))]
    third = assignment.choose(pool, provider=1, sectors=[], seed=1, wanted=2)
    pool[0] = Candidate("e0", organization=5, recent=(frozenset(), *met))
    later = assignment.choose([pool[0], Candidate("e1", organization=6)], provider=1, sectors=[], seed=1, wanted=2)

    assert len(third.chosen) == 1 and set(third.excluded.values()) == {"pair"}
    assert len(later.chosen) == 2


def test_one_in_five_works_may_come_from_one_provider():
    def allowed(works, of_provider):
        return not assignment.excluded(Candidate("e", organization=5, works=works, works_of_provider=of_provider), 1, frozenset())

    assert allowed(0, 0) and allowed(3, 0) and not allowed(3, 1) and not allowed(8, 1) and allowed(9, 1)


def test_three_scores_give_the_median_and_five_a_trimmed_mean():
    assert (aggregation.aggregate([90, 40, 80]).value, aggregation.aggregate([90, 40, 80]).is_wide) == (80, True)
    assert aggregation.aggregate([0, 70, 80, 90, 100]).value == 80
    assert not aggregation.aggregate([70, 80, 90]).is_wide


def test_leniency_is_shrunk():
    assert aggregation.leniency([10]) == pytest.approx(1.67)
    assert aggregation.leniency([10] * 95) == pytest.approx(9.5)


def test_reasons_and_adjudication_begin_beyond_their_limits():
    assert [aggregation.needs_reason(score) for score in (59.9, 60, 90, 90.1)] == [True, False, False, True]
    assert [aggregation.needs_adjudication(60, score) for score in (80, 80.1)] == [False, True]
    assert not aggregation.needs_adjudication(None, 10)


def sheet(rater, round_="r1", scores=(70, 75, 80, 65, 90), **fields):
    return Sheet(rater, round_, fields.pop("provider", "甲"), {f"020{place}": score for place, score in enumerate(scores)}, **fields)


def codes(sheets):
    return sorted({flag.code for flag in collusion.flags(sheets)})


def test_honest_sheets_raise_no_flag():
    assert codes([sheet("a", at=NOW), sheet("b", scores=(60, 85, 75, 70, 80), at=NOW + timedelta(hours=3))]) == []


def test_constant_hasty_and_copied_sheets_are_flagged():
    text = "第三列的单位混用公里和米，说明文档没有写明换算方法。"
    assert codes([sheet("a", scores=(80,) * 5)]) == ["constant"]
    assert codes([sheet("a", at=NOW), sheet("b", scores=(60, 85, 75, 70, 80), at=NOW + timedelta(seconds=8))]) == ["seconds"]
    assert codes([sheet("a", reasons=[text]), sheet("b", scores=(60, 85, 75, 70, 80), reasons=[text.replace("换算", "转换")])]) == ["comments"]
    assert codes([sheet("a", reasons=["不足"]), sheet("b", scores=(60, 85, 75, 70, 80), reasons=["不足"])]) == []


def test_a_pair_beyond_all_others_is_flagged_and_a_small_pool_is_not():
    draw = random.Random(3)
    sheets = [sheet(f"e{rater}", f"r{number}", [draw.randint(40, 95) for _item in range(5)]) for number in range(3) for rater in range(8)]
    pair = [sheet(name, f"r{number}", [50 + number, 60, 70, 80, 90]) for number in range(3) for name in ("x", "y")]

    found = [flag.raters for flag in collusion.flags(sheets + pair) if flag.code == "agreement"]

    assert found == [("x", "y")]
    assert "agreement" not in codes(pair)


def test_one_sided_deviation_for_one_provider_is_flagged():
    kind = [sheet("a", f"r{n}", (95, 90, 92, 94, 91)) for n in range(3)] + [sheet("b", f"r{n}", (70, 72, 75, 71, 69)) for n in range(3)]

    assert ("one_sided", ("a",)) in [(flag.code, flag.raters) for flag in collusion.flags(kind)]


def stars(number, user, *, delivery="d", organization=7, minutes=0):
    return Rating(user, frozenset({organization}), f"{delivery}{user}" if delivery else "", number, NOW + timedelta(minutes=minutes))


def test_only_verified_strangers_count_once_and_bursts_are_cut():
    apart = [stars(4, user, organization=user, minutes=user * 90) for user in range(1, 13)]
    again = stars(1, 1, organization=1, minutes=5000)
    unverified, own = stars(5, 50, delivery="", organization=50), stars(5, 51, organization=1000)
    burst = [stars(5, 100 + user, organization=100 + user, minutes=9000 + user) for user in range(9)]
    friends = [stars(5, 200 + user, organization=300, minutes=20000 + user) for user in range(4)]

    kept = users.counted([*apart, again, unverified, own, *burst, *friends], provider=1000)

    assert len(kept) == 12 + 5 + 1
    assert [one.stars for one in kept if one.user == 1] == [1]  # the newest of a user stands


def test_ten_pseudo_votes_hold_the_mean():
    assert users.bayesian([5] * 10, 3.0) == 4.0
    assert users.bayesian([5] * 10, None) == 4.0
    assert users.points(4.0) == 75.0
