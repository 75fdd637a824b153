//! Each defect planted and found; the shipped library clean; merging against walking every course on its own.

use std::collections::BTreeSet;

use super::{Bounds, Kind, Report, explore};
use crate::{
    Decimal, Name, Value,
    model::{Action, Compare, Does, Expr, LevelId, Rhythm, Schedule, Segment, Span, Step, Trigger, Workflow},
    sample::{self, name, step, text, window},
    site::SiteSettings,
};

pub(super) fn site() -> SiteSettings {
    SiteSettings { zone: "Europe/London".into(), ..SiteSettings::default() }
}

pub(super) const SMALL: Bounds = Bounds {
    deviations: 1,
    choices_after: 2,
    states_max: 4_000,
    days_max: 20,
    days_after_change: 400,
    merge: true,
    regions: true,
};

/// Four days of the daily check, its visit and what leads up to it; the course is short enough to walk in a debug build.
pub(super) fn week() -> Workflow {
    let mut workflow = sample::daily();
    for step in &mut workflow.steps {
        if let Schedule::Plan { segments, .. } = &mut step.schedule {
            for Segment { rhythm, .. } in segments {
                if let Rhythm::Every { to, .. } = rhythm {
                    *to = Some(Span::Days(4));
                }
            }
        }
    }
    workflow.ending.after = Some(Span::Days(12));
    workflow
}

fn walked(workflow: &Workflow) -> Report {
    explore(workflow, &site(), SMALL).expect("walked")
}

pub(super) fn found(report: &Report) -> BTreeSet<(Kind, String)> {
    report.findings.iter().map(|finding| (finding.kind, finding.about.clone())).collect()
}

pub(super) fn told(report: &Report) -> String {
    let one = |finding: &super::Finding| {
        format!(
            "{:?} {}: {}\n    {}\n",
            finding.kind,
            finding.about,
            finding.sentence,
            finding.story.join("\n    ")
        )
    };
    report.findings.iter().map(one).collect()
}

/// What a change of a workflow brings to light that was not there before.
fn brings(change: impl Fn(&mut Workflow)) -> (BTreeSet<(Kind, String)>, Report) {
    let mut workflow = week();
    let before = found(&walked(&workflow));
    change(&mut workflow);
    let after = walked(&workflow);
    (found(&after).difference(&before).cloned().collect(), after)
}

fn at_least(item: &str, number: i64) -> Expr {
    let right = Expr::Literal(Value::Number(Decimal::whole(number)));
    Expr::Compare(Compare::AtLeast, Box::new(Expr::Item(name(item))), Box::new(right))
}

fn expects(kind: Kind, about: &str, change: impl Fn(&mut Workflow)) -> Report {
    let (brought, report) = brings(change);
    assert!(brought.contains(&(kind, about.to_owned())), "{brought:?}\n{}", told(&report));
    report
}

#[test]
fn a_message_after_the_stop_is_seen() {
    use crate::fact::{Author, Entry, Fact, HandoverResult, StopReason};
    let workflow = week();
    let site = site();
    let library = sample::library();
    let mut patient = sample::story(&library, &site, &sample::daily(), "2026-03-02T10:00", "2026-03-02");
    patient.run_until(sample::local("Europe/London", "2026-03-03T09:30")).expect("time passes");
    let message = patient.state.messages.keys().next().cloned().expect("a message");
    let entry = |fact| Entry {
        seq: 1,
        enrollment: None,
        occurred_at: patient.now,
        recorded_at: patient.now,
        author: Author::Engine,
        fact,
    };
    let ground = super::world::Ground::new(&workflow, &site).expect("a zone");
    let mut watch = super::watch::Watch::default();
    let stopped = entry(Fact::Stopped { reason: StopReason::Withdrawn });
    let sent = entry(Fact::HandedOver { message, attempt: 1, result: HandoverResult::Accepted });
    let found = watch.look(&ground, &patient.state, &[stopped, sent]);
    assert!(found.iter().any(|wrong| wrong.kind == Kind::AfterStop), "{found:?}");
}

/// Two courses go on as one only where another silence would count alike on both.
#[test]
fn a_silence_of_today_is_told_from_an_earlier_one() {
    use super::{look::Seen, merge, walk::Root, world};
    let (workflow, site) = (week(), site());
    let ground = world::Ground::new(&workflow, &site).expect("a zone");
    let root = Root { facts: Vec::new(), anchors: vec![name("start")] };
    let enrolment = world::World::enrolment(&ground, &root);
    let (mut patient, _) = world::World::enrolled(&ground, enrolment).expect("enrolled");
    let horizon = Seen::new(&workflow, true).horizon;
    let (next, _) = patient.next().expect("something comes");
    let today = crate::calendar::day_of(&ground.zone, next);
    let mut number = |unowned: u8, silent_on: Option<jiff::civil::Date>| {
        (patient.watch.unowned, patient.watch.silent_on) = (unowned, silent_on);
        merge::of(&patient, &ground, &horizon).expect("something comes")
    };
    let earlier = |days: i64| Some(crate::calendar::plus_days(today, -days));
    assert_ne!(number(1, Some(today)), number(1, earlier(1)), "a second one today would be the same one");
    assert_eq!(number(1, earlier(1)), number(1, earlier(5)));
    assert_eq!(number(0, Some(today)), number(0, earlier(1)), "somebody has a task: none is counted");
    assert_ne!(number(1, earlier(1)), number(2, earlier(1)));
}

fn rule<'w>(workflow: &'w mut Workflow, id: &str) -> &'w mut crate::model::Rule {
    workflow.rules.iter_mut().find(|rule| rule.id == *id).expect("a rule")
}

fn tell(id: &str, hour: i8) -> Step {
    let every = Rhythm::Every { every: Span::Days(1), from: Span::Days(1), to: Some(Span::Days(3)) };
    let segments = vec![Segment { rhythm: every, window: window(0, 0) }];
    let schedule = Schedule::Plan { anchor: name("start"), segments };
    step(id, schedule, hour, Does::Tell { words: text("words") })
}

#[test]
fn a_sound_week_is_clean() {
    let report = walked(&week());
    assert!(report.findings.is_empty(), "{}", told(&report));
    assert!(report.states > 100 && report.merged > 10, "{report:?}");
    assert_eq!(report.left_out, 0);
    let again = walked(&week());
    assert_eq!(report, again, "the same walk twice");
}

#[test]
fn what_is_never_reached_or_never_true_is_found() {
    expects(Kind::NeverReached, "mood", |workflow| {
        rule(workflow, "feels-low").then.retain(|action| !matches!(action, Action::Start(_)));
    });
    expects(Kind::NeverTrue, "heavy", |workflow| {
        rule(workflow, "heavy").alternatives[0].when = at_least("weight", 1_000);
    });
    expects(Kind::AlwaysTrue, "heavy", |workflow| {
        rule(workflow, "heavy").alternatives[0].when = Expr::Or(vec![
            at_least("weight", 0),
            Expr::Not(Box::new(Expr::Known(Box::new(Expr::Item(name("weight")))))),
        ]);
    });
}

#[test]
fn silence_that_nobody_owns_is_found() {
    let report = expects(Kind::SilentWithoutOwner, "silence", |workflow| {
        workflow.rules.retain(|rule| !matches!(rule.on, Trigger::Silent(_)));
    });
    let finding = report.findings.iter().find(|finding| finding.kind == Kind::SilentWithoutOwner);
    let story = finding.expect("found").story.join("\n");
    assert!(story.contains("the patient answers nothing from here on"), "{story}");
    assert!(story.contains("check was not answered"), "{story}");
}

#[test]
fn ladders_without_an_end_are_found() {
    expects(Kind::LadderWithoutEnd, "heavy", |workflow| {
        for level in workflow.levels.iter_mut().filter(|level| level.id == LevelId::Amber) {
            level.ladder.clear();
        }
    });
    expects(Kind::LadderWithoutEnd, "visit", |workflow| {
        for step in &mut workflow.steps {
            if let Does::Task { overdue, .. } = &mut step.does {
                overdue.clear();
            }
        }
    });
}

#[test]
fn more_than_the_caps_allow_is_found() {
    let (brought, report) = brings(|workflow| {
        workflow.steps.extend((0..7).map(|n| tell(&format!("tell-{n}"), 10 + n)));
    });
    assert!(brought.iter().any(|(kind, _)| *kind == Kind::OverTheCap), "{}", told(&report));
    let case = report.findings.iter().find_map(|finding| finding.case.clone()).expect("a case");
    assert!(case.contains("expect_not: [dropped "), "{case}");
}

#[test]
fn two_messages_within_an_hour_are_found_where_the_site_allows_them() {
    let mut workflow = week();
    workflow.steps.push(tell("hello", 10));
    workflow.steps.push(tell("again", 10));
    let site = SiteSettings { gap_minutes: 0, ..site() };
    let report = explore(&workflow, &site, SMALL).expect("walked");
    assert!(report.findings.iter().any(|finding| finding.kind == Kind::TooClose), "{}", told(&report));
}

#[test]
fn a_follow_up_that_runs_out_of_steps_and_a_rule_that_feeds_itself_are_found() {
    expects(Kind::OutOfSteps, "ending", |workflow| workflow.ending.after = None);
    expects(Kind::FeedsItself, "rules", |workflow| {
        for (id, from, to) in [("there", false, true), ("back", true, false)] {
            let mut flip = workflow.rules[0].clone();
            flip.id = name(id);
            (flip.on, flip.at_once) = (Trigger::Fact, false);
            let high = Box::new(Expr::Fact(name("high")));
            flip.alternatives[0].when =
                Expr::Compare(Compare::Equal, high, Box::new(Expr::Literal(Value::Bool(from))));
            flip.then = vec![Action::Set(name("high"), Value::Bool(to))];
            workflow.rules.push(flip);
        }
    });
}

#[test]
fn merging_finds_what_walking_every_course_on_its_own_finds() {
    let mut seed = 20_260_302_u64;
    for round in 0..4 {
        let mut workflow = week();
        let drop = usize::try_from(seed >> 33).unwrap_or(0) % workflow.rules.len();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let dropped: Name = workflow.rules.remove(drop).id;
        let kept = usize::try_from(seed >> 33).unwrap_or(0) % workflow.steps.len();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if round % 2 == 0 {
            workflow.steps.truncate(kept.max(1));
        }
        workflow.rules.retain(|rule| match &rule.on {
            Trigger::Silent(step) | Trigger::Outcome(step) | Trigger::Undone(step) => {
                workflow.steps.iter().any(|known| known.id == *step)
            }
            _ => true,
        });
        let bounds = Bounds { days_max: 6, ..SMALL };
        let merged = explore(&workflow, &site(), bounds).expect("walked");
        let alone = explore(&workflow, &site(), Bounds { merge: false, states_max: usize::MAX, ..bounds })
            .expect("walked");
        assert!(alone.states > merged.states);
        assert_eq!(found(&merged), found(&alone), "without {dropped}");
    }
}
