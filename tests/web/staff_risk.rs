//! The risk queue and what clinicians decide on it, and what risk does to the worklist.

use actix_web::http::StatusCode;
use tend::app::Actor;
use tend::app::enroll::Enrolled;
use tend::app::record::just_now;
use tend::store::FreeText;
use tend::store::read::worklist::WorklistFilter;
use tend_engine::fact::Fact;
use tend_engine::model::Role;
use tend_engine::{Decimal, Value};

use super::ward::{Ward, named};
use crate::support::app::{SITE, on_both_databases};

on_both_databases!(
    a_clinician_moves_a_patient_and_takes_it_back,
    risk_orders_what_is_equally_urgent_and_nobody_starves,
    a_nurse_moves_nobody,
    published_scores_stand_beside_the_model,
);

pub(super) async fn score(ward: &Ward, of: Enrolled, ppm: u32) {
    let app = &ward.pages.app;
    let fact =
        Fact::Scored { model: named("readmit30"), model_version: "test".into(), probability_ppm: Some(ppm) };
    let fact = just_now(Actor::System, app.clock.now(), Some(of.enrollment), fact);
    app.record(Actor::System, "score", of.patient, vec![fact], &FreeText::new()).await.expect("recorded");
}

/// Where each name stands on the page; a name that is not there stands nowhere.
fn order(page: &str, names: &[&str]) -> Vec<String> {
    let mut found: Vec<(usize, &str)> =
        names.iter().filter_map(|name| Some((page.find(&format!(">{name}<"))?, *name))).collect();
    found.sort();
    found.into_iter().map(|(_, name)| name.to_owned()).collect()
}

async fn a_clinician_moves_a_patient_and_takes_it_back() {
    let ward = Ward::open().await;
    ward.hire("doctor", &["clinician"], &[Role::Clinician]).await;
    ward.sign_in("doctor").await;
    let names = ["High", "Middle", "Low"];
    let mut all = Vec::new();
    for (n, (name, ppm)) in names.into_iter().zip([400_000, 200_000, 50_000]).enumerate() {
        let enrolled = ward.enrol(name, u32::try_from(n).expect("small") + 1).await;
        score(&ward, enrolled, ppm).await;
        all.push(enrolled);
    }
    let turn_on = [("workflow", "hf-discharge-90d"), ("state", "on")];
    ward.submit("/risk", "/risk/switch", &turn_on).await;
    let shown = async || order(ward.pages.get("/risk").await.text(), &names);
    assert_eq!(shown().await, ["High", "Middle", "Low"]);

    let path = |of: Enrolled| format!("/patients/{}/risk?enrollment={}", of.patient, of.enrollment);
    let moved = async |of: Enrolled, to: &str, why: &str| {
        ward.submit(&path(of), &path(of), &[("to", to), ("reason", why)]).await
    };
    assert_eq!(moved(all[2], "up", "").await.status, StatusCode::UNPROCESSABLE_ENTITY, "a reason is needed");
    assert_eq!(moved(all[2], "up", "looks worse <i> than it reads").await.status, StatusCode::SEE_OTHER);
    assert_eq!(shown().await, ["Low", "High", "Middle"]);
    assert_eq!(moved(all[0], "down", "was seen this morning").await.status, StatusCode::SEE_OTHER);
    assert_eq!(shown().await, ["Low", "Middle", "High"]);
    assert_eq!(moved(all[1], "dismiss", "hospice has taken over").await.status, StatusCode::SEE_OTHER);
    let page = ward.pages.get("/risk").await;
    assert_eq!(order(page.text(), &names), ["Low", "High", "Middle"], "the one taken off stands below");
    let (_, below) = page.text().split_once("Taken off the queue").expect("a list of those taken off");
    assert!(below.contains(">Middle<") && !below.contains(">High<"), "{below}");
    assert!(page.text().contains("moved up by a clinician"));

    let timeline = ward.pages.get(&format!("/patients/{}", all[2].patient)).await;
    assert!(timeline.text().contains("Moved up on the risk queue"), "{}", timeline.text());
    assert!(timeline.text().contains("looks worse &#60;i&#62; than it reads"));
    assert!(timeline.text().contains("Scored by readmit30"), "the score stays as it was");

    for of in &all {
        assert_eq!(moved(*of, "back", "looked again").await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(shown().await, ["High", "Middle", "Low"]);
    let chinese = ward.pages.get(&format!("/patients/{}?lang=zh", all[1].patient)).await;
    assert!(chinese.text().contains("从风险队列中移除") && chinese.text().contains("恢复到评分所定"));
    let findings = ward.pages.app.doctor(true).await.expect("a check");
    assert_eq!(findings.differences, Vec::<String>::new());
}

async fn a_nurse_moves_nobody() {
    let ward = Ward::with_nurse().await;
    let of = ward.enrol("Ann Example", 1).await;
    let path = format!("/patients/{}/risk?enrollment={}", of.patient, of.enrollment);
    assert_eq!(ward.pages.get(&path).await.status, StatusCode::FORBIDDEN);
    let answer = ward.submit("/worklist", &path, &[("to", "up"), ("reason", "x")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let page = ward.pages.get(&format!("/patients/{}", of.patient)).await;
    assert!(!page.text().contains("/risk?enrollment="));
}

async fn risk_orders_what_is_equally_urgent_and_nobody_starves() {
    let ward = Ward::with_nurse().await;
    ward.hire("doctor", &["clinician"], &[Role::Clinician]).await;
    let names: Vec<String> = (0..6).map(|n| format!("Patient {n}")).collect();
    let mut all = Vec::new();
    for (n, name) in (1..).zip(&names) {
        all.push(ward.enrol(name, n).await);
    }
    // Patient 4 has the highest risk, 5 was not scored: between a high and a low one.
    for (at, ppm) in [(0, 20_000), (1, 150_000), (2, 300_000), (3, 50_000), (4, 600_000)] {
        score(&ward, all[at], ppm).await;
    }
    ward.days_pass(3).await;
    let app = &ward.pages.app;
    let listed = async || {
        let filter = WorklistFilter { roles: vec![Role::Nurse], ..WorklistFilter::default() };
        app.store.worklist(SITE, &filter).await.expect("rows").rows
    };
    let rows = listed().await;
    let key = |row: &tend::store::read::worklist::WorklistRow| {
        (row.after.level_rank, row.after.respond_sort, row.after.risk_sort, row.id)
    };
    assert!(rows.windows(2).all(|two| key(&two[0]) < key(&two[1])), "in order");
    // Their first calls were opened together and are due together: the risk decides.
    let first = rows[0].after;
    let together: Vec<&str> = rows
        .iter()
        .filter(|row| {
            row.after.level_rank == first.level_rank && row.after.respond_sort == first.respond_sort
        })
        .map(|row| row.patient_name.as_str())
        .collect();
    let wanted = ["Patient 4", "Patient 2", "Patient 1", "Patient 5", "Patient 3", "Patient 0"];
    assert_eq!(together, wanted);

    // A score that changes moves the tasks that are open, and counts stay what a recount says.
    score(&ward, all[0], 900_000).await;
    assert_eq!(listed().await[0].patient_name, "Patient 0");
    let findings = app.doctor(true).await.expect("a check");
    assert_eq!(findings.differences, Vec::<String>::new());

    // Whoever waits longer than the others stands first in the end, however high the others' risk.
    let low = ward.enrol("Patient 9", 9).await;
    score(&ward, low, 1_000).await;
    ward.days_pass(1).await;
    for n in 20..26 {
        let late = ward.enrol(&format!("Late {n}"), n).await;
        score(&ward, late, 950_000).await;
    }
    ward.days_pass(2).await;
    let rows = listed().await;
    let calls = |name: &'static str| {
        rows.iter().enumerate().filter(move |(_, row)| row.patient_name.starts_with(name))
    };
    let mut compared = 0;
    for (low, patient) in calls("Patient 9") {
        for (late, _) in calls("Late ").filter(|(_, row)| row.level == patient.level) {
            assert!(low < late, "{:?}", rows.iter().map(|row| &row.patient_name).collect::<Vec<_>>());
            compared += 1;
        }
    }
    assert!(compared >= 6, "{:?}", rows.iter().map(|row| (&row.patient_name, row.level)).collect::<Vec<_>>());
    assert_eq!(app.doctor(true).await.expect("a check").differences, Vec::<String>::new());
}

/// Records facts as a workflow that asks for them would.
pub(super) async fn learn(ward: &Ward, of: Enrolled, facts: &[(&str, &str)]) {
    let app = &ward.pages.app;
    let value = |text: &str| match text {
        "yes" => Value::Bool(true),
        "no" => Value::Bool(false),
        _ => Decimal::parse(text).map_or_else(|_| Value::Choice(named(text)), Value::Number),
    };
    let set = |(name, text): &(&str, &str)| {
        let fact = Fact::FactSet { name: named(name), value: value(text) };
        just_now(Actor::System, app.clock.now(), Some(of.enrollment), fact)
    };
    let facts = facts.iter().map(set).collect();
    app.record(Actor::System, "facts", of.patient, facts, &FreeText::new()).await.expect("recorded");
    app.forget_pages();
}

/// What the chart says of a score.
fn said(page: &str, score: &str) -> String {
    let (_, after) =
        page.split_once(&format!("<dt>{score}</dt><dd>")).unwrap_or_else(|| panic!("no {score}: {page}"));
    after.split_once("</dd>").expect("an end").0.to_owned()
}

async fn published_scores_stand_beside_the_model() {
    let ward = Ward::open().await;
    ward.hire("doctor", &["clinician"], &[Role::Clinician]).await;
    ward.sign_in("doctor").await;
    let of = ward.enrol("Ann Example", 1).await;
    let path = format!("/patients/{}", of.patient);
    let chart = async |lang: &str| ward.pages.get(&format!("{path}?lang={lang}")).await;

    // Nothing is known: nothing is made up, and what is lacking is named.
    let page = chart("en").await;
    for score in ["LACE", "HOSPITAL", "HOSPITAL, simplified", "Charlson", "NEWS2", "eGFR (CKD-EPI 2021)"] {
        assert!(said(page.text(), score).starts_with("not worked out because "), "{score}");
    }
    let lace = said(page.text(), "LACE");
    assert!(
        lace.contains("the length of stay, the type of admission, the sum of comorbidities and emergency"),
        "{lace}"
    );
    assert!(said(page.text(), "Charlson").contains("a coded diagnosis is not recorded"));

    // The vectors of the sources: LACE 13, HOSPITAL 8 in both forms, Charlson 2 and 3, NEWS2 8, eGFR 75.5.
    learn(
        &ward,
        of,
        &[("los_days", "5"), ("adm_type", "emergency"), ("lace_comorbidity", "4"), ("n_emergency_6m", "1")],
    )
    .await;
    assert_eq!(said(chart("en").await.text(), "LACE"), "13 of 19: high");
    let hospital = [
        ("haemoglobin_g_dl", "11.0"),
        ("oncology_service", "yes"),
        ("active_cancer", "yes"),
        ("sodium_mmol_l", "140"),
        ("n_procs", "0"),
        ("adm_type", "urgent"),
        ("n_inpatient_12m", "2"),
        ("los_days", "6"),
    ];
    learn(&ward, of, &hospital).await;
    learn(&ward, of, &[("icd10_1", "I50_9"), ("icd10_2", "J44_1")]).await;
    let home =
        [("respirations", "22"), ("spo2", "93"), ("oxygen", "no"), ("systolic", "105"), ("pulse", "115")];
    learn(&ward, of, &home).await;
    learn(&ward, of, &[("creatinine_umol_l", "79.56"), ("age", "55"), ("sex", "F")]).await;
    let page = chart("en").await;
    let bands = "Admissions count in bands of 0 to 1, 2 to 5, and more.";
    assert_eq!(said(page.text(), "HOSPITAL"), format!("8 of 13: high. {bands}"));
    assert_eq!(said(page.text(), "HOSPITAL, simplified"), format!("8 of 12: likely. {bands}"));
    assert_eq!(said(page.text(), "Charlson"), "2 (weights of 1987), 3 (weights of 2011)");
    let rate = said(page.text(), "eGFR (CKD-EPI 2021)");
    assert_eq!(rate, "75.5 mL/min/1.73 m², G2. One value does not make a chronic disease.");
    // Five of the seven measured at home are not a part of NEWS2 that may be shown.
    let partly = said(page.text(), "NEWS2");
    assert!(partly.starts_with("not worked out because consciousness and temperature are not"), "{partly}");
    learn(&ward, of, &[("consciousness", "alert"), ("temperature", "38.5")]).await;
    assert_eq!(said(chart("en").await.text(), "NEWS2"), "8 of 20: emergency");
    learn(&ward, of, &[("spo2_target", "low_88_92")]).await;
    assert_eq!(said(chart("en").await.text(), "NEWS2"), "6 of 20: urgent review");

    let chinese = chart("zh").await;
    assert_eq!(said(chinese.text(), "NEWS2 早期预警评分"), "6 分（满分 20）：紧急评估");
    assert!(said(chinese.text(), "eGFR（CKD-EPI 2021 公式）").contains("G2 期"));

    // Nothing that cannot be, and nobody whom a score was not made for.
    learn(&ward, of, &[("haemoglobin_g_dl", "110"), ("age", "15")]).await;
    let page = chart("en").await;
    let part = said(page.text(), "HOSPITAL");
    assert!(part.starts_with("7 to 8; not worked out because haemoglobin is not recorded"), "{part}");
    assert_eq!(said(page.text(), "NEWS2"), "not made for anybody under 16");
    assert_eq!(said(page.text(), "eGFR (CKD-EPI 2021)"), "not made for anybody under 18");

    // On the queue stand LACE and what is known altogether.
    score(&ward, of, 200_000).await;
    ward.submit("/risk", "/risk/switch", &[("workflow", "hf-discharge-90d"), ("state", "on")]).await;
    let queue = ward.pages.get("/risk?lang=en").await;
    for words in ["LACE 13 of 19: high", "HOSPITAL, simplified", "Charlson 2 (weights of 1987)"] {
        assert_eq!(
            queue.text().contains(words),
            words != "HOSPITAL, simplified",
            "{words}: {}",
            queue.text()
        );
    }
    assert!(ward.pages.get("/risk?lang=zh").await.text().contains("LACE 指数 13 分（满分 19）：高"));

    // A clerk sees no facts, and so no scores.
    ward.hire("clerk", &["clerk"], &[Role::Clerk]).await;
    ward.sign_in("clerk").await;
    assert!(!chart("en").await.text().contains("Published scores"));
}
