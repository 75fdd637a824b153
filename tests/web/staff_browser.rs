//! Staff's pages in a real browser: at 320 px and on a desk, light and dark, in both languages.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::web::Data;
use serde_json::json;
use tend::app::task::PhoneAnswer;
use tend::ports::Pending;
use tend::web::{Probe, Settings, Web, server};
use tend_engine::fact::{Answer, Mode, Occurrence};
use tend_engine::model::Role;
use tend_engine::{Decimal, StaffId, Value};

use super::ward::{PASSWORD, Ward, between, named};
use crate::support::browser;

struct Works;

impl Probe for Works {
    fn ready(&self) -> Pending<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

/// The patient's daily weight, typed by a nurse; the third is two and a half kilograms up.
async fn weigh(ward: &Ward, patient: tend::app::enroll::Enrolled, nurse: StaffId, kilograms: &str) {
    let app = &ward.pages.app;
    let row = app.store.patient(patient.patient).await.expect("read").expect("there");
    let state = &row.state.enrollments[&patient.enrollment];
    let step = named("daily-check");
    let open = state.steps[&step].open.last().expect("an open questionnaire").clone();
    let weight =
        Answer::Given { value: Value::Number(Decimal::parse(kilograms).expect("a number")), doubtful: false };
    let about = Occurrence {
        enrollment: patient.enrollment,
        step,
        generation: open.generation,
        ordinal: open.ordinal,
    };
    app.answer_by_phone(PhoneAnswer {
        patient: patient.patient,
        about,
        questionnaire: named("heart-failure-check"),
        questionnaire_version: "1".to_owned(),
        language: "en".to_owned(),
        mode: Mode::NursePhone,
        answers: BTreeMap::from([(named("weight"), weight)]),
        words: BTreeMap::new(),
        by: nurse,
    })
    .await
    .expect("recorded");
}

/// An import with a good line and two that are refused; gives its page.
async fn import(ward: &Ward) -> String {
    let csrf = ward.csrf("/import").await;
    let file = "name,birth_date,phone,consent_sms,anchor-discharge,fact-dry_weight\n\
                Grace Oduya,1951-04-09,+447700900777,yes,2026-03-01,70\n\
                Ben Hale,1950-13-01,0770,yes,2026-03-01,heavy\n\
                Grace Oduya,1951-04-09,+447700900777,yes,2026-03-01,70\n";
    let part = |name: &str, value: &str| {
        format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body =
        part("csrf", &csrf) + &part("workflow", "hf-discharge-90d") + &part("file", file) + "--part--\r\n";
    let answer = ward.pages.request(actix_web::http::Method::POST, "/import").upload(body).send().await;
    let app = &ward.pages.app;
    for job in app.long_jobs_due().await.expect("a look") {
        app.run_long_job(job, &|| false).await.expect("a run");
    }
    answer.location().to_owned()
}

#[actix_web::test]
async fn every_page_is_accessible_and_fits_a_phone() {
    let drafts = tempfile::tempdir().expect("a folder");
    super::staff_versions::drafts(drafts.path(), super::staff_versions::STATED);
    let ward = Ward::open_with_drafts(Some(drafts.path().to_owned())).await;
    let everybody = [Role::Nurse, Role::Clinician, Role::Clerk, Role::NurseLead];
    let nurse = ward.hire("nurse", &["nurse", "clinician", "author"], &everybody).await;
    let patient = ward.enrol("Margaret Ashworth", 1).await;
    for (at, name) in ["Li Wei 李伟", "Tomasz Kowalczyk", "Agnes O'Neill"].into_iter().enumerate() {
        ward.enrol(name, u32::try_from(at).expect("few") + 2).await;
    }
    for kilograms in ["78.2", "78.6", "80.9"] {
        ward.days_pass(1).await;
        weigh(&ward, patient, nurse, kilograms).await;
    }
    ward.days_pass(1).await;
    ward.sign_in("nurse").await;
    let list = ward.pages.get("/worklist?role=all").await;
    let task = between(list.text(), "<a href=/tasks/", ">").expect("a task");
    let chart = format!("/patients/{}", patient.patient);
    let ask =
        between(ward.pages.get(&chart).await.text(), "<a href=\"/answers/", "\"").expect("a questionnaire");
    let of = patient.enrollment;
    ward.submit("/risk", "/risk/switch", &[("workflow", "hf-discharge-90d"), ("state", "on")]).await;
    super::staff_risk::score(&ward, patient, 270_000).await;
    let known =
        [("los_days", "5"), ("adm_type", "emergency"), ("n_inpatient_12m", "2"), ("icd10_1", "I50_9")];
    super::staff_risk::learn(&ward, patient, &known).await;
    let filtration = [("creatinine_umol_l", "118"), ("age", "77"), ("sex", "F")];
    super::staff_risk::learn(&ward, patient, &filtration).await;
    let moving = format!("{chart}/risk?enrollment={of}");
    ward.submit(&moving, &moving, &[("to", "up"), ("reason", "lives alone since Monday")]).await;
    let import = import(&ward).await;
    let pages = json!({
        "worklist": "/worklist?role=all", "task": format!("/tasks/{task}"), "patient": chart,
        "answer": format!("/answers/{ask}"), "pause": format!("{chart}/pause?enrollment={of}"),
        "consent": format!("{chart}/consent"), "enrol": "/enrol?workflow=hf-discharge-90d", "choose": "/enrol",
        "import": "/import", "import-done": import, "move": moving, "risk": "/risk", "model": "/risk/model", "monitor": "/risk/monitor",
        "outcome": format!("/risk/outcome/{}/{of}", patient.patient), "messages": "/messages",
        "workflows": "/workflows", "versions": "/workflows/hf-discharge-90d/versions", "why": format!("{chart}/why/30"),
        "workflow": "/workflows/nmibc-surveillance", "health": "/health",
    });
    let web = Web::new(Settings::default(), ward.pages.app.clone(), Arc::new(Works));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let server = server::serve(listener, Data::new(web), 1).expect("a server");
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let pictures = std::env::var("TEND_PICTURES").ok();
    let options = json!({
        "base": base, "login": "nurse", "password": PASSWORD, "pages": pages, "pictures": pictures,
    });
    let played = actix_web::rt::task::spawn_blocking(move || browser::play("staff", &options));
    let result = played.await.expect("played");
    handle.stop(true).await;
    browser::assert_accessible("staff", &result["found"]);
    assert_eq!(result["wide"], json!([]), "these pages scroll sideways");
}
