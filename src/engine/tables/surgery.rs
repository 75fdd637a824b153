//! Protocols of surgery and of what follows it.

use super::{At, D, M, Patient, check, check_from, d, days, drawn, laid_out, m, patient, weekdays};
use crate::case::tests::shipped;

#[test]
fn abdominal_surgery() {
    let all = shipped();
    let of = Patient {
        facts: &[("mesh", "true")],
        anchors: &[("discharge", "2026-03-06")],
        ..patient("abdominal-eras-30d", "2026-03-02")
    };
    // Home on day 4: asked from day 5 on.
    let mut daily = days(5, 10);
    daily.extend(d(&[12, 14, 17, 21, 25]));
    check(
        &all,
        &of,
        120,
        &[
            ("first-call", d(&[5])),
            ("daily-check", daily),
            ("wound", d(&[5, 7, 10, 14, 21, 30])),
            ("wound-between", d(&[6, 8, 9, 12, 17, 25])),
            ("clips-out", d(&[12])),
            ("pathology-visit", d(&[17])),
            ("closing", d(&[30])),
            ("implant-wound", d(&[60, 90])),
        ],
    );
}

#[test]
fn bladder_surveillance() {
    let all = shipped();
    let group = |facts| Patient { facts, ..patient("nmibc-surveillance", "2026-01-31") };
    let low = group(&[("risk_group", "low")]);
    check(
        &all,
        &low,
        2500,
        &[
            ("cystoscopy", m(&[3, 12, 24, 36, 48, 60])),
            ("cytology", vec![]),
            ("upper-tract-imaging", vec![]),
            ("blood-question", (1..=20).map(|n| M(3 * n)).collect()),
        ],
    );
    let nice = group(&[("risk_group", "low"), ("local_plan", "nice_uk")]);
    check(&all, &nice, 2500, &[("cystoscopy", m(&[3, 12]))]);
    let middle = group(&[("risk_group", "intermediate")]);
    check(&all, &middle, 2500, &[("cystoscopy", m(&[3, 9, 18, 30, 42, 54]))]);
    let strict = group(&[("risk_group", "intermediate"), ("local_plan", "stricter")]);
    check(&all, &strict, 2500, &[("cystoscopy", m(&[3, 6, 9, 12, 18, 24, 36, 48, 60]))]);
    let high_months = [3, 6, 9, 12, 15, 18, 21, 24, 30, 36, 42, 48, 54, 60];
    let mut life: Vec<At> = m(&high_months);
    life.extend(m(&[72, 84, 96, 108, 120]));
    for risk in ["high", "very_high"] {
        let of = Patient {
            facts: if risk == "high" { &[("risk_group", "high")] } else { &[("risk_group", "very_high")] },
            ..patient("nmibc-surveillance", "2026-01-31")
        };
        check(
            &all,
            &of,
            3660,
            &[
                ("cystoscopy", life.clone()),
                ("cytology", life.clone()),
                ("upper-tract-imaging", m(&[12, 24, 36, 48, 60, 72, 84, 96, 108, 120])),
            ],
        );
        assert_eq!(drawn(&all, &of, "cystoscopy", 1830).len(), 14, "14 dates in months 3 to 60");
    }
    let treated = Patient {
        facts: &[("risk_group", "high"), ("bcg_plan", "three_years")],
        anchors: &[("bcg_start", "2026-02-16")],
        ..patient("nmibc-surveillance", "2026-01-31")
    };
    let course = m(&[3, 6, 12, 18, 24, 30, 36]);
    check_from(
        &all,
        &treated,
        "2026-02-16",
        1300,
        &[("bcg-induction", d(&[0, 7, 14, 21, 28, 35])), ("bcg-maintenance", course.clone())],
    );
    let second: Vec<String> = course.iter().map(|at| laid_out(&laid_out("2026-02-16", *at), D(7))).collect();
    assert_eq!(drawn(&all, &treated, "bcg-second", 1300), second);
}

#[test]
fn after_a_resection() {
    let all = shipped();
    let of = patient("turbt-28d", "2026-03-02");
    check(
        &all,
        &of,
        60,
        &[
            ("first-check", d(&[1])),
            ("catheter-call", vec![]),
            ("urine", d(&[2, 3, 5, 7, 10, 14])),
            ("scab-text", d(&[9])),
            ("histology-visit", d(&[17])),
            ("late-urine", d(&[21, 28])),
        ],
    );
    let catheter =
        Patient { facts: &[("catheter_home", "true")], anchors: &[("catheter_out", "2026-03-09")], ..of };
    check(
        &all,
        &catheter,
        60,
        &[("first-check", vec![]), ("catheter-call", d(&[1])), ("catheter-removal", d(&[7]))],
    );
}

#[test]
fn breast_cancer() {
    let all = shipped();
    let of = Patient {
        facts: &[("endocrine", "tamoxifen")],
        anchors: &[
            ("operation", "2026-01-05"),
            ("diagnostic_mammogram", "2025-12-01"),
            ("radiotherapy_end", "2026-08-15"),
        ],
        ..patient("breast-followup-5y", "2026-01-31")
    };
    let mut arm: Vec<At> = (1..=12).map(M).collect();
    arm.extend(m(&[15, 18, 21, 24, 30, 36, 42, 48, 54, 60]));
    let mut tablets = m(&[1, 3]);
    tablets.extend((2..=20).map(|n| M(3 * n)));
    let mood = m(&[3, 6, 9, 12, 16, 20, 24, 30, 36, 42, 48, 54, 60]);
    check(
        &all,
        &of,
        1900,
        &[
            ("arm", arm),
            ("visit", m(&[4, 8, 12, 16, 20, 24, 30, 36, 42, 48, 54, 60])),
            ("tablets", tablets),
            ("gynaecology", m(&[12, 24, 36, 48, 60])),
            ("bone-density", vec![]),
            ("mood", mood.clone()),
            ("burden", mood),
        ],
    );
    // A year after the diagnostic one, but not before 6 months after radiotherapy; then on its own days.
    let mammograms = ["2027-02-15", "2027-12-01", "2028-12-01", "2029-12-01", "2030-12-01"];
    assert_eq!(drawn(&all, &of, "mammogram", 1900), mammograms);
    let early = Patient {
        anchors: &[("operation", "2026-03-01"), ("diagnostic_mammogram", "2025-12-01")],
        facts: &[("endocrine", "aromatase_inhibitor")],
        ..patient("breast-followup-5y", "2026-01-31")
    };
    assert_eq!(drawn(&all, &early, "mammogram", 800), ["2026-12-01", "2027-12-01"]);
    check(&all, &early, 1900, &[("bone-density", m(&[0, 24, 48]))]);
    check_from(&all, &early, "2026-03-01", 1900, &[("wound", d(&[2, 5, 8, 14, 21, 30]))]);
    let none = Patient { facts: &[("mammography", "no_breast")], ..early };
    assert_eq!(drawn(&all, &none, "mammogram", 1900), [""; 0]);
}

#[test]
fn major_urological_surgery() {
    let (all, day0) = (shipped(), "2026-03-02");
    let of = Patient {
        facts: &[("kind", "prostatectomy"), ("stents", "true")],
        anchors: &[("discharge", "2026-03-07")],
        ..patient("uro-major-90d", day0)
    };
    let mut daily = days(6, 10);
    daily.extend(d(&[12, 14, 17, 21, 25]));
    check(
        &all,
        &of,
        120,
        &[
            ("daily-check", daily),
            ("output", days(6, 21)),
            ("wound", d(&[7, 10, 14, 21, 30])),
            ("weight", weekdays(day0, &[0, 3], 22, 90)),
            ("stents-out", d(&[14])),
            ("catheter-out", d(&[10])),
            ("kidneys", d(&[14, 42, 84])),
        ],
    );
}
