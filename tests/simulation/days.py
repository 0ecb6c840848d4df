"""Days without anything that the seed would add by itself."""

from __future__ import annotations

from mmbot.app.simulate_plan import DayRules


def plain(quoting_s: float, calm_s: float) -> DayRules:
    return DayRules(
        quoting_s=quoting_s,
        calm_s=calm_s,
        crashes_max=0,
        kills_max=0,
        news_max=0,
        halts_max=0,
        suspensions_max=0,
        kick_offs_max=0,
        journal_failures_max=0,
        tight_limits_share=0.0,
        down_share=0.0,
        reversed_share=0.0,
        patient_share=0.0,
        strategy="consensus",
    )
