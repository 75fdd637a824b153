//! The patient page, its actions, the questionnaire on the phone, and enrolment.

use actix_web::http::{Method, StatusCode};
use tend_engine::model::Role;
use tend_engine::state::Standing;

use super::ward::{Ward, between};
use crate::support::app::{Answer, on_both_databases};

on_both_databases!(
    the_page_tells_who_where_and_why_in_both_languages,
    a_nurse_types_the_answers_and_they_are_charted,
    a_nurse_who_types_a_red_flag_is_told_what_to_say,
    what_staff_record_is_recorded_once_with_its_reason,
    a_patient_is_enrolled_once_with_consent_and_scored,
    a_patient_set_aside_goes_on_when_somebody_has_looked,
    quiet_pages_answer,
    an_import_takes_good_lines_and_reports_each_bad_one,
);

fn ok(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

async fn the_page_tells_who_where_and_why_in_both_languages() {
    let ward = Ward::with_nurse().await;
    let patient = ward.enrol("Ann Example", 1).await.patient;
    ward.days_pass(3).await;
    let path = format!("/patients/{patient}");
    let page = ward.pages.get(&path).await;
    for words in [
        "Ann Example",
        "born 1948-05-17",
        "hospital: H1",
        "Heart failure",
        "Enrolled in Heart failure",
        "78 kg",
    ] {
        assert!(page.text().contains(words), "{words}");
    }
    let chinese = ward.pages.get(&format!("{path}?lang=zh")).await;
    for words in ["生于 1948-05-17", "接下来", "时间线", "登记加入"] {
        assert!(chinese.text().contains(words), "{words}");
    }
    let nowhere = ward.pages.get("/patients/0192f0c0-0000-7000-8000-00000000ffff").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

async fn a_patient_set_aside_goes_on_when_somebody_has_looked() {
    let ward = Ward::with_nurse().await;
    let patient = ward.enrol("Ann Example", 1).await.patient;
    let app = &ward.pages.app;
    let mut tx = app.store.begin();
    tx.quarantine(&*app.ids, patient, "a broken entry", app.clock.now()).await.expect("set aside");
    tx.commit().await.expect("a commit");
    let path = format!("/patients/{patient}");
    let page = ward.pages.get(&path).await;
    assert!(
        page.text().contains("a broken entry") && page.text().contains("The record was looked at: go on")
    );
    ok(&ward.submit(&path, &format!("{path}/take-back"), &[]).await);
    let page = ward.pages.get(&path).await;
    assert!(!page.text().contains("a broken entry"), "{}", page.text());
    let tasks = app.store.tasks_of(patient).await.expect("tasks");
    assert!(tasks.iter().all(|task| !(task.open && task.role == Role::NurseLead)), "{tasks:?}");
    assert_eq!(app.doctor(true).await.expect("a check").differences, Vec::<String>::new());
}

async fn a_nurse_types_the_answers_and_they_are_charted() {
    let ward = Ward::with_nurse().await;
    let patient = ward.enrol("Ann Example", 1).await.patient;
    ward.days_pass(2).await;
    let page = ward.pages.get(&format!("/patients/{patient}")).await;
    let ask = between(page.text(), "<a href=\"/answers/", "\"").expect("an open questionnaire");
    let path = format!("/answers/{ask}");
    let shown = ward.pages.get(&path).await;
    assert_eq!(shown.status, StatusCode::OK);
    let empty = ward.submit(&path, &path, &[]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY, "nothing typed is no answer");
    let wrong = ward.submit(&path, &path, &[("weight", "heavy")]).await;
    assert!(wrong.text().contains("value=\"heavy\"") && wrong.text().contains("Write a number"));
    ok(&ward.submit(&path, &path, &[("weight", "78.2")]).await);
    let page = ward.pages.get(&format!("/patients/{patient}")).await;
    assert!(page.text().contains("78.2"), "{}", page.text());
    assert!(!page.text().contains("<svg class=\"chart\""), "one value is no course");
    ward.days_pass(1).await;
    let page = ward.pages.get(&format!("/patients/{patient}")).await;
    let ask = between(page.text(), "<a href=\"/answers/", "\"").expect("an open questionnaire");
    let path = format!("/answers/{ask}");
    ok(&ward.submit(&path, &path, &[("weight", "78.4")]).await);
    let page = ward.pages.get(&format!("/patients/{patient}")).await;
    assert!(page.text().contains("78.4") && page.text().contains("<svg class=\"chart\""), "{}", page.text());
    assert!(page.text().contains("typed by a nurse"));
    let void = between(page.text(), "/void?seq=", "\"").expect("an entry that can be voided");
    let action = format!("/patients/{patient}/void?seq={void}");
    let no_reason = ward.submit(&action, &action, &[]).await;
    assert_eq!(no_reason.status, StatusCode::UNPROCESSABLE_ENTITY);
    ok(&ward.submit(&action, &action, &[("reason", "another patient's")]).await);
    let page = ward.pages.get(&format!("/patients/{patient}")).await;
    assert!(!page.text().contains("<svg class=\"chart\"") && page.text().contains("class=\"void\""));
    assert!(page.text().contains("another patient"), "the reason is kept");
}

async fn a_nurse_who_types_a_red_flag_is_told_what_to_say() {
    let ward = Ward::with_nurse().await;
    let patient = ward.enrol("Ann Example", 1).await.patient;
    ward.days_pass(2).await;
    let page = ward.pages.get(&format!("/patients/{patient}")).await;
    let ask = between(page.text(), "<a href=\"/answers/", "\"").expect("an open questionnaire");
    let path = format!("/answers/{ask}");
    let typed = [("weight", "78.4"), ("breathing", "at_rest")];
    let done = ward.submit(&path, &path, &typed).await;
    ok(&done);
    let told = ward.pages.get(done.location()).await;
    for words in ["Tell the patient now", "Call 112 now", "role=\"alert\""] {
        assert!(told.text().contains(words), "{words}: {}", told.text());
    }
    let task =
        between(ward.pages.get("/worklist?role=all").await.text(), "href=/tasks/", ">").expect("a task");
    let told =
        ward.pages.get(&format!("/tasks/{task}?done=answers&flags=hf-breathless-at-rest&lang=zh")).await;
    assert!(told.text().contains("请立即告知患者") && told.text().contains("112"), "{}", told.text());
    let forged = ward.pages.get(&format!("/tasks/{task}?flags=no-such-rule&lang=en")).await;
    assert!(forged.status == StatusCode::OK && !forged.text().contains("Tell the patient now"));
}

async fn what_staff_record_is_recorded_once_with_its_reason() {
    let ward = Ward::with_nurse().await;
    let enrolled = ward.enrol("Ann Example", 1).await;
    let (patient, of) = (enrolled.patient, format!("?enrollment={}", enrolled.enrollment));
    let act = |what: &str| format!("/patients/{patient}/{what}");
    let standing = async || {
        let row = ward.pages.app.store.patient(patient).await.expect("read").expect("there");
        (row.state.enrollments[&enrolled.enrollment].standing.clone(), row.state)
    };

    let pause = format!("{}{of}", act("pause"));
    let past = ward.submit(&pause, &pause, &[("until", "2020-01-01"), ("reason", "on holiday")]).await;
    assert!(
        past.text().contains("value=\"2020-01-01\"") && past.text().contains("on holiday"),
        "typed values are kept"
    );
    ok(&ward.submit(&pause, &pause, &[("until", "2026-03-20"), ("reason", "on holiday")]).await);
    assert!(matches!(standing().await.0, Standing::Paused { until: Some(_), .. }));
    let resume = format!("{}{of}", act("resume"));
    ok(&ward.submit(&resume, &resume, &[]).await);
    assert_eq!(standing().await.0, Standing::Active);

    let correct = format!("{}{of}", act("correct"));
    let date = [("anchor", "discharge"), ("date", "2026-03-01"), ("reason", "mistyped")];
    ok(&ward.submit(&correct, &correct, &date).await);
    let (_, state) = standing().await;
    let anchor = state.enrollments[&enrolled.enrollment].anchors.values().next().expect("an anchor").date;
    assert_eq!(anchor.to_string(), "2026-03-01");

    let contact = act("contact");
    let bad =
        ward.submit(&contact, &contact, &[("channel", "sms"), ("owner", "own"), ("address", "0770")]).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    let new = [("channel", "email"), ("owner", "own"), ("address", "ann@example.org")];
    ok(&ward.submit(&contact, &contact, &new).await);
    let consent = act("consent");
    ok(&ward.submit(&consent, &consent, &[("channel", "email"), ("what", "give")]).await);
    ok(&ward.submit(&consent, &consent, &[("channel", "email"), ("what", "daily")]).await);
    let rows = ward.pages.app.store.consents(patient).await.expect("consents");
    let daily: Vec<&str> =
        rows.iter().filter(|row| row.purpose == "daily_messages").map(|row| row.how.as_str()).collect();
    assert_eq!(daily, ["phone", "phone"], "one for each channel that is consented to");
    ok(&ward.submit(&consent, &consent, &[("channel", "email"), ("what", "no_daily")]).await);
    let rows = ward.pages.app.store.consents(patient).await.expect("consents");
    let daily = rows.iter().filter(|row| row.purpose == "daily_messages");
    assert!(daily.clone().count() == 2 && daily.clone().all(|row| row.withdrawn_at.is_some()));
    ok(&ward.submit(&consent, &consent, &[("channel", "sms"), ("what", "withdraw")]).await);
    let (_, state) = standing().await;
    let channel = |channel| state.channels[&channel];
    assert!(channel(tend_engine::model::Channel::Email).open());
    assert!(channel(tend_engine::model::Channel::Sms).stopped);
    assert!(ward.pages.get(&act("")[..act("").len() - 1]).await.text().contains("ann@example.org"));

    let died = act("died");
    let tomorrow = ward.submit(&died, &died, &[("date", "2030-01-01"), ("reason", "called")]).await;
    assert_eq!(tomorrow.status, StatusCode::UNPROCESSABLE_ENTITY, "not in the future");
    ok(&ward.submit(&died, &died, &[("date", "2026-03-02"), ("reason", "the family called")]).await);
    let (standing, state) = standing().await;
    assert!(matches!(standing, Standing::Over { .. }) && state.died.is_some());
    assert!(ward.pages.get(&format!("/patients/{patient}")).await.text().contains("Nothing more is sent."));
}

async fn a_patient_is_enrolled_once_with_consent_and_scored() {
    let ward = Ward::open().await;
    ward.hire("doctor", &["clinician"], &[Role::Clinician]).await;
    ward.sign_in("doctor").await;
    let path = "/enrol?workflow=hf-discharge-90d";
    assert_eq!(ward.pages.get(path).await.status, StatusCode::OK);
    ok(&ward.submit("/risk", "/risk/switch", &[("workflow", "hf-discharge-90d"), ("state", "on")]).await);
    let half = [("workflow", "hf-discharge-90d"), ("name", "Li <b>"), ("phone", "0770"), ("zone", "Mars")];
    let wrong = ward.submit(path, "/enrol", &half).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for words in ["value=\"0770\"", "country code", "Please correct this", "value=\"Mars\""] {
        assert!(wrong.text().contains(words), "{words}");
    }
    assert!(!wrong.text().contains("Li <b>"), "escaped");

    let whole = [
        ("workflow", "hf-discharge-90d"),
        ("name", "Li Wei"),
        ("birth_date", "1950-01-02"),
        ("number", "A-1"),
        ("system", "hospital"),
        ("language", "zh"),
        ("zone", "Asia/Shanghai"),
        ("phone", "+86 138 0000 0000"),
        ("consent_sms", "yes"),
        ("consent_daily", "yes"),
        ("anchor-discharge", "2026-03-02"),
        ("fact-dry_weight", "62.5"),
        ("risk-age", "76"),
        ("risk-los_days", "6"),
        ("risk-n_emergency_12m", "1"),
        ("risk-n_inpatient_12m", "2"),
        ("risk-haemoglobin_g_dl", "10.5"),
        ("risk-lace_comorbidity", "4"),
    ];
    let done = ward.submit(path, "/enrol", &whole).await;
    ok(&done);
    let page = ward.pages.get(done.location()).await;
    assert!(page.text().contains("Li Wei") && page.text().contains("+8613800000000"));
    assert!(page.text().contains("10.5 g/dL"), "{}", page.text());
    let risk = ward.pages.get("/risk").await;
    for words in [
        "Li Wei",
        "within 30 days",
        "US diabetic inpatients 1999-2008, not validated here",
        "raises the risk",
    ] {
        assert!(risk.text().contains(words), "{words}: {}", risk.text());
    }
    let again = ward.submit(path, "/enrol", &whole).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.text().contains("is here already"));
    let mut other = whole.to_vec();
    other.push(("another", "yes"));
    let same_number = ward.submit(path, "/enrol", &other).await;
    assert!(same_number.text().contains("belongs to somebody else"));

    let few: Vec<(&str, &str)> =
        whole.iter().copied().filter(|(name, _)| !name.starts_with("risk-") && *name != "number").collect();
    let few: Vec<(&str, &str)> =
        few.into_iter().map(|(k, v)| if k == "name" { (k, "Zhang Min") } else { (k, v) }).collect();
    ok(&ward.submit(path, "/enrol", &few).await);
    let risk = ward.pages.get("/risk").await;
    assert!(risk.text().contains("not scored because"), "{}", risk.text());
    let card = ward.pages.get("/risk/model").await;
    assert!(card.text().contains("not validated here") && !card.text().contains("<script"));
}

async fn quiet_pages_answer() {
    let ward = Ward::with_nurse().await;
    ward.enrol("Ann Example", 1).await;
    ward.days_pass(1).await;
    for path in [
        "/messages",
        "/messages?state=uncertain",
        "/workflows",
        "/workflows/nmibc-surveillance",
        "/workflows/check",
        "/health",
        "/risk",
    ] {
        for lang in ["en", "zh"] {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = ward.pages.get(&format!("{path}{joint}lang={lang}")).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text());
        }
    }
    let health = ward.pages.get("/health?lang=en").await;
    assert!(health.text().contains("Every active patient has a next step or an open task."));
    assert!(health.text().contains("The kept counts equal a recount."));
    assert!(health.text().contains("The background work does not run"), "no sweep so far");
    ward.pages.app.sweep().await.expect("a sweep");
    let health = ward.pages.get("/health?lang=en").await;
    assert!(health.text().contains("Everything works.") && health.text().contains("Last sweep"));
    let workflow = ward.pages.get("/workflows/nmibc-surveillance?lang=en").await;
    assert!(workflow.text().contains("example, not approved") && workflow.text().contains("local choice"));
    assert!(workflow.text().contains("machine-made translation, NOT REVIEWED"));
    assert!(workflow.text().contains("licence: written for this project"));
    let check = ward.pages.get("/workflows/check?lang=en").await;
    assert!(check.text().contains("13 workflows and"), "{}", check.text());
}

async fn an_import_takes_good_lines_and_reports_each_bad_one() {
    let ward = Ward::with_nurse().await;
    let csrf = ward.csrf("/import").await;
    let file = "name,birth_date,phone,consent_sms,anchor-discharge,fact-dry_weight\n\
                Ann One,1950-01-01,+447700900001,yes,2026-03-01,70\n\
                =cmd,1950-13-01,0770,yes,2026-03-01,heavy\n\
                Ann One,1950-01-01,+447700900001,yes,2026-03-01,70\n";
    let part = |name: &str, value: &str| {
        format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body =
        part("csrf", &csrf) + &part("workflow", "hf-discharge-90d") + &part("file", file) + "--part--\r\n";
    let answer = ward.pages.request(Method::POST, "/import").upload(body.clone()).send().await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let path = answer.location().to_owned();
    let waiting = ward.pages.get(&path).await;
    assert!(waiting.text().contains("Working: 1 of 3 lines."), "{}", waiting.text());
    assert_eq!(waiting.header("refresh"), "2");
    let app = &ward.pages.app;
    for job in app.long_jobs_due().await.expect("a look") {
        app.run_long_job(job, &|| false).await.expect("a run");
    }
    let answer = ward.pages.get(&path).await;
    assert_eq!(answer.header("refresh"), "");
    for words in
        ["1 enrolled, 2 refused.", "<td>3<", "birth_date", "fact-dry_weight", "<td>4<", "is here already"]
    {
        assert!(answer.text().contains(words), "{words}: {}", answer.text());
    }
    assert!(ward.pages.get("/import").await.text().contains(&path), "listed");
    let report = ward.pages.get(&format!("{path}/report")).await;
    assert!(report.text().starts_with("\"line\",\"column\",\"problem\"\r\n\"3\","), "{}", report.text());
    let forged = body.replace(&csrf, "0000");
    let answer = ward.pages.request(Method::POST, "/import").upload(forged).send().await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}
