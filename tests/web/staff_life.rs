//! A model after it went live: what nurses enter, what the watch finds, what a clinician can do about it.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use jiff::{SignedDuration, Span, civil::Date, tz::TimeZone};
use tend::app::enroll::{Course, Enrolled, Newcomer};
use tend::app::register::Register;
use tend::app::score::SwitchState;
use tend::app::score::outcome::{Became, OutcomeLine};
use tend::store::{Demographics, Identifier};
use tend_engine::model::{Channel, Role};
use tend_engine::{Decimal, StaffId, Value};

use super::ward::{Ward, named};
use crate::support::app::{SITE, on_both_databases};

on_both_databases!(
    a_nurse_enters_what_became_of_a_patient,
    a_site_learns_from_its_own_histories,
    a_model_that_stepped_back_is_shown_to_nobody_and_the_published_score_stands_in_its_place,
);

const WORKFLOW: &str = "hf-discharge-90d";

fn today(ward: &Ward) -> Date {
    ward.pages.app.clock.now().to_zoned_datetime(TimeZone::UTC).date()
}

/// A patient with everything that the model requires, discharged today.
async fn register(ward: &Ward, by: StaffId, number: u32, stays: i64) -> Enrolled {
    let app = &ward.pages.app;
    let whole = |n: i64| Value::Number(Decimal::whole(n));
    let newcomer = Newcomer {
        site: SITE,
        team: None,
        demographics: Demographics {
            name: format!("Patient {number}"),
            birth_date: "1948-05-17".parse().expect("a date"),
            sex: Some("F".to_owned()),
        },
        identifiers: vec![Identifier { system: "hospital".to_owned(), value: format!("L{number}") }],
        contact_points: Vec::new(),
        consents: Vec::new(),
        language: "en".to_owned(),
        zone: "UTC".to_owned(),
        preferred: None,
        daily_consent: false,
        course: Course {
            workflow: named(WORKFLOW),
            facts: BTreeMap::from([(named("dry_weight"), whole(78))]),
            anchors: BTreeMap::from([(named("discharge"), today(ward))]),
        },
    };
    let features = [("age", 45 + 10 * (i64::from(number) % 4)), ("los_days", 1 + i64::from(number) % 9)];
    let features = features.into_iter().chain([("n_emergency_12m", 0), ("n_inpatient_12m", stays)]);
    let register = Register {
        newcomer,
        consented: vec![Channel::Sms],
        wording: "1".to_owned(),
        features: features.map(|(name, n)| (named(name), whole(n))).collect(),
    };
    app.register(by, register).await.expect("registered")
}

async fn a_nurse_enters_what_became_of_a_patient() {
    let ward = Ward::with_nurse().await;
    let by = ward.hire("registrar", &["nurse"], &[Role::Nurse]).await;
    let of = register(&ward, by, 1, 2).await;
    let path = format!("/risk/outcome/{}/{}", of.patient, of.enrollment);
    let chart = format!("/patients/{}", of.patient);
    assert!(ward.pages.get(&chart).await.text().contains(&path), "the chart leads there");
    let entered = async |fields: &[(&str, &str)]| ward.submit(&path, &path, fields).await;
    let early = entered(&[("happened", "no"), ("day", "")]).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(early.text().contains("The 30 days are not over"), "{}", early.text());
    assert_eq!(entered(&[("happened", "yes"), ("day", "")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let future = today(&ward).saturating_add(Span::new().days(3)).to_string();
    let ahead = entered(&[("happened", "yes"), ("day", &future)]).await;
    assert_eq!(ahead.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody knows the future");
    ward.pages.clock.forward(SignedDuration::from_hours(24 * 9));
    let day = today(&ward).to_string();
    assert_eq!(entered(&[("happened", "yes"), ("day", &day)]).await.status, StatusCode::SEE_OTHER);
    ward.pages.app.forget_pages();
    let shown = ward.pages.get(&chart).await;
    assert!(shown.text().contains(&format!("Readmitted on {day}")), "{}", shown.text());
    assert!(ward.pages.get(&format!("{chart}?lang=zh")).await.text().contains("再入院"));
    // The latest entry holds.
    ward.pages.clock.forward(SignedDuration::from_hours(24 * 25));
    assert_eq!(entered(&[("happened", "no"), ("day", "")]).await.status, StatusCode::SEE_OTHER);
    let all = ward.pages.app.store.outcomes_at(SITE).await.expect("read");
    assert!(all.len() == 1 && !all[&of.enrollment].happened && all[&of.enrollment].source == "staff");
    let page = ward.pages.get("/risk/monitor?lang=en").await;
    assert!(page.text().contains("No month counts yet") && !page.text().contains("name=\"do\""));
    let moved = ward.submit("/worklist", "/risk/monitor", &[("do", "shipped")]).await;
    assert_eq!(moved.status, StatusCode::FORBIDDEN, "a nurse moves no model");
}

async fn a_site_learns_from_its_own_histories() {
    let ward = Ward::with_nurse().await;
    let app = &ward.pages.app;
    let by = ward.hire("registrar", &["nurse"], &[Role::Nurse]).await;
    let (of, other) = (register(&ward, by, 1, 2).await, register(&ward, by, 2, 0).await);
    let discharge = today(&ward);
    ward.days_pass(4).await;
    let change = tend::app::patient_change::Change::SetFact {
        enrollment: of.enrollment,
        name: named("dry_weight"),
        value: Value::Number(Decimal::whole(80)),
        reason: "weighed again".to_owned(),
    };
    app.change_patient(of.patient, change, by).await.expect("recorded");
    assert_eq!(app.landmarks(SITE).await.expect("rows").rows.len(), 0, "no outcome is known yet");
    ward.days_pass(30).await;
    let line = |n: u32, became| OutcomeLine {
        system: "hospital".to_owned(),
        value: format!("L{n}"),
        discharge,
        became,
    };
    let on = discharge.saturating_add(Span::new().days(20));
    let lines = [
        line(1, Became { happened: true, day: Some(on) }),
        line(2, Became { happened: false, day: None }),
        line(3, Became { happened: false, day: None }),
    ];
    let listed = app.import_outcomes(SITE, &lines).await.expect("read");
    assert_eq!((listed.written, listed.refused.len()), (2, 1));
    assert!(listed.refused[0].1.contains("no patient here"), "{:?}", listed.refused);
    let table = app.landmarks(SITE).await.expect("rows");
    assert_eq!(table.follow_ups, 2);
    let at = |name: &str| table.header.iter().position(|other| other == name).expect("a column");
    let mine: Vec<&Vec<String>> =
        table.rows.iter().filter(|row| row[at("enrollment")] == of.enrollment.to_string()).collect();
    let (first, last) = (mine[0], mine[mine.len() - 1]);
    assert_eq!((first[at("day")].as_str(), first[at("dry_weight")].as_str()), ("0", "78"), "as it was then");
    assert_eq!(last[at("dry_weight")], "80");
    for row in &mine {
        let (day, time): (i32, i32) =
            (row[at("day")].parse().expect("n"), row[at("time")].parse().expect("n"));
        assert!(day < 20 && day + time == 20, "no row knows more than its day: {row:?}");
        assert_eq!((row[at("event")].as_str(), row[at("readmit30")].as_str()), ("1", "1"));
    }
    let theirs = table.rows.iter().filter(|row| row[at("enrollment")] == other.enrollment.to_string());
    assert!(theirs.into_iter().all(|row| row[at("readmit30")] == "0"));
}

async fn a_model_that_stepped_back_is_shown_to_nobody_and_the_published_score_stands_in_its_place() {
    let ward = Ward::open().await;
    let by = ward.hire("doctor", &["clinician"], &[Role::Clinician]).await;
    ward.sign_in("doctor").await;
    let of = register(&ward, by, 1, 3).await;
    ward.submit("/risk", "/risk/switch", &[("workflow", WORKFLOW), ("state", "on")]).await;
    ward.pages.app.score_everybody().await.expect("scored");
    let page = ward.pages.get("/risk").await;
    assert!(page.text().contains("within 30 days") && page.text().contains("LACE 2 to"), "{}", page.text());
    let forged = [("workflow", WORKFLOW), ("state", "stepped_back")];
    assert_eq!(ward.submit("/risk", "/risk/switch", &forged).await.status, StatusCode::BAD_REQUEST);
    let app = &ward.pages.app;
    app.switch_model(SITE, &named(WORKFLOW), SwitchState::SteppedBack, None).await.expect("switched");
    app.score_everybody().await.expect("looked at");
    let page = ward.pages.get("/risk").await;
    assert!(!page.text().contains("within 30 days (") && page.text().contains("the model has stepped back"));
    assert!(page.text().contains("LACE 2 to"), "{}", page.text());
    let row = app.store.patient(of.patient).await.expect("read").expect("there");
    let risk = row.state.enrollments[&of.enrollment].risk.as_ref().expect("taken back");
    assert_eq!(risk.ppm, None, "never a low risk");
    assert!(ward.pages.get("/risk?lang=zh").await.text().contains("模型已退出"));
}
