//! `tend demo` with a changed workflow: looked at on the page and on the command line while nothing is sent, then moved, and
//! what comes differs by exactly what was announced: by what is got, and by what is got no longer.
//!
//! With `TEND_PICTURES=FOLDER` the pages are photographed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tend::store::{Open, Store, Vault};
use tend_engine::fact::{Entry, Fact};
use tend_engine::{EnrollmentId, PatientId, preview};

use super::demo;
use crate::support::browser::{assert_accessible, play};
use crate::web::staff_versions::drafts_with;

/// From ten in the evening over two mornings.
const HOURS: u32 = 49;
/// Followed up in English for heart failure, answers every day.
const PATIENT: &str = "Ada Ashby";

/// The shipped workflow with the daily check two hours later and without the check of medicines.
fn changed(text: &str) -> String {
    let without = |text: &str, name: &str| {
        let (before, rest) = text.split_once(&format!("\n  {name}:\n")).expect("there");
        let (_, after) = rest.split_once("\n\n").expect("followed by others");
        format!("{before}\n{after}")
    };
    let text = without(&without(text, "medicines"), "silent-medicines");
    let (before, check) = text.split_once("  daily-check:").expect("the check");
    let check = check.replacen("time: \"09:00\"", "time: \"11:00\"", 1);
    format!("{before}  daily-check:{check}\nchanges:\n  retimed: [daily-check]\n  removed: [medicines]\n")
}

/// What the command line announces, by follow-up.
fn announced(folder: &Path) -> BTreeMap<String, Value> {
    let data = folder.join("data");
    let command = Command::new(env!("CARGO_BIN_EXE_tend"))
        .args(["publish", "hf-discharge-90d", "--preview", "--json", "--database-url"])
        .arg(format!("sqlite://{}", data.join("tend.db").display()))
        .arg("--site-key-file")
        .arg(data.join("site.key"))
        .arg("--workflows")
        .arg(folder.join("workflows"))
        .output()
        .expect("it runs");
    assert!(command.status.success(), "{}", String::from_utf8_lossy(&command.stderr));
    let document: Value = serde_json::from_slice(&command.stdout).expect("one document");
    let all = document["followups"].as_array().expect("a list");
    assert_eq!(document["looked_at"], all.len());
    all.iter().map(|one| (one["enrollment"].as_str().expect("an id").to_owned(), one.clone())).collect()
}

type Lines = BTreeSet<(String, Timestamp)>;

fn lines(of: &Value, from: Timestamp, until: Timestamp) -> Lines {
    let all = of.as_array().expect("a list").iter();
    let line = all.map(|line| {
        let due = line["due"].as_str().expect("when").parse().expect("an instant");
        (line["step"].as_str().expect("a step").to_owned(), due)
    });
    line.filter(|(_, due)| (from..until).contains(due)).collect()
}

/// What the engine has a follow-up before it, of what is not open yet.
async fn ahead(
    store: &Store,
    patient: PatientId,
    enrollment: EnrollmentId,
    (now, until): (Timestamp, Timestamp),
) -> Lines {
    let row = store.patient(patient).await.expect("read").expect("there");
    let (library, sites) = (store.library().await.expect("read"), store.sites().await.expect("read"));
    let coming = preview::preview(&library, &sites[&row.site], &row.state, enrollment, until).expect("drawn");
    let all = coming.into_iter().map(|line| (line.step.to_string(), line.due));
    all.filter(|(_, due)| (now..until).contains(due)).collect()
}

/// Something happened to the follow-up that nobody can announce.
fn is_something_else(entry: &Entry) -> bool {
    matches!(
        entry.fact,
        Fact::Stopped { .. }
            | Fact::Ended
            | Fact::Paused { .. }
            | Fact::Died { .. }
            | Fact::StepStarted { .. }
            | Fact::AnchorEvent { .. }
            | Fact::FactSet { .. }
    )
}

/// What was opened for a follow-up after an entry of its history; nothing where something else happened.
async fn came(
    store: &Store,
    patient: PatientId,
    enrollment: EnrollmentId,
    after: u64,
    (now, until): (Timestamp, Timestamp),
) -> Option<Lines> {
    let history = store.whole_history(patient).await.expect("read");
    let mine = history.iter().filter(|entry| entry.seq > after && entry.enrollment == Some(enrollment));
    if mine.clone().any(is_something_else) {
        return None;
    }
    let opened = mine.filter_map(|entry| match &entry.fact {
        Fact::Opened { about, due, .. } => Some((about.step.to_string(), *due)),
        _ => None,
    });
    Some(opened.filter(|(_, due)| (now..until).contains(due)).collect())
}

#[test]
fn what_the_preview_announces_is_what_comes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_kept, base, password) = demo(folder.path());
    drafts_with(&folder.path().join("workflows"), &changed);
    let pictures = std::env::var("TEND_PICTURES").ok();
    let played = |part: &str| {
        let options = json!({
            "base": base, "password": password, "pictures": pictures, "part": part, "patient": PATIENT, "hours": HOURS,
        });
        play("versions", &options)
    };
    let night = played("night");
    let runtime = actix_web::rt::System::new();
    let data = folder.path().join("data");
    let store = runtime.block_on(async {
        let vault = Vault::from_file(&data.join("site.key"), false).expect("a key");
        let url = format!("sqlite://{}", data.join("tend.db").display());
        Store::open(&url, vault, Open::Beside).await.expect("opened beside")
    });
    let sent = || runtime.block_on(store.sent(1_000_000)).expect("read").len();
    let before = sent();
    assert!(before > 0, "the weeks before were asked about");

    // The page and the command line look ahead, and nothing is sent.
    let looked = played("look");
    assert_accessible("a new version", &looked["found"]);
    assert_eq!(looked["wide"], json!([]), "these pages scroll sideways");
    let page = looked["page"].as_str().unwrap_or_default();
    for words in ["not published yet", PATIENT, "Gets (", "No longer gets (", "Publish and do this"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(looked["chinese"].as_str().unwrap_or_default().contains("不再有（"));
    let announced = announced(folder.path());
    assert!(announced.len() >= 30, "{} are followed up", announced.len());
    assert_eq!((sent(), &looked["letters"]), (before, &night["letters"]), "only looked");

    // How everybody stands before the move.
    let mut stood = Vec::new();
    let now = runtime.block_on(async {
        let mut now = Timestamp::MIN;
        for one in announced.values() {
            let patient = PatientId::parse(one["patient"].as_str().expect("an id")).expect("an id");
            let row = store.patient(patient).await.expect("read").expect("there");
            now = now.max(row.state.recorded_at.expect("a history"));
        }
        let until = now + SignedDuration::from_hours(i64::from(HOURS) - 1);
        for (enrollment, one) in &announced {
            let patient = PatientId::parse(one["patient"].as_str().expect("an id")).expect("an id");
            let enrollment = EnrollmentId::parse(enrollment).expect("an id");
            let last = store.whole_history(patient).await.expect("read").last().map_or(0, |entry| entry.seq);
            let plan = ahead(&store, patient, enrollment, (now, until)).await;
            stood.push((patient, enrollment, last, plan));
        }
        now
    });
    let until = now + SignedDuration::from_hours(i64::from(HOURS) - 1);

    // Moved: nothing is sent by that either.
    let moved = played("move");
    assert_accessible("after the move", &moved["found"]);
    assert_eq!((sent(), &moved["letters"]), (before, &night["letters"]), "moving sends nothing");

    let later = played("days");
    let (mut compared, mut got, mut lost) = (0, 0, 0);
    for (patient, enrollment, last, plan) in &stood {
        let one = &announced[&enrollment.to_string()];
        let came = runtime.block_on(came(&store, *patient, *enrollment, *last, (now, until)));
        let Some(came) = came else { continue };
        let (gets, loses) = (lines(&one["gets"], now, until), lines(&one["loses"], now, until));
        let expected: Lines = plan.difference(&loses).chain(&gets).cloned().collect();
        assert_eq!(came, expected, "enrollment {enrollment}, announced {one:#}");
        assert_eq!(came.difference(plan).cloned().collect::<Lines>(), gets, "what it gets");
        assert_eq!(plan.difference(&came).cloned().collect::<Lines>(), loses, "what it gets no longer");
        (compared, got, lost) = (compared + 1, got + gets.len(), lost + loses.len());
    }
    assert!(compared >= 20 && got >= compared && lost >= got, "{compared} compared, {got} got, {lost} lost");
    let without = |one: &Value| {
        let lost = one["loses"].as_array().expect("a list");
        lost.iter().any(|line| line["step"] == "medicines")
            && one["gets"].to_string().find("medicines").is_none()
    };
    assert!(announced.values().any(without), "the step that was removed is announced, too");

    // In the mailbox of one of them: asked at the announced times, and not at those that were given up.
    let who = runtime.block_on(async {
        let ids: Vec<PatientId> = stood.iter().map(|(patient, ..)| *patient).collect();
        let names = store.demographics_of(&ids).await.expect("read");
        names.into_iter().find(|(_, person)| person.name == PATIENT).expect("followed up").0
    });
    let (_, enrollment, ..) = stood.iter().find(|(patient, ..)| *patient == who).expect("there");
    let times = |of: &Value| -> Vec<Timestamp> {
        let all = lines(of, now, until);
        all.into_iter().filter(|(step, _)| step == "daily-check").map(|(_, due)| due).collect()
    };
    let (gets, loses) = (
        times(&announced[&enrollment.to_string()]["gets"]),
        times(&announced[&enrollment.to_string()]["loses"]),
    );
    assert!(!gets.is_empty() && !loses.is_empty());
    let letters: Vec<Timestamp> = runtime
        .block_on(store.sent(1_000_000))
        .expect("read")
        .into_iter()
        .filter(|row| row.patient == who && row.at >= now)
        .map(|row| row.at)
        .collect();
    let within_the_hour = |due: &Timestamp| {
        letters.iter().filter(|at| (*due..*due + SignedDuration::from_hours(1)).contains(at)).count()
    };
    assert!(gets.iter().all(|due| within_the_hour(due) == 1), "{gets:?}: {letters:?}");
    assert!(loses.iter().all(|due| within_the_hour(due) == 0), "{loses:?}: {letters:?}");
    let counted = |of: &Value| of["letters"].as_u64().unwrap_or_default();
    assert_eq!(counted(&later) - counted(&night), letters.len() as u64, "as the mailbox shows");
}
