//! What lies on the disk: no name, number or free text, and nothing at all once a key is gone.

use tend::app::Actor;
use tend::app::record::just_now;
use tend::ports::Clock;
use tend::store::FreeText;
use tend_engine::fact::{Fact, StopReason};
use tend_engine::model::Channel;

use super::world::{World, on_both};

on_both!(identity_is_found_by_whoever_may_look, erasing_the_key_erases_the_person);

const SECRETS: [&str; 5] = ["Zebedee", "Quixote", "447700900123", "hurts below the knee", "no Zebedee"];

async fn person(world: &World) -> tend_engine::PatientId {
    let who = world.enroll("Zebedee Quixote", "+447700900123").await;
    let fact = just_now(
        Actor::System,
        world.clock.now(),
        Some(who.enrollment),
        Fact::Paused { until: None, reason: "asked".into() },
    );
    let text = FreeText::from([("reason".to_owned(), "it hurts below the knee".to_owned())]);
    world.app.record(Actor::System, "pause", who.patient, vec![fact], &text).await.expect("a record");
    who.patient
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_stands_in_the_file() {
    let world = World::on_sqlite().await;
    person(&world).await;
    world.text_from("+447700900123", "in-1", "it hurts below the knee").await;
    world.pass(48).await;
    world.send_all(Channel::Sms).await;
    for entry in std::fs::read_dir(world.folder()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        for secret in SECRETS {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret:?} stands in {}", path.display());
        }
    }
}

async fn identity_is_found_by_whoever_may_look(world: World) {
    let patient = person(&world).await;
    let store = &world.app.store;
    assert_eq!(store.patients_named("quixote zebedee").await.expect("a look"), [patient]);
    assert!(store.patients_named("quixote anna").await.expect("a look").is_empty());
    assert_eq!(
        store.patient_identified("hospital", "no Zebedee Quixote").await.expect("a look"),
        Some(patient)
    );
    assert_eq!(store.patients_at(Channel::Sms, "+447700900123").await.expect("a look"), [patient]);
    let who = store.demographics(patient).await.expect("a look").expect("somebody");
    assert_eq!((who.name.as_str(), who.birth_date), ("Zebedee Quixote", jiff::civil::date(1950, 5, 17)));
}

async fn erasing_the_key_erases_the_person(world: World) {
    let patient = person(&world).await;
    let mut tx = world.app.store.begin();
    tx.erase(patient).await.expect("an erasure");
    tx.commit().await.expect("a commit");
    let store = &world.app.store;
    assert_eq!(store.demographics(patient).await.expect("a look"), None);
    assert!(store.patients_named("quixote").await.expect("a look").is_empty());
    let lines = store.history(patient, 0, 100).await.expect("the history stays readable");
    assert!(!lines.is_empty() && lines.iter().all(|line| line.words.is_empty()));
    let fact = just_now(
        Actor::System,
        world.clock.now(),
        lines.iter().find_map(|line| line.entry.enrollment),
        Fact::Stopped { reason: StopReason::Withdrawn },
    );
    world
        .app
        .record(Actor::System, "stop", patient, vec![fact], &FreeText::new())
        .await
        .expect("decisions go on");
}
