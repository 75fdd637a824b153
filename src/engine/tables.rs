//! The tables of the shipped protocols, written down once more by hand and laid out by date arithmetic of their own, and
//! compared with what the timeline draws. Nothing of the engine takes part in the expected side.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::{
    Name, Value,
    case::tests::shipped,
    parse::{Compiled, span::parse_value},
    site::Calendar,
    timeline::{Known, Request, timeline},
};

/// Days since 0000-03-01, by the days of the months alone.
fn day_number((year, month, day): (i64, i64, i64)) -> i64 {
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1
}

fn date_of(number: i64) -> (i64, i64, i64) {
    let mut year = number.div_euclid(365) + 1;
    while day_number((year, 1, 1)) > number {
        year -= 1;
    }
    let mut month = 12;
    while day_number((year, month, 1)) > number {
        month -= 1;
    }
    (year, month, number - day_number((year, month, 1)) + 1)
}

fn length_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A row of a table: an offset from the anchor.
#[derive(Clone, Copy)]
enum At {
    /// Days.
    D(i64),
    /// Months, clamped at the end of a month.
    M(i64),
}
use At::{D, M};

fn text_of((year, month, day): (i64, i64, i64)) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

fn parsed(text: &str) -> (i64, i64, i64) {
    let mut parts = text.split('-').map(|part| part.parse::<i64>().expect("a number"));
    let mut next = || parts.next().expect("three parts");
    (next(), next(), next())
}

fn laid_out(anchor: &str, at: At) -> String {
    let (year, month, day) = parsed(anchor);
    match at {
        D(days) => text_of(date_of(day_number((year, month, day)) + days)),
        M(months) => {
            let total = year * 12 + month - 1 + months;
            let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
            text_of((year, month, day.min(length_of_month(year, month))))
        }
    }
}

fn d(days: &[i64]) -> Vec<At> {
    days.iter().map(|day| D(*day)).collect()
}

fn m(months: &[i64]) -> Vec<At> {
    months.iter().map(|month| M(*month)).collect()
}

fn days(from: i64, to: i64) -> Vec<At> {
    (from..=to).map(D).collect()
}

fn every(from: i64, to: i64, step: usize) -> Vec<At> {
    (from..=to).step_by(step).map(D).collect()
}

/// Weekdays (0 is Monday) between two days after the anchor. Day 0 of the count is a Wednesday.
fn weekdays(anchor: &str, wanted: &[i64], from: i64, to: i64) -> Vec<At> {
    let start = day_number(parsed(anchor));
    (from..=to).filter(|n| wanted.contains(&(start + n + 2).rem_euclid(7))).map(D).collect()
}

/// A patient of a workflow.
struct Patient {
    workflow: &'static str,
    main: &'static str,
    facts: &'static [(&'static str, &'static str)],
    anchors: &'static [(&'static str, &'static str)],
}

const fn patient(workflow: &'static str, main: &'static str) -> Patient {
    Patient { workflow, main, facts: &[], anchors: &[] }
}

fn drawn(compiled: &Compiled, patient: &Patient, step: &str, days: u32) -> Vec<String> {
    let workflow = compiled.workflow(patient.workflow).expect("shipped");
    let name = |text: &str| Name::parse(text).expect("a name");
    let fact = |(id, text): &(&str, &str)| {
        let def = workflow.facts.iter().find(|def| def.id == **id).expect("a fact of the workflow");
        (def.id.clone(), parse_value(text, &def.kind).expect("a value of the fact"))
    };
    let facts: BTreeMap<Name, Value> = patient.facts.iter().map(fact).collect();
    let from = patient.main.parse().expect("a date");
    let known = |(id, date): &(&str, &str)| Known {
        anchor: name(id),
        date: date.parse().expect("a date"),
        since: from,
    };
    let zone = TimeZone::get("Europe/London").expect("a zone");
    let request = Request {
        workflow,
        calendar: &Calendar::default(),
        zone: &zone,
        from,
        days,
        facts,
        anchors: patient.anchors.iter().map(known).collect(),
    };
    let lines = timeline(&request);
    lines
        .iter()
        .filter(|line| line.step == *step)
        .map(|line| zone.to_datetime(line.due).date().to_string())
        .collect()
}

#[track_caller]
fn check(compiled: &Compiled, patient: &Patient, until: u32, rows: &[(&str, Vec<At>)]) {
    check_from(compiled, patient, patient.main, until, rows);
}

/// The same for steps that count from another anchor.
#[track_caller]
fn check_from(compiled: &Compiled, patient: &Patient, anchor: &str, until: u32, rows: &[(&str, Vec<At>)]) {
    for (step, offsets) in rows {
        let expected: Vec<String> = offsets.iter().map(|at| laid_out(anchor, *at)).collect();
        assert_eq!(drawn(compiled, patient, step, until), expected, "{} {step}", patient.workflow);
    }
}

#[test]
fn own_arithmetic_is_right_where_it_is_known() {
    assert_eq!(laid_out("2026-01-31", M(3)), "2026-04-30");
    assert_eq!(laid_out("2026-01-31", M(6)), "2026-07-31");
    assert_eq!(laid_out("2027-11-30", M(3)), "2028-02-29");
    assert_eq!(laid_out("2026-02-28", D(1)), "2026-03-01");
    assert_eq!(laid_out("2028-02-28", D(1)), "2028-02-29");
    // 2 March 2026 is a Monday.
    assert_eq!(weekdays("2026-03-02", &[0], 0, 6).len(), 1);
    assert!(matches!(weekdays("2026-03-02", &[0], 0, 6)[0], D(0)));
}

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
