//! Protocols of medicine.

use super::{D, M, Patient, check, check_from, d, days, every, m, patient, weekdays};
use crate::case::tests::shipped;

#[test]
fn heart_failure() {
    let (all, day0) = (shipped(), "2026-03-02");
    let of = Patient {
        facts: &[("medicine_bloods", "true"), ("rapid_titration", "true")],
        ..patient("hf-discharge-90d", day0)
    };
    let mut daily = days(1, 30);
    daily.extend(weekdays(day0, &[0, 2, 4], 31, 90));
    check(
        &all,
        &of,
        120,
        &[
            ("welcome", d(&[0])),
            ("first-call", d(&[2])),
            ("daily-check", daily),
            ("first-visit", d(&[7])),
            ("bloods", d(&[10])),
            ("titration-visit", d(&[7, 14, 21, 42])),
            ("medicines", d(&[7, 30, 60])),
            ("mood", d(&[14, 60])),
            ("closing", d(&[90])),
        ],
    );
    check(&all, &patient("hf-discharge-90d", day0), 120, &[("bloods", vec![]), ("titration-visit", vec![])]);
}

#[test]
fn after_a_heart_attack() {
    let all = shipped();
    let mut checks = d(&[1, 3, 5, 7, 14, 21, 28, 35, 42]);
    checks.extend((2..=12).map(M));
    let mut medicines = d(&[7, 14, 21, 28, 35, 42]);
    medicines.extend((2..=12).map(M));
    check(
        &all,
        &patient("post-mi-12m", "2026-01-31"),
        400,
        &[
            ("first-call", d(&[2])),
            ("symptoms", checks),
            ("medicines", medicines),
            ("first-visit", d(&[10])),
            ("rehabilitation", d(&[7, 21])),
            ("lipids", vec![D(42), M(6), M(12)]),
            ("lvef", vec![]),
            ("mood", vec![D(14), D(42), M(6)]),
            ("antiplatelet-review", m(&[12])),
        ],
    );
    let early = Patient {
        facts: &[("lvef_plan", "after_40_days"), ("antiplatelet_end", "month_3"), ("ldl_at_goal", "true")],
        ..patient("post-mi-12m", "2026-01-31")
    };
    check(&all, &early, 400, &[("lvef", d(&[40])), ("antiplatelet-review", m(&[3])), ("lipids", vec![])]);
    let stented =
        Patient { facts: &[("lvef_plan", "after_90_days")], ..patient("post-mi-12m", "2026-01-31") };
    check(&all, &stented, 400, &[("lvef", d(&[90]))]);
}

#[test]
fn lung_disease() {
    let (all, day0) = (shipped(), "2026-03-02");
    let mut daily = days(1, 14);
    daily.extend(weekdays(day0, &[0, 3], 15, 30));
    daily.extend(every(37, 90, 7));
    check(
        &all,
        &patient("copd-discharge-90d", day0),
        200,
        &[
            ("first-call", d(&[2])),
            ("daily-check", daily),
            ("mmrc", d(&[14, 30, 90])),
            ("first-visit", d(&[14])),
            ("late-visit", d(&[98])),
            ("rehab-offer", d(&[0])),
            ("rehab-started", d(&[18])),
        ],
    );
}

#[test]
fn cancer_treatment() {
    let all = shipped();
    let day0 = "2026-03-02";
    check(
        &all,
        &patient("sact-weekly-pro", day0),
        364,
        &[("first-cycle", d(&[4])), ("weekly", every(7, 364, 7)), ("late-immune", vec![])],
    );
    // The last dose on day 100: weekly for four weeks more, then the summary.
    let over = Patient { anchors: &[("last_dose", "2026-06-10")], ..patient("sact-weekly-pro", day0) };
    check(&all, &over, 364, &[("weekly", every(7, 128, 7)), ("closing", d(&[135]))]);
    let immune = Patient {
        facts: &[("treatment", "immunotherapy")],
        anchors: &[("last_dose", "2026-06-10")],
        ..patient("sact-weekly-pro", day0)
    };
    check(&all, &immune, 500, &[("weekly", every(7, 184, 7))]);
    check_from(&all, &immune, "2026-06-10", 500, &[("late-immune", m(&[4, 5, 6, 7, 8, 9, 10, 11, 12]))]);
}

#[test]
fn depression() {
    let all = shipped();
    let of = Patient {
        facts: &[("phq9_baseline", "18"), ("call_first_week", "true")],
        ..patient("depression-mbc-12m", "2026-03-02")
    };
    check(
        &all,
        &of,
        365,
        &[
            ("safety-text", d(&[7])),
            ("first-week", d(&[7])),
            ("first-week-call", d(&[7])),
            ("mood", d(&[14, 28, 42, 56, 84])),
            // By the book no answer says remission: every 4 weeks.
            ("mood-later", every(112, 365, 28)),
            ("anxiety", d(&[0, 28, 84])),
            ("tablets", d(&[14])),
        ],
    );
}

#[test]
fn diabetes() {
    let (all, day0) = (shipped(), "2026-03-02");
    let insulin = Patient {
        facts: &[("regimen", "insulin"), ("visit_plan", "within_week")],
        ..patient("diabetes-discharge-90d", day0)
    };
    let mut often = days(1, 7);
    often.extend(weekdays(day0, &[0, 3], 8, 30));
    often.extend(every(37, 90, 7));
    check(
        &all,
        &insulin,
        120,
        &[("first-call", d(&[2])), ("glucose", often), ("first-visit", d(&[5])), ("hba1c", m(&[3]))],
    );
    let tablets =
        Patient { facts: &[("regimen", "other_tablets")], ..patient("diabetes-discharge-90d", day0) };
    check(&all, &tablets, 120, &[("glucose", every(7, 90, 7)), ("first-visit", d(&[21]))]);
    let changed = Patient {
        facts: &[("regimen", "sulfonylurea"), ("visit_plan", "within_two_weeks")],
        ..patient("diabetes-discharge-90d", day0)
    };
    check(&all, &changed, 120, &[("first-visit", d(&[10]))]);
}

#[test]
fn respiratory_infection() {
    let all = shipped();
    let of = |facts| Patient { facts, ..patient("covid-discharge-12w", "2026-03-02") };
    let severe = of(&[("severity", "severe"), ("readings", "three_times")]);
    check(
        &all,
        &severe,
        120,
        &[
            ("oxygen", days(1, 14)),
            ("oxygen-noon", days(1, 14)),
            ("oxygen-evening", days(1, 14)),
            ("weekly", every(21, 84, 7)),
            ("mood", d(&[28, 84])),
            ("clinic", d(&[35])),
            ("x-ray", d(&[84])),
        ],
    );
    let mild = of(&[("severity", "mild_moderate")]);
    check(
        &all,
        &mild,
        120,
        &[("clinic", vec![]), ("x-ray", d(&[84])), ("oxygen-evening", vec![]), ("oxygen-noon", vec![])],
    );
}

#[test]
fn any_discharge() {
    let all = shipped();
    let high = Patient { facts: &[("complexity", "high")], ..patient("generic-discharge-30d", "2026-03-02") };
    check(
        &all,
        &high,
        60,
        &[
            ("welcome", d(&[1])),
            ("check-in", d(&[2, 4, 7, 10, 14, 21, 28])),
            ("medicines", d(&[7, 14, 28])),
            ("contact", d(&[1])),
            ("visit", d(&[5])),
        ],
    );
    check(&all, &patient("generic-discharge-30d", "2026-03-02"), 60, &[("visit", d(&[10]))]);
    // Discharged on a Friday: the next working day is Monday.
    check(&all, &patient("generic-discharge-30d", "2026-03-06"), 60, &[("contact", d(&[3]))]);
}
