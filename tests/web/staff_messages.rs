//! The message log: what is in doubt stands first, and a person decides about it once.

use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use tend::app::enroll::Enrolled;
use tend::app::relay::Writing;
use tend::ports::{Cause, Clock as _, Handover};
use tend::store::read::message_log::MessageRow;
use tend_engine::model::Channel;

use super::ward::Ward;

/// A patient whose first question left, and nobody knows whether it arrived.
async fn in_doubt() -> (Ward, Enrolled, MessageRow) {
    let ward = Ward::with_nurse().await;
    let patient = ward.enrol("Ann Example", 1).await;
    ward.pages.deliver().await;
    ward.days_pass(1).await;
    let app = &ward.pages.app;
    let deadline = Instant::now() + Duration::from_secs(5);
    let claims = app.claim(Channel::Sms, 50, deadline).await.expect("claims");
    let [claim] = claims.as_slice() else { panic!("one question: {claims:?}") };
    let begin = Writing { begin: vec![claim.ticket], ..Writing::default() };
    app.write(&begin).await.expect("begun");
    let unknown = Handover::Unknown(Cause::TimedOut);
    let finish = Writing { finish: vec![(claim.ticket, unknown)], ..Writing::default() };
    app.write(&finish).await.expect("written down");
    let row = app.store.message(claim.ticket.message).await.expect("read").expect("a message");
    assert_eq!(row.state, "uncertain");
    (ward, patient, row)
}

async fn states(ward: &Ward, of: Enrolled) -> Vec<(String, String)> {
    let mut rows = ward.pages.app.store.messages_of(of.patient).await.expect("messages");
    rows.retain(|row| row.purpose == "ask");
    rows.sort_by_key(|row| row.id);
    rows.into_iter()
        .map(|row| (row.state, row.key.0.rsplit('/').next().unwrap_or_default().to_owned()))
        .collect()
}

fn states_are(found: &[(String, String)], expected: &[(&str, &str)]) {
    let found: Vec<_> = found.iter().map(|(state, resend)| (state.as_str(), resend.as_str())).collect();
    assert_eq!(found, expected);
}

#[actix_web::test]
async fn what_is_in_doubt_stands_first_and_is_settled_once() {
    let (ward, patient, row) = in_doubt().await;
    let log = ward.pages.get("/messages").await;
    let (doubt, latest) = log.text().split_once("<h2>Latest").expect("a list after the doubtful ones");
    assert!(doubt.contains("In doubt") && doubt.contains("Ann Example") && latest.contains("Ann Example"));
    assert!(doubt.contains("never sent again by itself"), "{doubt}");
    let path = format!("/messages/{}", row.id);
    assert!(doubt.contains(&format!("href=\"{path}\"")));
    let page = ward.pages.get(&path).await;
    for words in ["It arrived", "It did not arrive", "Ask the patient by phone"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    let odd = ward.submit(&path, &path, &[("decided", "perhaps")]).await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);

    let csrf = ward.csrf(&path).await;
    let form = [("csrf", csrf.as_str()), ("decided", "arrived")];
    let (one, two) = tokio::join!(ward.pages.post(&path, &form), ward.pages.post(&path, &form));
    let mut both = [one.status, two.status];
    both.sort();
    assert_eq!(both, [StatusCode::SEE_OTHER, StatusCode::CONFLICT], "two at once: one decides");
    states_are(&states(&ward, patient).await, &[("delivered", "0")]);
    assert!(!ward.pages.get("/messages").await.text().contains("In doubt"));
    assert!(!ward.pages.get(&path).await.text().contains("It did not arrive"), "nothing is left to decide");
}

#[actix_web::test]
async fn what_did_not_arrive_says_nothing_about_the_address() {
    let (ward, patient, row) = in_doubt().await;
    let path = format!("/messages/{}", row.id);
    let decided = ward.submit(&path, &path, &[("decided", "not_arrived")]).await;
    assert_eq!(decided.location(), "/messages");
    states_are(&states(&ward, patient).await, &[("refused", "0")]);
    let known = ward.pages.app.store.patient(patient.patient).await.expect("read").expect("there").state;
    assert!(known.channels[&Channel::Sms].open(), "the number is as good as before");
    ward.days_pass(1).await;
    let next = states(&ward, patient).await;
    assert_eq!(next.len(), 2, "tomorrow's question goes by the same number: {next:?}");
}

#[actix_web::test]
async fn a_person_sends_it_again_as_another_message() {
    let (ward, patient, row) = in_doubt().await;
    let path = format!("/messages/{}", row.id);
    let csrf = ward.csrf(&path).await;
    let form = [("csrf", csrf.as_str()), ("decided", "again")];
    let (one, two) = tokio::join!(ward.pages.post(&path, &form), ward.pages.post(&path, &form));
    let mut both = [one.status, two.status];
    both.sort();
    assert_eq!(both, [StatusCode::SEE_OTHER, StatusCode::CONFLICT], "pressed twice, sent once");
    states_are(&states(&ward, patient).await, &[("refused", "0"), ("scheduled", "1")]);
    let before = ward.pages.sent.borrow().len();
    ward.pages.pass_hours(2).await;
    let sent = ward.pages.sent.borrow()[before..].to_vec();
    let questions = sent.iter().filter(|sent| sent.text.contains("/c/")).count();
    assert_eq!(questions, 1, "{sent:?}");
    states_are(&states(&ward, patient).await, &[("refused", "0"), ("handed_over", "1")]);
}

#[actix_web::test]
async fn an_answer_ends_the_doubt() {
    let (ward, patient, row) = in_doubt().await;
    let link = format!("/c/{}", ward.pages.app.store.vault().link_token(row.id.0));
    let phone = ward.pages.stranger();
    phone.give_birth_date(&link, jiff::civil::date(1948, 5, 17)).await;
    let calm = super::patient::CALM.into_iter().chain([("has_monitor", "no")]);
    for (item, value) in calm {
        let unit = if item == "weight" { "kg" } else { "" };
        let answer = phone.answer(&format!("{link}/q/0/{item}"), &[("answer", value), ("unit", unit)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{item}: {}", answer.text());
    }
    let check = format!("{link}/check");
    let csrf = phone.get(&check).await.hidden("csrf");
    phone.post(&check, &[("csrf", &csrf)]).await;
    states_are(&states(&ward, patient).await, &[("delivered", "0")]);
    assert!(!ward.pages.get("/messages").await.text().contains("In doubt"));
}

#[actix_web::test]
async fn after_its_window_nothing_is_left_to_decide() {
    let (ward, _, row) = in_doubt().await;
    let path = format!("/messages/{}", row.id);
    let csrf = ward.csrf(&path).await;
    let until = row.plan.not_after;
    assert!(until > ward.pages.clock.now());
    ward.pages.clock.set(until);
    let log = ward.pages.get("/messages").await;
    assert!(!log.text().contains("In doubt") && log.text().contains("Ann Example"), "{}", log.text());
    let late = ward.pages.post(&path, &[("csrf", &csrf), ("decided", "again")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
}
