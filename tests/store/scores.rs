//! Scores follow what becomes known: an answer, a silence, what became of a visit.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tend::app::task::PhoneAnswer;
use tend::app::{Actor, record::just_now};
use tend::jobs::{self, Roles};
use tend::ports::Clock;
use tend_engine::fact::{Answer, Fact, Mode, Occurrence, OutcomeCode};
use tend_engine::model::Channel;
use tend_engine::{Decimal, EnrollmentId, PatientId, StaffId, Value};

use super::long_job::{run, turn_on, upload};
use super::world::{World, on_both, word};

on_both!(
    an_answer_a_silence_and_an_outcome_ask_for_a_score,
    a_step_that_opens_and_a_message_that_goes_ask_for_none,
    an_answer_is_looked_at_within_a_second,
);

const WANTED: &str = "select count(*) from enrollment where score_wanted_at is not null";

/// Somebody on the heart-failure follow-up with all that the shipped model needs, scored; a day later, asked.
async fn asked(world: &World) -> (PatientId, EnrollmentId) {
    turn_on(world).await;
    let job = upload(world, 1).await;
    run(world, job).await;
    while world.app.score_wanted().await.expect("scored") > 0 {}
    let patient =
        world.app.store.running_patients(Some(super::world::SITE), None, 1).await.expect("a look")[0];
    world.pass(24).await;
    world.send_all(Channel::Sms).await;
    let (_, state) = world.app.store.states(&[patient]).await.expect("a look").remove(0);
    (patient, *state.enrollments.keys().next().expect("an enrollment"))
}

/// The daily weight, typed by a nurse.
async fn weigh(world: &World, (patient, enrollment): (PatientId, EnrollmentId)) {
    let (_, state) = world.app.store.states(&[patient]).await.expect("a look").remove(0);
    let step = word("daily-check");
    let open = state.enrollments[&enrollment].steps[&step].open.last().expect("a question").clone();
    let weight = Answer::Given { value: Value::Number(Decimal::whole(80)), doubtful: false };
    let about = Occurrence { enrollment, step, generation: open.generation, ordinal: open.ordinal };
    let answer = PhoneAnswer {
        patient,
        about,
        questionnaire: word("heart-failure-check"),
        questionnaire_version: "1".to_owned(),
        language: "en".to_owned(),
        mode: Mode::NursePhone,
        answers: BTreeMap::from([(word("weight"), weight)]),
        words: BTreeMap::new(),
        by: StaffId(77),
    };
    world.app.answer_by_phone(answer).await.expect("recorded");
}

async fn a_step_that_opens_and_a_message_that_goes_ask_for_none(world: World) {
    asked(&world).await;
    assert!(world.number("select count(*) from event where kind = 'opened'").await > 1);
    assert!(world.number("select count(*) from event where kind = 'handed_over'").await > 0);
    assert_eq!(
        world.number("select count(*) from event where kind = 'closed' and body like '%silent%'").await,
        0
    );
    assert_eq!(world.number(WANTED).await, 0);
    world.is_sound().await;
}

async fn an_answer_a_silence_and_an_outcome_ask_for_a_score(world: World) {
    let who = asked(&world).await;
    weigh(&world, who).await;
    assert_eq!(world.number(WANTED).await, 1, "an answer");
    assert_eq!(world.app.score_wanted().await.expect("scored"), 1);
    assert_eq!(world.number(WANTED).await, 0);
    assert_eq!(world.number("select count(*) from score").await, 1, "what is asked is the same");

    // Nobody answers the next days' questions.
    let silences = "select count(*) from event where kind = 'closed' and body like '%silent%'";
    for _ in 0..10 {
        world.pass(12).await;
        world.send_all(Channel::Sms).await;
        if world.number(silences).await > 0 {
            break;
        }
    }
    assert!(world.number(silences).await > 0);
    assert_eq!(world.number(WANTED).await, 1, "a silence");
    while world.app.score_wanted().await.expect("scored") > 0 {}

    let (_, state) = world.app.store.states(&[who.0]).await.expect("a look").remove(0);
    let task = state.tasks.keys().next().expect("an open task").clone();
    let fact = Fact::Outcome { task, code: OutcomeCode::NoAction };
    let fact = just_now(Actor::System, world.clock.now(), Some(who.1), fact);
    let words = tend::store::FreeText::new();
    world.app.record(Actor::System, "outcome", who.0, vec![fact], &words).await.expect("recorded");
    assert_eq!(world.number(WANTED).await, 1, "what became of a task");
    assert_eq!(world.app.score_wanted().await.expect("scored"), 1);
    world.is_sound().await;
}

async fn an_answer_is_looked_at_within_a_second(world: World) {
    let who = asked(&world).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let workers = tokio::spawn(jobs::run(world.app.clone(), Vec::new(), Roles::default(), async {
        let _ = stopped.await;
    }));
    // They are up, and the night that was due is over.
    tokio::time::sleep(Duration::from_secs(3)).await;
    // As if the model had been another one, so that a look leaves a trace.
    world.sql("update score set model_version = 'older'").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = world.number("select count(*) from score").await;
    assert_eq!(before, 1, "nothing has asked yet");
    weigh(&world, who).await;
    let begin = Instant::now();
    while world.number("select count(*) from score").await == before
        && begin.elapsed() < Duration::from_secs(60)
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = begin.elapsed();
    drop(stop);
    tokio::time::timeout(Duration::from_secs(60), workers).await.expect("they stop").expect("no panic");
    assert!(took < Duration::from_secs(1), "the answer was looked at after {took:?}");
}
