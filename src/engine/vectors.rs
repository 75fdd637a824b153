//! Scenario vectors that need more than one workflow or more than one version; the others are cases of the library.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Decimal, EnrollmentId, SiteId, Value,
    case::{Moment, run::play, tests::shipped},
    fact::{Author, Fact, HandoverResult, MessagePlan, NewFact, Occurrence, Purpose},
    model::{Channel, Role, Span, TaskKind, Workflow},
    planner::Library,
    preview::preview,
    rehearsal::Rehearsal,
    sample::{date, local, name},
    site::SiteSettings,
};

const ZONE: &str = "Europe/London";

fn enrol(
    patient: &mut Rehearsal<'_>,
    id: u128,
    workflow: &Workflow,
    fact: (&str, i64),
    anchor: &str,
    day: &str,
) {
    let enrolled = Fact::Enrolled {
        site: SiteId(1),
        workflow: workflow.id.clone(),
        version: workflow.version(),
        facts: BTreeMap::from([(name(fact.0), Value::Number(Decimal::whole(fact.1)))]),
        anchors: BTreeMap::from([(name(anchor), date(day))]),
    };
    patient.happens(Some(EnrollmentId(id)), Author::System, enrolled).expect("enrolled");
}

fn reachable(patient: &mut Rehearsal<'_>) {
    let occurred_at = patient.now;
    let new = |fact| NewFact { enrollment: None, occurred_at, author: Author::System, fact };
    let preferred = Some(Channel::Sms);
    let facts = vec![
        new(Fact::Preference { language: "en".into(), zone: ZONE.into(), preferred }),
        new(Fact::Reachable { channel: Channel::Sms, usable: true }),
        new(Fact::ConsentGiven { channel: Channel::Sms, wording: "v1".into() }),
        new(Fact::DailyConsent { given: true }),
    ];
    patient.record(facts).expect("recorded");
}

fn asks<'a>(patient: &'a Rehearsal<'_>, from: &str, until: &str) -> Vec<&'a MessagePlan> {
    let (from, until) = (local(ZONE, from), local(ZONE, until));
    let plans = patient.history.iter().filter_map(|entry| match &entry.fact {
        Fact::HandedOver { message, result: HandoverResult::Accepted, .. }
            if from <= entry.occurred_at && entry.occurred_at < until =>
        {
            patient.history.iter().find_map(|entry| match &entry.fact {
                Fact::Planned(plan) if plan.key == *message => Some(plan),
                _ => None,
            })
        }
        _ => None,
    });
    plans.filter(|plan| plan.purpose == Purpose::Ask).collect()
}

/// S17: in two protocols on the same day there is one message, and the nine questions on mood come last.
#[test]
fn s17_two_protocols_on_one_day_are_one_message() {
    let compiled = shipped();
    let of = |id: &str| compiled.workflow(id).expect("shipped");
    let (heart, mood) = (of("hf-discharge-90d"), of("depression-mbc-12m"));
    let library: Library = [heart, mood].map(|one| (one.version(), Arc::new(one.clone()))).into();
    let site = SiteSettings { zone: ZONE.into(), ..SiteSettings::default() };
    let mut patient = Rehearsal::new(&library, &site, local(ZONE, "2026-03-02T08:30"));
    reachable(&mut patient);
    enrol(&mut patient, 2, mood, ("phq9_baseline", 18), "treatment_start", "2026-03-02");
    patient.run_until(local(ZONE, "2026-03-14T12:00")).expect("runs");
    enrol(&mut patient, 1, heart, ("dry_weight", 78), "discharge", "2026-03-14");
    patient.run_until(local(ZONE, "2026-03-16T23:00")).expect("runs");
    let day14 = asks(&patient, "2026-03-16T00:00", "2026-03-17T00:00");
    assert_eq!(day14.len(), 1, "{day14:?}");
    let mut members: Vec<Occurrence> = day14[0].members.clone();
    let joined = patient.history.iter().filter_map(|entry| match &entry.fact {
        Fact::Joined { message, member } if *message == day14[0].key => Some(member.clone()),
        _ => None,
    });
    members.extend(joined);
    assert!(members.iter().any(|member| member.step == *"daily-check"), "{members:?}");
    // Of the two protocols' questions on mood the nine are the last of the form.
    let last = members.last().map(|member| (member.enrollment, member.step.clone()));
    assert_eq!(last, Some((EnrollmentId(2), name("mood"))), "{members:?}");
}

/// S22: a new version published while a patient runs on the old one changes nothing of theirs.
#[test]
fn s22_a_new_version_leaves_running_patients_alone() {
    let compiled = shipped();
    let first = compiled.workflow("hf-discharge-90d").expect("shipped");
    let mut second = first.clone();
    for step in &mut second.steps {
        step.timing.time = jiff::civil::time(15, 0, 0, 0);
    }
    second.ending.after = Some(Span::Days(20));
    assert_ne!(first.version(), second.version());
    let old: Library = [(first.version(), Arc::new(first.clone()))].into();
    let both: Library =
        [(first.version(), Arc::new(first.clone())), (second.version(), Arc::new(second))].into();
    let site = SiteSettings { zone: ZONE.into(), ..SiteSettings::default() };
    let calendar = |library: &Library| {
        let mut patient = Rehearsal::new(library, &site, local(ZONE, "2026-03-02T08:30"));
        reachable(&mut patient);
        enrol(&mut patient, 1, first, ("dry_weight", 78), "discharge", "2026-03-02");
        patient.run_until(local(ZONE, "2026-03-10T12:00")).expect("runs");
        let until = local(ZONE, "2026-07-01T00:00");
        let next = preview(library, &site, &patient.state, EnrollmentId(1), until).expect("a preview");
        (patient.history, next)
    };
    assert_eq!(calendar(&old), calendar(&both));
}

/// An alert with a time to respond of its own goes to the next role when that time is over, not before.
#[test]
fn an_alert_with_a_time_of_its_own_climbs_when_that_is_over() {
    let compiled = shipped();
    let (_, case) =
        compiled.cases.iter().find(|(path, _)| path.ends_with("s6-imputed.yaml")).expect("shipped");
    let workflow = compiled.workflow(case.workflow.as_str()).expect("its workflow");
    let mut case = case.clone();
    let mut later = case.story.last().expect("a line").clone();
    later.at = Moment::Day(30, jiff::civil::time(12, 0, 0, 0));
    (later.act, later.expect, later.expect_not) = (None, Vec::new(), Vec::new());
    case.story.push(later);
    let history = play(&case, workflow);
    let alert = history.iter().find_map(|entry| match &entry.fact {
        Fact::TaskOpened(plan) if plan.kind == TaskKind::Alert => Some(plan.clone()),
        _ => None,
    });
    // Raised on Monday 16 March at 12:10, two working days.
    let alert = alert.expect("raised");
    assert_eq!(alert.respond_by, Some(local(ZONE, "2026-03-18T18:00")));
    let climbed = history.iter().find_map(|entry| match &entry.fact {
        Fact::TaskChanged { task, role: Role::NurseLead, .. } if *task == alert.key => {
            Some(entry.occurred_at)
        }
        _ => None,
    });
    assert_eq!(climbed, alert.respond_by);
}
