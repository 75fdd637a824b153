//! The risk queue and what clinicians decide on it, and what risk does to the worklist.

use actix_web::http::StatusCode;
use tend::app::Actor;
use tend::app::enroll::Enrolled;
use tend::app::record::just_now;
use tend::store::FreeText;
use tend::store::read::worklist::WorklistFilter;
use tend_engine::fact::Fact;
use tend_engine::model::Role;

use super::ward::{Ward, named};
use crate::support::app::{SITE, on_both_databases};

on_both_databases!(
    a_clinician_moves_a_patient_and_takes_it_back,
    risk_orders_what_is_equally_urgent_and_nobody_starves,
    a_nurse_moves_nobody,
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
