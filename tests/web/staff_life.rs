//! A model after it went live: what nurses enter, what the watch finds, what a clinician can do about it.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use jiff::{SignedDuration, Span, civil::Date, tz::TimeZone};
use tend::app::Actor;
use tend::app::enroll::{Course, Enrolled, Newcomer};
use tend::app::register::Register;
use tend::app::score::outcome::{Became, OutcomeLine};
use tend::app::score::{MODEL, Signal, SwitchState};
use tend::store::{CHALLENGER, Demographics, FreeText, Identifier};
use tend_engine::fact::{Author, Fact, NewFact};
use tend_engine::model::{Channel, Role};
use tend_engine::{Decimal, SiteId, StaffId, Value};

use super::ward::{Ward, named};
use crate::support::app::{SITE, on_both_databases};

on_both_databases!(
    a_nurse_enters_what_became_of_a_patient,
    a_site_learns_from_its_own_histories,
    a_challenger_that_looks_back_is_logged_beside_and_shown_to_nobody,
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
    assert!(
        all.len() == 1
            && all[&of.enrollment].became == Became::NotAdmitted
            && all[&of.enrollment].source == "staff"
    );
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
    // Written down on day 4, of day 1: rows of the days between do not know of it.
    let late = NewFact {
        enrollment: Some(other.enrollment),
        occurred_at: app.clock.now() - SignedDuration::from_hours(72),
        author: Author::Staff(by),
        fact: Fact::FactSet { name: named("dry_weight"), value: Value::Number(Decimal::whole(60)) },
    };
    let nothing = FreeText::new();
    app.record(Actor::Staff(by), "late", other.patient, vec![late], &nothing).await.expect("recorded");
    assert_eq!(app.landmarks(SITE).await.expect("rows").rows.len(), 0, "no outcome is known yet");
    ward.days_pass(30).await;
    let line = |n: u32, became| OutcomeLine {
        system: "hospital".to_owned(),
        value: format!("L{n}"),
        discharge,
        became,
    };
    let on = discharge.saturating_add(Span::new().days(20));
    let lines = [line(1, Became::Admitted(on)), line(2, Became::NotAdmitted), line(3, Became::NotAdmitted)];
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
    let theirs = || table.rows.iter().filter(|row| row[at("enrollment")] == other.enrollment.to_string());
    assert!(theirs().all(|row| row[at("readmit30")] == "0"));
    let knew: Vec<(&str, &str)> =
        theirs().map(|row| (row[at("day")].as_str(), row[at("dry_weight")].as_str())).collect();
    assert!(knew.iter().any(|(_, weight)| *weight == "60"), "{knew:?}");
    assert!(
        knew.iter().all(|(day, weight)| (day.parse::<i32>().expect("n") >= 4) == (*weight == "60")),
        "{knew:?}"
    );
}

async fn a_challenger_that_looks_back_is_logged_beside_and_shown_to_nobody() {
    let ward = Ward::open().await;
    let by = ward.hire("doctor", &["clinician"], &[Role::Clinician]).await;
    ward.sign_in("doctor").await;
    let tried = ward.submit("/risk/monitor", "/risk/monitor", &[("do", "history"), ("since", "")]).await;
    assert_eq!(tried.status, StatusCode::SEE_OTHER);
    let app = &ward.pages.app;
    let models = app.site_models(SITE).await.expect("read");
    assert_ne!(models.challenger_version(), models.champion_version());
    let of = register(&ward, by, 1, 3).await;
    let logged = async |model| app.store.followed(SITE, model).await.expect("read");
    let (champion, challenger) = (logged(MODEL).await, logged(CHALLENGER).await);
    assert_eq!((champion.len(), challenger.len()), (1, 1));
    let elsewhere = app.store.followed(SiteId(SITE.0 + 1), MODEL).await.expect("read");
    assert!(elsewhere.is_empty(), "another site sees nothing of it");
    assert_eq!(challenger[0].model_version, models.challenger_version());
    let shown = app.store.latest_scores(&[of.enrollment]).await.expect("read");
    assert_eq!(shown[&of.enrollment].model_version, models.champion_version());
    assert!(ward.pages.get("/risk/monitor").await.text().contains(models.challenger_version()));
    let given_up = ward.submit("/risk/monitor", "/risk/monitor", &[("do", "discard"), ("since", "")]).await;
    assert_eq!(given_up.status, StatusCode::SEE_OTHER);
    assert_eq!(app.site_models(SITE).await.expect("read").challenger_version(), "");
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

/// Patients that are discharged each month.
const MONTHLY: u32 = 50;

/// A year by design: from the fourth month on more come back than the model says. The watch says so, the model steps back, a
/// recalibration takes over, and the months after it are within the limits.
#[actix_web::test]
async fn a_year_in_which_calibration_drifts_is_seen_and_mended() {
    let ward = Ward::open().await;
    let doctor = ward.hire("doctor", &["clinician"], &[Role::Clinician]).await;
    ward.sign_in("doctor").await;
    let app = &ward.pages.app;
    app.switch_model(SITE, &named(WORKFLOW), SwitchState::On, Some(doctor)).await.expect("switched");
    let mut chance = Chance(20_261_127);
    let start = today(&ward).first_of_month().saturating_add(Span::new().months(1));
    let by = ward.hire("registrar", &["nurse"], &[Role::Nurse]).await;
    let (mut number, mut stepped_back) = (0, None);
    let mut cohorts: Vec<(Date, Vec<(u32, Enrolled)>)> = Vec::new();
    let clock_to = |day: Date, hour: i8| {
        let at = day.to_datetime(jiff::civil::time(hour, 0, 0, 0)).in_tz("UTC").expect("an instant");
        ward.pages.clock.set(at.timestamp());
    };
    for month in 0..14_usize {
        let first = start.saturating_add(Span::new().months(i64::try_from(month).expect("small")));
        // The outcomes of the month before last, and a night.
        clock_to(first.saturating_add(Span::new().days(3)), 3);
        if let Some((discharge, scored)) = month.checked_sub(2).and_then(|at| cohorts.get(at)) {
            let followed = app.store.followed(SITE, MODEL).await.expect("read");
            let lines: Vec<OutcomeLine> = scored
                .iter()
                .map(|(number, of)| {
                    let first = followed.iter().find(|row| row.enrollment == of.enrollment).expect("scored");
                    // The truth leaves the shipped model from the fourth month on; a moved one has gone with it.
                    let moved = first.model_version.contains('-');
                    let shift = if month - 2 >= 3 && !moved { 1.3 } else { 0.0 };
                    let p = f64::from(first.ppm) / 1e6;
                    let odds = p / (1.0 - p) * f64::exp(shift);
                    let happened = chance.next() < odds / (1.0 + odds);
                    let day = discharge.saturating_add(Span::new().days(11));
                    OutcomeLine {
                        system: "hospital".to_owned(),
                        value: format!("L{number}"),
                        discharge: *discharge,
                        became: if happened { Became::Admitted(day) } else { Became::NotAdmitted },
                    }
                })
                .collect();
            let listed = app.import_outcomes(SITE, &lines).await.expect("read");
            assert!(listed.refused.is_empty(), "{:?}", listed.refused);
        }
        jobs_run(&ward).await;
        let state = app.model_state(SITE, &named(WORKFLOW)).await.expect("read");
        if state == SwitchState::SteppedBack && stepped_back.is_none() {
            stepped_back = Some(month);
            let page = ward.pages.get("/risk/monitor").await;
            assert!(page.text().contains("the model steps back") && page.text().contains("class=\"beyond\""));
            let watch = app.look_at_model(SITE).await.expect("a look").watch;
            let since =
                watch.signalled().expect("an alarm").saturating_add(Span::new().months(-1)).to_string();
            // Turned on again on the day on which the alarm is known: somebody has decided, and the next night leaves it on.
            ward.submit("/risk", "/risk/switch", &[("workflow", WORKFLOW), ("state", "on")]).await;
            assert_eq!(jobs_run(&ward).await, 1, "one scoring for the switch");
            clock_to(first.saturating_add(Span::new().days(4)), 3);
            assert_eq!(jobs_run(&ward).await, 1, "the night");
            let look = app.last_look(SITE).await.expect("read").expect("written down");
            assert_eq!((look.watch.signal(), look.at), (Signal::StepBack, app.clock.now()));
            assert_eq!(app.model_state(SITE, &named(WORKFLOW)).await.expect("read"), SwitchState::On);
            let asked =
                async |fields: &[(&str, &str)]| ward.submit("/risk/monitor", "/risk/monitor", fields).await;
            let none = asked(&[("do", "adopt"), ("since", &since)]).await;
            assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY, "there is no challenger");
            let done = asked(&[("do", "recalibrate"), ("since", &since)]).await;
            assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
            let shown = ward.pages.get("/risk/monitor").await;
            assert!(shown.text().contains("As looked at on"), "{}", shown.text());
            let models = app.site_models(SITE).await.expect("read");
            assert!(models.challenger_version().starts_with(models.champion_version()));
            assert_eq!(asked(&[("do", "adopt"), ("since", &since)]).await.status, StatusCode::SEE_OTHER);
            ward.submit("/risk", "/risk/switch", &[("workflow", WORKFLOW), ("state", "on")]).await;
        }
        // This month's patients, two days later.
        clock_to(first.saturating_add(Span::new().days(5)), 12);
        let mut scored = Vec::new();
        for _ in 0..if month < 12 { MONTHLY } else { 0 } {
            number += 1;
            scored.push((number, register(&ward, by, number, i64::from(number * 7 % 5)).await));
        }
        cohorts.push((today(&ward), scored));
    }
    let back = stepped_back.expect("the watch says so");
    // Two months beyond the limit are needed: those of months 3 and 4, known in 5 and 6.
    assert!((6..9).contains(&back), "stepped back in month {back}");
    let watch = app.look_at_model(SITE).await.expect("a look").watch;
    let counted: Vec<_> = watch.months.iter().filter(|month| month.signal.is_some()).collect();
    assert!(counted.len() >= 3, "{watch:?}");
    assert!(counted.iter().all(|month| month.signal == Some(Signal::Quiet)), "{counted:?}");
    assert_eq!(app.model_state(SITE, &named(WORKFLOW)).await.expect("read"), SwitchState::On);
    assert!(!watch.parts.is_empty() && !watch.drift.is_empty(), "{watch:?}");
    let page = ward.pages.get("/risk/monitor?lang=zh").await;
    assert!(page.text().contains("模型运行监测") && page.text().contains("群体稳定性指数"));
}

/// Runs the jobs that are due, and those that these ask for; says how many.
async fn jobs_run(ward: &Ward) -> usize {
    let app = &ward.pages.app;
    let mut run = 0;
    loop {
        let due = app.long_jobs_due().await.expect("a look");
        if due.is_empty() {
            return run;
        }
        run += due.len();
        for job in due {
            app.run_long_job(job, &|| false).await.expect("a run");
        }
    }
}

/// A small generator: the same numbers on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}
