use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    Name,
    fact::{HandoverResult, Reply},
    model::{Channel, Workflow},
    rehearsal::{Carriers, Rehearsal},
    sample::{PATIENT_A, answer, daily, date, latest, library, local, name, story, yearly},
    state::ENGINE_VERSION,
};

const ZONE: &str = "Europe/London";

fn settings(all: &[&SiteSettings]) -> BTreeMap<u64, SiteSettings> {
    all.iter().map(|site| (site.version, (*site).clone())).collect()
}

/// A fortnight with answers, silence, an outage, a bounce, a pause, a correction, a new start and a stop.
fn fortnight<'a>(library: &'a Library, site: &'a SiteSettings) -> Rehearsal<'a> {
    let mut story = story(library, site, &daily(), "2026-03-02T10:00", "2026-03-02");
    let mut happens = |at: &str, step: Option<Fact>| {
        story.run_until(local(ZONE, at)).expect("runs");
        let fact = match step {
            Some(fact) => fact,
            None => answer(latest(&story, PATIENT_A, "check").expect("asked"), "78.2", "bad"),
        };
        story.happens(Some(PATIENT_A), Author::Patient, fact).expect("recorded");
    };
    happens("2026-03-03T09:30", None);
    happens("2026-03-05T11:00", Some(Fact::Replied { channel: Channel::Sms, reply: Reply::Help }));
    happens(
        "2026-03-06T22:30",
        Some(Fact::Paused { until: Some(date("2026-03-08")), reason: "away".into() }),
    );
    happens("2026-03-09T10:10", None);
    let start = name("start");
    let corrected =
        Fact::AnchorCorrected { anchor: start.clone(), date: date("2026-03-01"), reason: "typo".into() };
    happens("2026-03-09T12:00", Some(corrected));
    happens("2026-03-10T12:00", Some(Fact::AnchorEvent { anchor: start, date: date("2026-03-10") }));
    story.carriers = Carriers { outage: true, ..Carriers::default() };
    story.run_until(local(ZONE, "2026-03-11T20:00")).expect("runs");
    story.carriers = Carriers::default();
    story.run_until(local(ZONE, "2026-03-13T10:00")).expect("runs");
    let sent = story.history.iter().rev().find_map(|entry| match &entry.fact {
        Fact::HandedOver { message, result: HandoverResult::Accepted, .. } => Some(message.clone()),
        _ => None,
    });
    let bounced = Fact::Receipt { message: sent.expect("something went"), delivered: false };
    story.happens(None, Author::Carrier, bounced).expect("recorded");
    story.run_until(local(ZONE, "2026-03-15T12:00")).expect("runs");
    let stop = Fact::Replied { channel: Channel::Sms, reply: Reply::Stop };
    story.happens(None, Author::Patient, stop).expect("recorded");
    story.run_until(local(ZONE, "2026-03-16T12:00")).expect("runs");
    story
}

#[test]
fn a_history_is_decided_again_as_it_was() {
    let (library, site) = (library(), SiteSettings::default());
    let story = fortnight(&library, &site);
    let replayed = replay(&library, &settings(&[&site]), &story.lines());
    assert!(replayed.differences.is_empty(), "{:#?}", replayed.differences);
    assert!(replayed.batches > 30 && replayed.entries == story.history.len(), "{}", replayed.in_words());
    assert!(replayed.in_words().ends_with("all as stored"), "{}", replayed.in_words());
}

/// The index of a decision that a step opens.
fn an_opening(lines: &[Line]) -> usize {
    let opens = |line: &Line| matches!(line.entry.fact, Fact::Opened { .. });
    lines.iter().rposition(opens).expect("a step opens")
}

fn by_engine(lines: &mut [Line], engine: u16) {
    for line in lines {
        line.made = match line.made {
            Made::Given(under) => Made::Given(Under { engine, ..under }),
            Made::Decided(under) => Made::Decided(Under { engine, ..under }),
            kept => kept,
        };
    }
}

#[test]
fn what_was_decided_otherwise_is_a_fault_of_the_same_engine_and_named_of_another() {
    let (library, site) = (library(), SiteSettings::default());
    let mut lines = fortnight(&library, &site).lines();
    let index = an_opening(&lines);
    let Fact::Opened { closes, .. } = &mut lines[index].entry.fact else { panic!("it opens") };
    *closes += jiff::SignedDuration::from_hours(1);
    let at = lines[index].entry.recorded_at;

    let same = replay(&library, &settings(&[&site]), &lines);
    assert_eq!(same.faults().count(), same.differences.len());
    let first = &same.differences[0];
    assert_eq!((first.at, first.then.len(), first.now.len()), (at, 1, 1), "{}", first.in_words());
    assert!(first.in_words().contains("the one that runs"), "{}", first.in_words());

    by_engine(&mut lines, 9_999);
    let other = replay(&library, &settings(&[&site]), &lines);
    assert_eq!(other.differences.len(), same.differences.len());
    assert_eq!(other.faults().count(), 0);
    assert!(
        other.differences[0].in_words().contains("by engine 9999"),
        "{}",
        other.differences[0].in_words()
    );

    for line in &mut lines {
        line.made = Made::Unknown;
    }
    let unknown = replay(&library, &settings(&[&site]), &lines);
    assert!(!unknown.differences.is_empty() && unknown.faults().next().is_none());
}

#[test]
fn a_decision_that_is_missing_is_told_once() {
    let (library, site) = (library(), SiteSettings::default());
    let mut lines = fortnight(&library, &site).lines();
    lines.truncate(an_opening(&lines) + 1);
    let last = lines.pop().expect("a line");
    // Two looks after it that decided nothing either.
    for (hours, fact) in [(1, Fact::Resumed), (2, Fact::Resumed)] {
        let mut given = last.clone();
        given.entry.seq += hours - 1;
        given.entry.recorded_at += jiff::SignedDuration::from_hours(i64::try_from(hours).expect("few"));
        given.entry.fact = fact;
        given.made = Made::Given(Under { engine: ENGINE_VERSION, settings: site.version });
        lines.push(given);
    }
    let replayed = replay(&library, &settings(&[&site]), &lines);
    let opens = |found: &Difference| found.now.iter().any(|(_, fact)| matches!(fact, Fact::Opened { .. }));
    assert_eq!(replayed.differences.iter().filter(|found| opens(found)).count(), 1);
}

#[test]
fn what_was_only_written_down_is_not_decided_about() {
    let (library, site) = (library(), SiteSettings::default());
    let mut lines = fortnight(&library, &site).lines();
    let last = lines.last().expect("a line").entry.clone();
    let reply = Fact::Replied { channel: Channel::Email, reply: Reply::Help };
    let entry = Entry { seq: last.seq + 1, enrollment: None, author: Author::Patient, fact: reply, ..last };
    lines.push(Line { entry, made: Made::Kept });
    assert!(replay(&library, &settings(&[&site]), &lines).differences.is_empty());
}

#[test]
fn each_batch_is_decided_under_the_settings_of_its_time() {
    let (library, first) = (library(), SiteSettings::default());
    let mut second = SiteSettings { version: 2, ..first.clone() };
    second.quiet.open = jiff::civil::time(11, 0, 0, 0);
    let mut story = story(&library, &first, &daily(), "2026-03-02T10:00", "2026-03-02");
    story.run_until(local(ZONE, "2026-03-04T00:00")).expect("runs");
    story.site = &second;
    story.run_until(local(ZONE, "2026-03-06T00:00")).expect("runs");
    let both = replay(&library, &settings(&[&first, &second]), &story.lines());
    assert!(both.differences.is_empty(), "{:#?}", both.differences);
    let one = replay(&library, &settings(&[&first]), &story.lines());
    assert!(!one.differences.is_empty(), "other hours, other decisions");
}

#[test]
fn a_version_that_is_gone_is_told() {
    let (whole, site) = (library(), SiteSettings::default());
    let lines = fortnight(&whole, &site).lines();
    let replayed = replay(&Library::new(), &settings(&[&site]), &lines);
    assert!(replayed.differences[0].in_words().contains("not in the library"));
}

/// A history with its workflow, as one engine version decided it.
#[derive(Serialize, Deserialize)]
struct Frozen {
    workflows: BTreeMap<Name, Workflow>,
    lines: Vec<Line>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("frozen")
}

/// Every engine version has left a history. The one that runs must decide its own again; what it decides otherwise than an
/// earlier one is what made it another version. After a change of decisions: raise `ENGINE_VERSION`, then
/// `TEND_ACCEPT=1 cargo test -p tend-engine frozen` writes the history of the new one.
#[test]
fn frozen_decisions_are_those_of_their_engine() {
    let site = SiteSettings::default();
    let path = folder().join(format!("decided-by-{ENGINE_VERSION}.json"));
    if std::env::var_os("TEND_ACCEPT").is_some() && !path.exists() {
        let library = library();
        let workflows = [daily(), yearly()].map(|workflow| (workflow.id.clone(), workflow)).into();
        let frozen = Frozen { workflows, lines: fortnight(&library, &site).lines() };
        std::fs::write(&path, serde_json::to_string(&frozen).expect("JSON") + "\n").expect("written");
    }
    for engine in 1..=ENGINE_VERSION {
        let path = folder().join(format!("decided-by-{engine}.json"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let frozen: Frozen = serde_json::from_str(&text).expect("a frozen history");
        let of = |workflow: Workflow| (workflow.version(), std::sync::Arc::new(workflow));
        let library: Library = frozen.workflows.into_values().map(of).collect();
        let replayed = replay(&library, &settings(&[&site]), &frozen.lines);
        let faults: String = replayed.faults().map(Difference::in_words).collect();
        assert!(faults.is_empty(), "decisions have changed: raise ENGINE_VERSION\n{faults}");
    }
}
