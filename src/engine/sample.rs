//! Small synthetic workflows for tests.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    Decimal, EnrollmentId, Name, SiteId, Value,
    calendar::instant,
    fact::{Answer, Author, Fact, Mode, NewFact, Occurrence},
    model::{
        Action, Alternative, AnchorDef, Channel, Compare, Counting, Does, Ending, Expr, FactDef, FactKind,
        Item, ItemKind, Lang, Level, LevelId, Next, Option_, Overdue, Questionnaire, Remind, Respond, Rhythm,
        Role, Rule, Rung, Schedule, Segment, Span, Step, TaskKind, Text, Trigger, Window, Workflow,
        schedule::Timing,
    },
    planner::Library,
    rehearsal::Rehearsal,
    site::SiteSettings,
};

pub(crate) const PATIENT_A: EnrollmentId = EnrollmentId(0xa);

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name in a test")
}

pub(crate) fn text(words: &str) -> Text {
    Text(BTreeMap::from([("en".to_owned(), words.to_owned())]))
}

pub(crate) fn date(text: &str) -> Date {
    text.parse().expect("a date in a test")
}

pub(crate) fn local(zone: &str, at: &str) -> Timestamp {
    let zone = TimeZone::get(zone).expect("a zone in a test");
    instant(&zone, at.parse().expect("a local time in a test"))
}

pub(crate) fn window(before: u32, after: u32) -> Window {
    Window { before_days: before, after_days: after, expires_days: 14 }
}

fn timing(hour: i8) -> Timing {
    Timing {
        time: jiff::civil::time(hour, 0, 0, 0),
        working_day: None,
        only_if: None,
        until: None,
        not_before: None,
    }
}

fn plan(rhythm: Rhythm, window: Window) -> Schedule {
    Schedule::Plan { anchor: name("start"), segments: vec![Segment { rhythm, window }] }
}

pub(crate) fn step(id: &str, schedule: Schedule, hour: i8, does: Does) -> Step {
    Step { id: name(id), title: text(id), schedule, timing: timing(hour), does, sources: Vec::new() }
}

pub(crate) fn ask(questionnaire: &str) -> Does {
    let remind = vec![
        Remind { after: Span::Hours(4), other_channel: false },
        Remind { after: Span::Hours(8), other_channel: true },
    ];
    Does::Ask { questionnaire: name(questionnaire), remind }
}

fn item(id: &str, kind: ItemKind) -> Item {
    Item {
        id: name(id),
        ask: text(id),
        hint: None,
        loinc: None,
        kind,
        optional: false,
        declinable: true,
        only_if: None,
    }
}

fn option(id: &str, points: i64) -> Option_ {
    Option_ { id: name(id), label: text(id), points: Some(points), loinc: None }
}

/// A questionnaire without items.
pub(crate) fn blank_questionnaire(id: &str) -> Questionnaire {
    questionnaire(id, Vec::new(), false)
}

fn questionnaire(id: &str, items: Vec<Item>, only_in_covered_hours: bool) -> Questionnaire {
    Questionnaire {
        id: name(id),
        version: "1".into(),
        title: text(id),
        heading: text("Check-in"),
        stem: None,
        licence: "own".into(),
        credit: None,
        loinc: None,
        translation_source: Vec::new(),
        translations: Vec::new(),
        only_in_covered_hours,
        items,
        scores: Vec::new(),
        closing: None,
    }
}

fn rule(id: &str, on: Trigger, when: Expr, then: Vec<Action>) -> Rule {
    Rule {
        id: name(id),
        on,
        alternatives: vec![Alternative { when, because: text(id) }],
        then,
        at_once: false,
        advice: None,
        thread: None,
        sources: Vec::new(),
        own_sources: Vec::new(),
    }
}

fn is_choice(item: &str, choice: &str) -> Expr {
    let left = Box::new(Expr::Item(name(item)));
    Expr::Compare(Compare::Equal, left, Box::new(Expr::Literal(Value::Choice(name(choice)))))
}

fn at_least(left: Expr, number: i64) -> Expr {
    let right = Box::new(Expr::Literal(Value::Number(Decimal::whole(number))));
    Expr::Compare(Compare::AtLeast, Box::new(left), right)
}

fn level(id: LevelId, respond: Respond, ladder: Vec<Rung>) -> Level {
    Level { id, owner: Role::Nurse, respond, ladder, outside_hours: None }
}

/// Daily checks, a visit with what leads up to it and follows it, a step that a rule starts, a ladder, an end.
pub(crate) fn daily() -> Workflow {
    let check = questionnaire(
        "check",
        vec![
            item(
                "weight",
                ItemKind::Quantity {
                    unit: "kg".into(),
                    other_units: Vec::new(),
                    min: Decimal::whole(30),
                    max: Decimal::whole(300),
                    doubt: None,
                },
            ),
            item("feel", ItemKind::Choice(vec![option("good", 0), option("low", 1), option("bad", 2)])),
        ],
        false,
    );
    let mood = questionnaire("mood", vec![item("calm", ItemKind::YesNo)], true);
    let mut flag = rule(
        "feels-bad",
        Trigger::Answer(name("check")),
        is_choice("feel", "bad"),
        vec![Action::Alert(LevelId::Red)],
    );
    flag.at_once = true;
    let call = Action::Task {
        kind: TaskKind::Call,
        role: Role::Nurse,
        minutes: 10,
        within: Span::Hours(24),
        title: text("Call: silent"),
        level: LevelId::Grey,
    };
    let wall = |minutes, role| Rung { minutes, counting: Counting::Wall, role };
    let overdue = |days, role| Overdue {
        after: Span::Days(days),
        role,
        level: LevelId::Grey,
        only_if: None,
        because: text("overdue"),
    };
    Workflow {
        id: name("daily"),
        title: text("Daily"),
        status: "example".into(),
        languages: vec![Lang(name("en"))],
        translations: Vec::new(),
        sources: Vec::new(),
        facts: vec![FactDef {
            id: name("high"),
            label: text("high"),
            kind: FactKind::Boolean,
            required: false,
            default: None,
        }],
        anchors: vec![
            AnchorDef { id: name("start"), label: text("start"), restarts: None },
            AnchorDef { id: name("again"), label: text("again"), restarts: Some(name("start")) },
        ],
        define: Vec::new(),
        steps: vec![
            step(
                "check",
                plan(
                    Rhythm::Every { every: Span::Days(1), from: Span::Days(1), to: Some(Span::Days(20)) },
                    window(0, 0),
                ),
                9,
                ask("check"),
            ),
            step(
                "visit",
                plan(Rhythm::At(vec![Span::Days(7)]), window(2, 3)),
                10,
                Does::Task {
                    kind: TaskKind::Visit,
                    role: Role::Clinician,
                    minutes: 20,
                    overdue: vec![overdue(2, Role::Nurse), overdue(5, Role::NurseLead)],
                },
            ),
            step(
                "prepare",
                Schedule::Around { step: name("visit"), offset: Span::Days(-2), window: window(0, 1) },
                11,
                Does::Tell { words: text("Your appointment") },
            ),
            step(
                "after-visit",
                Schedule::AfterOutcome {
                    step: name("visit"),
                    outcomes: vec![name("done")],
                    offset: Span::Days(1),
                    window: window(0, 1),
                },
                9,
                Does::Ask { questionnaire: name("check"), remind: Vec::new() },
            ),
            step(
                "mood",
                Schedule::Started { window: window(0, 2), offset: None },
                9,
                Does::Ask { questionnaire: name("mood"), remind: Vec::new() },
            ),
        ],
        rules: vec![
            flag,
            rule(
                "feels-low",
                Trigger::Answer(name("check")),
                is_choice("feel", "low"),
                vec![Action::Alert(LevelId::Amber), Action::Start(name("mood"))],
            ),
            rule(
                "heavy",
                Trigger::Answer(name("check")),
                at_least(Expr::Item(name("weight")), 100),
                vec![Action::Alert(LevelId::Amber)],
            ),
            rule(
                "silent",
                Trigger::Silent(name("check")),
                at_least(Expr::SilentInARow(name("check")), 2),
                vec![call],
            ),
            rule(
                "very-silent",
                Trigger::Silent(name("check")),
                at_least(Expr::SilentInARow(name("check")), 5),
                vec![Action::Pause { role: Role::Nurse, review_within: Span::Days(1) }],
            ),
        ],
        ending: Ending { after: Some(Span::Days(30)), when: None },
        levels: vec![
            level(
                LevelId::Red,
                Respond::Within { minutes: 60, counting: Counting::Covered },
                vec![
                    Rung { minutes: 60, counting: Counting::Covered, role: Role::NurseLead },
                    Rung { minutes: 120, counting: Counting::Covered, role: Role::Clinician },
                ],
            ),
            level(
                LevelId::Amber,
                Respond::SameDay { raised_before_minute: 15 * 60 },
                vec![wall(24 * 60, Role::NurseLead)],
            ),
            level(LevelId::Grey, Respond::WorkingDays(1), vec![wall(72 * 60, Role::NurseLead)]),
        ],
        words: BTreeMap::new(),
        questionnaires: BTreeMap::from([(name("check"), check), (name("mood"), mood)]),
        changes: crate::model::Changes::default(),
    }
}

/// A recurring check without end and an examination every few months.
pub(crate) fn yearly() -> Workflow {
    let mut workflow = daily();
    workflow.id = name("yearly");
    let next = |when, days| Next { when, after: Span::Days(days) };
    let chain = Schedule::Chain {
        anchor: name("start"),
        first: Span::Days(10),
        then: vec![next(Some(at_least(Expr::AnswerCount(name("chained")), 2)), 30), next(None, 9)],
        window: window(1, 2),
    };
    let mut chained = step("chained", chain, 9, ask("check"));
    chained.timing.until = Some(at_least(Expr::AnswerCount(name("chained")), 4));
    workflow.steps = vec![
        chained,
        step(
            "exam",
            plan(Rhythm::Every { every: Span::Months(3), from: Span::Months(3), to: None }, window(14, 14)),
            9,
            Does::Task {
                kind: TaskKind::Examination,
                role: Role::Clinician,
                minutes: 20,
                overdue: Vec::new(),
            },
        ),
        step(
            "prepare",
            Schedule::Around { step: name("exam"), offset: Span::Days(-7), window: window(0, 3) },
            10,
            Does::Tell { words: text("Your appointment") },
        ),
        step(
            "monthly",
            plan(Rhythm::Every { every: Span::Months(1), from: Span::Months(1), to: None }, window(0, 3)),
            10,
            ask("check"),
        ),
    ];
    workflow.rules.retain(|rule| !matches!(rule.on, Trigger::Silent(_)));
    workflow.rules.retain(|rule| rule.id != *"feels-low");
    workflow.ending = Ending { after: None, when: None };
    workflow
}

pub(crate) fn library() -> Library {
    [daily(), yearly()].into_iter().map(|workflow| (workflow.version(), Arc::new(workflow))).collect()
}

/// What enrolling a patient records.
pub(crate) fn enrolled(
    workflow: &Workflow,
    id: EnrollmentId,
    zone: &str,
    start: &str,
    at: Timestamp,
    daily_consent: bool,
) -> Vec<NewFact> {
    let new = |enrollment, fact| NewFact { enrollment, occurred_at: at, author: Author::System, fact };
    let consent = |channel| new(None, Fact::ConsentGiven { channel, wording: "v1".into() });
    let reachable = |channel| new(None, Fact::Reachable { channel, usable: true });
    let preference =
        Fact::Preference { language: "en".into(), zone: zone.into(), preferred: Some(Channel::Sms) };
    vec![
        new(None, preference),
        reachable(Channel::Sms),
        reachable(Channel::Email),
        consent(Channel::Sms),
        consent(Channel::Email),
        new(None, Fact::DailyConsent { given: daily_consent }),
        new(
            Some(id),
            Fact::Enrolled {
                site: SiteId(1),
                workflow: workflow.id.clone(),
                version: workflow.version(),
                facts: BTreeMap::new(),
                anchors: BTreeMap::from([(name("start"), date(start))]),
            },
        ),
    ]
}

/// The latest occurrence of a step that can still be answered.
pub(crate) fn latest(rehearsal: &Rehearsal<'_>, id: EnrollmentId, step: &str) -> Option<Occurrence> {
    let state = rehearsal.state.enrollments.get(&id)?.steps.get(step)?;
    let open = state.open.last()?;
    Some(Occurrence { enrollment: id, step: name(step), generation: open.generation, ordinal: open.ordinal })
}

/// Submits the check.
pub(crate) fn answer(about: Occurrence, weight: &str, feel: &str) -> Fact {
    let given = |value| Answer::Given { value, doubtful: false };
    Fact::Answered {
        about,
        questionnaire: name("check"),
        questionnaire_version: "1".into(),
        language: "en".into(),
        mode: Mode::Own,
        answers: BTreeMap::from([
            (name("weight"), given(Value::Number(Decimal::parse(weight).expect("a number")))),
            (name("feel"), given(Value::Choice(name(feel)))),
        ]),
    }
}

/// A patient of [`daily`] enrolled in London.
pub(crate) fn story<'a>(
    library: &'a Library,
    site: &'a SiteSettings,
    workflow: &Workflow,
    at: &str,
    start: &str,
) -> Rehearsal<'a> {
    let now = local("Europe/London", at);
    let mut rehearsal = Rehearsal::new(library, site, now);
    rehearsal.record(enrolled(workflow, PATIENT_A, "Europe/London", start, now, true)).expect("enrolled");
    rehearsal.hand_over().expect("handed over");
    rehearsal
}
