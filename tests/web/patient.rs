//! A patient's link, from the message to what the ward sees of the answers.

use actix_web::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use tend::app::enroll::Enrolled;
use tend_engine::Value;
use tend_engine::fact::{Answer, Author, Fact, Mode};
use tend_engine::model::{LevelId, Role};

use crate::support::app::{Somebody, TestApp, on_both_databases};

on_both_databases!(
    a_check_is_answered_question_by_question_and_arrives_once,
    five_wrong_dates_lock_the_link_and_a_clerk_owns_it,
    a_form_is_taken_up_where_it_was_left,
    a_reminders_link_finds_the_same_draft,
    a_session_ends_and_the_draft_stays,
    a_cookie_opens_one_link_only,
    an_implausible_number_is_asked_again_and_confirmed_is_doubtful,
    a_red_flag_counts_at_once_although_nothing_is_ever_sent,
    a_red_flag_of_a_patient_set_aside_is_kept_and_somebody_is_called,
    one_bad_answer_is_one_alert_with_every_reason,
    a_mail_does_not_say_how_to_stop_text_messages,
    outside_covered_hours_the_advice_says_that_nobody_watches,
    a_carer_answers_as_a_carer,
    a_late_answer_is_taken_and_an_expired_link_is_dead,
    mistakes_are_told_beside_the_field_and_nothing_is_lost,
    branches_open_and_close_with_the_answers,
    everything_is_said_in_chinese,
    what_the_ward_ends_or_takes_back_is_gone,
    a_link_that_never_was_says_nothing,
);

pub(super) const BIRTH: Date = date(1958, 3, 27);
pub(super) const DISCHARGE: Date = date(2026, 3, 2);

/// A patient at home, one day after discharge, who has just got the link of the daily check.
async fn at_home(app: &TestApp, who: &Somebody) -> (Enrolled, String) {
    let enrolled = app.enrol(who).await;
    app.tick_to(at("2026-03-03T09:05:00Z")).await;
    (enrolled, app.newest_link())
}

pub(super) async fn first_check() -> (TestApp, Enrolled, String) {
    let app = TestApp::start().await;
    let (enrolled, link) = at_home(&app, &Somebody::with_heart_failure(DISCHARGE)).await;
    (app, enrolled, link)
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

pub(super) const CALM: [(&str, &str); 8] = [
    ("weight", "78.2"),
    ("breathing", "same"),
    ("sleeping", "no"),
    ("swelling", "none"),
    ("dizzy", "no"),
    ("chest", "no"),
    ("tablets", "yes"),
    ("cough", "no"),
];

/// Answers every question calmly and gives the path of the answers once more.
pub(super) async fn answer_calmly(app: &TestApp, link: &str) -> String {
    let first = app.give_birth_date(link, BIRTH).await;
    assert_eq!(first, format!("{link}/q/0/weight"));
    for (item, value) in CALM {
        let path = format!("{link}/q/0/{item}");
        let unit = if item == "weight" { "kg" } else { "" };
        let answer = app.answer(&path, &[("answer", value), ("unit", unit)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{item}: {}", answer.text());
    }
    let answer = app.answer(&format!("{link}/q/0/has_monitor"), &[("answer", "no")]).await;
    answer.location().to_owned()
}

async fn answered(app: &TestApp, of: Enrolled) -> Vec<Fact> {
    let history = app.history(of).await;
    history.into_iter().map(|entry| entry.fact).filter(|fact| matches!(fact, Fact::Answered { .. })).collect()
}

async fn a_check_is_answered_question_by_question_and_arrives_once() {
    a_whole_check(TestApp::start().await).await;
}

#[actix_web::test]
async fn the_same_on_postgres() {
    a_whole_check(TestApp::start_on_postgres().await).await;
}

async fn a_whole_check(app: TestApp) {
    let (enrolled, link) = at_home(&app, &Somebody::with_heart_failure(DISCHARGE)).await;
    let check = answer_calmly(&app, &link).await;
    assert_eq!(check, format!("{link}/check"));
    let page = app.get(&check).await;
    assert!(page.text().contains("78.2 kg") && page.text().contains("About the same"), "{}", page.text());
    assert!(answered(&app, enrolled).await.is_empty(), "nothing counts before it is sent");

    let csrf = page.hidden("csrf");
    let form = [("csrf", csrf.as_str())];
    let (one, two) = tokio::join!(app.post(&check, &form), app.post(&check, &form));
    assert_eq!((one.location(), two.location()), (&*format!("{link}/done"), &*format!("{link}/done")));
    let facts = answered(&app, enrolled).await;
    let [Fact::Answered { mode, language, answers, .. }] = facts.as_slice() else { panic!("{facts:?}") };
    assert_eq!((*mode, language.as_str(), answers.len()), (Mode::Own, "en", 9));

    let done = app.get(&format!("{link}/done")).await;
    assert!(done.text().contains("Your answers have arrived"), "{}", done.text());
    assert!(done.text().contains("Wednesday 4 March 2026"), "the next questions: {}", done.text());
    let again = app.stranger().get(&link).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(again.text().contains("already arrived") && !again.text().contains("78.2"), "{}", again.text());
}

#[actix_web::test]
async fn opening_a_link_changes_nothing() {
    let (app, enrolled, link) = first_check().await;
    let before = app.on_disk();
    for _ in 0..2 {
        let page = app.stranger().get(&link).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains("Is this for you?"));
        assert!(
            !page.text().to_lowercase().contains("heart") && !page.text().contains("Anna"),
            "{}",
            page.text()
        );
    }
    assert_eq!(app.stranger().get(&format!("{link}/q/0/weight")).await.location(), link);
    assert_eq!(app.stranger().get(&format!("{link}/check")).await.location(), link);
    assert!(app.on_disk() == before, "not a byte was written");
    assert!(answered(&app, enrolled).await.is_empty());
}

async fn five_wrong_dates_lock_the_link_and_a_clerk_owns_it() {
    let (app, enrolled, link) = first_check().await;
    let wrong = [("day", "1"), ("month", "1"), ("year", "1960")];
    for left in [4, 3, 2, 1] {
        let answer = app.post(&link, &wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text().contains(&format!("Tries left: {left}")), "{}", answer.text());
    }
    assert!(app.post(&link, &wrong).await.text().contains("This link is locked"));
    let right = app.post(&link, &[("day", "27"), ("month", "3"), ("year", "1958")]).await;
    assert_eq!(right.status, StatusCode::FORBIDDEN, "the right date comes too late");
    assert!(app.get(&link).await.text().contains("+44 20 7946 0000"));
    let state = app.app.store.patient(enrolled.patient).await.expect("a row").expect("a patient").state;
    let task = state.tasks.iter().find(|(key, _)| key.0.ends_with("/locked")).expect("a task");
    assert_eq!((task.1.role, task.1.level), (Role::Clerk, LevelId::Blue));
}

async fn a_form_is_taken_up_where_it_was_left() {
    let (app, _, link) = first_check().await;
    app.give_birth_date(&link, BIRTH).await;
    app.answer(&format!("{link}/q/0/weight"), &[("answer", "78,2"), ("unit", "kg")]).await;
    app.answer(&format!("{link}/q/0/breathing"), &[("answer", "same")]).await;

    app.pass_hours(23).await;
    let later = app.stranger();
    assert!(later.get(&link).await.text().contains("Is this for you?"), "the date is asked again");
    assert_eq!(later.give_birth_date(&link, BIRTH).await, format!("{link}/q/0/sleeping"));
    assert!(later.get(&format!("{link}/q/0/weight")).await.text().contains("value=\"78,2\""));
}

async fn a_reminders_link_finds_the_same_draft() {
    let (app, _, link) = first_check().await;
    app.give_birth_date(&link, BIRTH).await;
    app.answer(&format!("{link}/q/0/weight"), &[("answer", "78.2"), ("unit", "kg")]).await;
    app.pass_hours(5).await;
    let reminder = app.newest_link();
    assert_ne!(reminder, link);
    assert_eq!(app.stranger().give_birth_date(&reminder, BIRTH).await, format!("{reminder}/q/0/breathing"));
}

async fn a_session_ends_and_the_draft_stays() {
    let (app, _, link) = first_check().await;
    app.give_birth_date(&link, BIRTH).await;
    app.answer(&format!("{link}/q/0/weight"), &[("answer", "78.2"), ("unit", "kg")]).await;
    app.wall.forward(jiff::SignedDuration::from_mins(61));
    assert_eq!(app.get(&format!("{link}/q/0/breathing")).await.location(), link);
    assert_eq!(app.give_birth_date(&link, BIRTH).await, format!("{link}/q/0/breathing"));
}

async fn a_cookie_opens_one_link_only() {
    let (app, _, link) = first_check().await;
    app.give_birth_date(&link, BIRTH).await;
    app.pass_hours(5).await;
    let other = app.newest_link();
    assert_eq!(app.get(&format!("{other}/q/0/weight")).await.location(), other);
}

async fn an_implausible_number_is_asked_again_and_confirmed_is_doubtful() {
    let (app, enrolled, link) = first_check().await;
    let check = answer_calmly(&app, &link).await;
    let csrf = app.get(&check).await.hidden("csrf");
    app.post(&check, &[("csrf", &csrf)]).await;

    app.tick_to(at("2026-03-04T09:05:00Z")).await;
    let link = app.newest_link();
    app.give_birth_date(&link, BIRTH).await;
    let weight = format!("{link}/q/0/weight");
    let asked = app.answer(&weight, &[("answer", "178.2"), ("unit", "lb")]).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "178.2 lb is close to 78.2 kg: {}", asked.text());
    let asked = app.answer(&weight, &[("answer", "87.2"), ("unit", "kg")]).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(
        asked.text().contains("You wrote 87.2 kg.") && asked.text().contains("Last time it was 78.2 kg.")
    );

    let csrf = asked.hidden("csrf");
    let form = |sure| [("csrf", csrf.as_str()), ("answer", "87.2"), ("unit", "kg"), ("sure", sure)];
    assert_eq!(app.post(&weight, &form("no")).await.location(), weight);
    assert_eq!(app.post(&weight, &form("yes")).await.location(), format!("{link}/q/0/breathing"));
    for (item, value) in CALM.iter().skip(1) {
        app.answer(&format!("{link}/q/0/{item}"), &[("answer", value)]).await;
    }
    let last = app.answer(&format!("{link}/q/0/has_monitor"), &[("answer", "")]).await;
    let check = last.location().to_owned();
    assert!(app.get(&check).await.text().contains("87.2 kg (confirmed by you)"));
    let csrf = app.get(&check).await.hidden("csrf");
    app.post(&check, &[("csrf", &csrf)]).await;
    let facts = answered(&app, enrolled).await;
    let Some(Fact::Answered { answers, .. }) = facts.last() else { panic!("{facts:?}") };
    let weight = answers.iter().find(|(item, _)| **item == *"weight").map(|(_, answer)| answer);
    assert!(matches!(weight, Some(Answer::Given { value: Value::Number(_), doubtful: true })), "{weight:?}");
}

async fn a_red_flag_counts_at_once_although_nothing_is_ever_sent() {
    let (app, enrolled, link) = first_check().await;
    app.give_birth_date(&link, BIRTH).await;
    app.answer(&format!("{link}/q/0/weight"), &[("answer", "78.2"), ("unit", "kg")]).await;
    let answer = app.answer(&format!("{link}/q/0/breathing"), &[("answer", "at_rest")]).await;
    assert_eq!(answer.location(), format!("{link}/advice/0/hf-breathless-at-rest"));
    let advice = app.get(answer.location()).await;
    assert!(advice.text().contains("Call 112 now") && advice.text().contains("href=\"tel:112\""));
    assert!(advice.text().contains(&format!("{link}/q/0/sleeping")), "and on from there");

    let flags = || async {
        let history = app.history(enrolled).await;
        let flagged = |fact: &Fact| matches!(fact, Fact::Flagged { .. });
        history.iter().filter(|entry| flagged(&entry.fact)).count()
    };
    assert_eq!(flags().await, 1);
    let state = app.app.store.patient(enrolled.patient).await.expect("a row").expect("a patient").state;
    assert!(state.tasks.values().any(|task| task.level == LevelId::RedNow), "{:?}", state.tasks);

    // Taken back and chosen again: the advice is shown, the alert stays one.
    app.answer(&format!("{link}/q/0/breathing"), &[("answer", "same")]).await;
    let again = app.answer(&format!("{link}/q/0/breathing"), &[("answer", "at_rest")]).await;
    assert!(again.location().contains("/advice/"));
    assert_eq!(flags().await, 1);
    assert!(answered(&app, enrolled).await.is_empty());
}

async fn outside_covered_hours_the_advice_says_that_nobody_watches() {
    let (app, _, link) = first_check().await;
    app.tick_to(at("2026-03-03T22:00:00Z")).await;
    app.give_birth_date(&link, BIRTH).await;
    app.answer(&format!("{link}/q/0/weight"), &[("answer", "78.2"), ("unit", "kg")]).await;
    let answer = app.answer(&format!("{link}/q/0/breathing"), &[("answer", "at_rest")]).await;
    assert!(app.get(answer.location()).await.text().contains("nobody on the ward is watching"));
}

async fn a_carer_answers_as_a_carer() {
    let (app, enrolled, link) = first_check().await;
    let birth = [("day", "27"), ("month", "3"), ("year", "1958"), ("proxy", "1")];
    app.post(&link, &birth).await;
    for (item, value) in CALM {
        app.answer(&format!("{link}/q/0/{item}"), &[("answer", value), ("unit", "kg")]).await;
    }
    app.answer(&format!("{link}/q/0/has_monitor"), &[("answer", "no")]).await;
    let page = app.get(&format!("{link}/check")).await;
    assert!(page.text().contains("You are answering for the patient."));
    app.post(&format!("{link}/check"), &[("csrf", &page.hidden("csrf"))]).await;
    let history = app.history(enrolled).await;
    let entry = history.iter().find(|entry| matches!(entry.fact, Fact::Answered { .. })).expect("an answer");
    assert!(matches!(entry.fact, Fact::Answered { mode: Mode::Proxy, .. }));
    assert_eq!(entry.author, Author::Carer);
}

async fn a_late_answer_is_taken_and_an_expired_link_is_dead() {
    let (app, enrolled, link) = first_check().await;
    app.tick_to(at("2026-03-05T12:00:00Z")).await;
    let check = answer_calmly(&app, &link).await;
    let page = app.get(&check).await;
    assert!(page.text().contains("marked as late"), "{}", page.text());
    app.post(&check, &[("csrf", &page.hidden("csrf"))]).await;
    assert_eq!(answered(&app, enrolled).await.len(), 1);

    let old = TestApp::start().await;
    let (_, link) = at_home(&old, &Somebody::with_heart_failure(DISCHARGE)).await;
    old.tick_to(at("2026-03-25T12:00:00Z")).await;
    let page = old.get(&link).await;
    assert_eq!(page.status, StatusCode::GONE);
    assert!(page.text().contains("This link is too old") && page.text().contains("+44 20 7946 0000"));
    let birth = [("day", "27"), ("month", "3"), ("year", "1958")];
    assert_eq!(old.post(&link, &birth).await.status, StatusCode::GONE);
}

async fn mistakes_are_told_beside_the_field_and_nothing_is_lost() {
    let (app, _, link) = first_check().await;
    app.give_birth_date(&link, BIRTH).await;
    let weight = format!("{link}/q/0/weight");
    let wrong = app.answer(&weight, &[("answer", "heavy"), ("unit", "kg")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().contains("Enter a number") && wrong.text().contains("value=\"heavy\""));
    assert!(wrong.text().contains("href=\"#answer\"") && wrong.text().contains("aria-invalid=\"true\""));
    let wrong = app.answer(&weight, &[("answer", "7820"), ("unit", "kg")]).await;
    assert!(wrong.text().contains("The number must be from 25 to 350 kg"));
    app.answer(&weight, &[("answer", ""), ("unit", "kg")]).await;
    let none = app.answer(&format!("{link}/q/0/breathing"), &[]).await;
    assert!(none.text().contains("Choose an answer"));
    let foreign = app.post(&weight, &[("csrf", "0"), ("answer", "78"), ("unit", "kg")]).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
}

async fn branches_open_and_close_with_the_answers() {
    let (app, enrolled, link) = first_check().await;
    answer_calmly(&app, &link).await;
    let path = format!("{link}/q/0/has_monitor?from=check");
    let yes = app.answer(&path, &[("answer", "yes")]).await;
    assert_eq!(yes.location(), format!("{link}/q/0/systolic"));
    app.answer(&format!("{link}/q/0/systolic"), &[("answer", "120"), ("unit", "mmHg")]).await;
    app.answer(&path, &[("answer", "no")]).await;
    let page = app.get(&format!("{link}/check")).await;
    assert!(!page.text().contains("120 mmHg"), "what is hidden is not sent");
    app.post(&format!("{link}/check"), &[("csrf", &page.hidden("csrf"))]).await;
    let facts = answered(&app, enrolled).await;
    let [Fact::Answered { answers, .. }] = facts.as_slice() else { panic!("{facts:?}") };
    assert!(!answers.keys().any(|item| *item == *"systolic"));
}

async fn everything_is_said_in_chinese() {
    let app = TestApp::start().await;
    let (_, link) = at_home(&app, &Somebody::with_heart_failure(DISCHARGE).in_chinese()).await;
    let guard = app.get(&link).await;
    assert!(guard.text().contains("lang=\"zh-Hans\"") && guard.text().contains("这是发给您的吗"));
    let first = app.give_birth_date(&link, BIRTH).await;
    let page = app.get(&first).await;
    assert!(page.text().contains("今天早晨的体重") && page.text().contains("千克"));
    for letters in ["Continue", "Question", "Back", "Call"] {
        assert!(!page.text().contains(letters), "{letters} in {}", page.text());
    }
    let english = app.get(&format!("{first}?lang=en")).await;
    assert!(
        english.text().contains("What is your weight this morning?")
            && english.text().contains("lang=\"en\"")
    );
    assert!(app.get(&first).await.text().contains("What is your weight"), "the choice is kept");
}

async fn what_the_ward_ends_or_takes_back_is_gone() {
    let (app, enrolled, link) = first_check().await;
    let stop = tend_engine::fact::NewFact {
        enrollment: Some(enrolled.enrollment),
        occurred_at: at("2026-03-03T09:10:00Z"),
        author: Author::System,
        fact: Fact::Stopped { reason: tend_engine::fact::StopReason::Withdrawn },
    };
    let nothing = std::collections::BTreeMap::new();
    let recorded = app.app.record(tend::app::Actor::System, "stop", enrolled.patient, vec![stop], &nothing);
    recorded.await.expect("recorded");
    let page = app.get(&link).await;
    assert_eq!(page.status, StatusCode::GONE);
    assert!(page.text().contains("no longer needed"));
}

async fn a_link_that_never_was_says_nothing() {
    let app = TestApp::start().await;
    for link in ["/c/AAAAAAAAAAAAAAAAAAAAAA", "/c/short", "/c/..%2F..%2Fetc"] {
        let page = app.get(link).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{link}");
        assert!(page.text().contains("+44 20 7946 0000"), "{link}");
    }
}

async fn a_red_flag_of_a_patient_set_aside_is_kept_and_somebody_is_called() {
    let (app, enrolled, link) = first_check().await;
    app.give_birth_date(&link, BIRTH).await;
    let mut tx = app.app.store.begin();
    tx.quarantine(&*app.app.ids, enrolled.patient, "a test", app.app.clock.now()).await.expect("set aside");
    tx.commit().await.expect("a commit");
    app.answer(&format!("{link}/q/0/weight"), &[("answer", "78.2"), ("unit", "kg")]).await;
    let answer = app.answer(&format!("{link}/q/0/breathing"), &[("answer", "at_rest")]).await;
    let advice = app.get(answer.location()).await;
    assert!(advice.text().contains("Call 112 now"), "{}", advice.text());
    let history = app.history(enrolled).await;
    let flags = history.iter().filter(|entry| matches!(entry.fact, Fact::Flagged { .. })).count();
    assert_eq!(flags, 1, "kept");
    let tasks = app.app.store.tasks_of(enrolled.patient).await.expect("tasks");
    let urgent: Vec<_> = tasks.iter().filter(|task| task.open && task.level == LevelId::RedNow).collect();
    assert_eq!(urgent.len(), 1, "{tasks:?}");
    assert_eq!(urgent[0].role, Role::NurseLead);
    let reasons = format!("{:?}", urgent[0].because);
    assert!(reasons.find("red-flag answer").expect("why") < reasons.find("a test").expect("and before that"));
    // Taken back, the engine judges what it missed.
    let mut tx = app.app.store.begin();
    tx.release(enrolled.patient, tend_engine::StaffId(1), app.app.clock.now()).await.expect("released");
    tx.commit().await.expect("a commit");
    app.app.advance(&[enrolled.patient]).await.expect("advanced");
    let tasks = app.app.store.tasks_of(enrolled.patient).await.expect("tasks");
    let alerts = tasks.iter().filter(|task| task.open && task.level == LevelId::RedNow).count();
    assert_eq!(alerts, 1, "{tasks:?}");
    assert_eq!(app.app.doctor(true).await.expect("a check").differences, Vec::<String>::new());
}

async fn one_bad_answer_is_one_alert_with_every_reason() {
    let (app, enrolled, link) = first_check().await;
    app.give_birth_date(&link, BIRTH).await;
    app.answer(&format!("{link}/q/0/weight"), &[("answer", "81.9"), ("unit", "kg")]).await;
    let worst = [
        ("breathing", "at_rest"),
        ("sleeping", "sat_up"),
        ("swelling", "more"),
        ("dizzy", "fainted"),
        ("chest", "pain"),
        ("tablets", "none_taken"),
        ("cough", "pink"),
    ];
    for (item, value) in worst {
        app.answer(&format!("{link}/q/0/{item}"), &[("answer", value)]).await;
    }
    let last = app.answer(&format!("{link}/q/0/has_monitor"), &[("answer", "")]).await;
    let check = last.location().to_owned();
    let csrf = app.get(&check).await.hidden("csrf");
    app.post(&check, &[("csrf", &csrf)]).await;
    let tasks = app.app.store.tasks_of(enrolled.patient).await.expect("tasks");
    let alerts: Vec<_> =
        tasks.iter().filter(|task| task.open && task.kind == tend_engine::model::TaskKind::Alert).collect();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0].level, LevelId::RedNow, "the highest level");
    assert!(alerts[0].because.len() >= 4, "with every reason: {:?}", alerts[0].because);
    assert_eq!(app.app.doctor(true).await.expect("a check").differences, Vec::<String>::new());
}

async fn a_mail_does_not_say_how_to_stop_text_messages() {
    for who in [Somebody::with_heart_failure(DISCHARGE), Somebody::with_heart_failure(DISCHARGE).in_chinese()]
    {
        let app = TestApp::start().await;
        app.enrol(&who).await;
        // Unanswered, the last reminder of each day goes by the other channel.
        app.tick_to(at("2026-03-06T20:05:00Z")).await;
        let sent = app.sent.borrow();
        let mail = |message: &&tend::ports::Outgoing| message.channel == tend_engine::model::Channel::Email;
        assert!(sent.iter().any(|message| mail(&message)), "some went by mail");
        for message in sent.iter() {
            let hint = message.text.contains("STOP") || message.text.contains("退订");
            assert_eq!(hint, !mail(&message), "{}", message.text);
        }
    }
}
