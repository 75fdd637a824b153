//! What a patient, a carer or a nurse on the phone answers: drafts, red flags at once, submission.

use jiff::{Timestamp, civil::Date};
use tend_engine::{
    EnrollmentId, Name, cover,
    decide::flags,
    fact::{Fact, Mode},
    keys,
    model::{Does, TaskKind, Text},
    preview,
    site::SiteSettings,
    state::PatientState,
};

use super::{
    Actor, App, Live,
    form::Part,
    link::{Closed, LinkError, Visit, still_open},
    reading::Reading,
    record::{TRIES_MAX, just_now},
    visitor::Visitor,
    zone_named,
};
use crate::store::FreeText;

/// How far ahead "what happens next" looks.
const NEXT_DAYS: i64 = 400;

/// What the patient can expect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Next {
    /// The next questions.
    pub ask: Option<Date>,
    /// The next visit or examination.
    pub visit: Option<Date>,
}

/// How a form ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// When the answers arrived.
    pub at: Option<Timestamp>,
    /// What the questionnaires say at the end.
    pub closing: Vec<Text>,
}

impl App {
    /// Keeps an answer in the draft. A red flag that it raises is recorded at once and stays although nothing may ever be
    /// submitted; the rules that hold now are given, so that the patient is told what to do.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn keep_answer(
        &self,
        visit: &mut Visit,
        visitor: Visitor,
        part: usize,
        item: &Name,
        reading: Reading,
    ) -> Result<Vec<Name>, LinkError> {
        let now = self.clock.now();
        let live = self.live();
        let before = raised(&live, visit, part, now);
        let Some(this) = visit.form.parts.get_mut(part) else { return Ok(Vec::new()) };
        put(this, item, reading);
        let holding = raised(&live, visit, part, now);
        let Some(this) = visit.form.parts.get(part) else { return Ok(Vec::new()) };
        let fresh: Vec<Name> = holding.iter().filter(|rule| !this.flagged.contains(rule)).cloned().collect();
        for attempt in 0.. {
            match self.write_draft(visit, visitor, part, &fresh, now).await {
                Err(error) if error.is_conflict() && attempt < TRIES_MAX => {}
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        Ok(holding.into_iter().filter(|rule| !before.contains(rule)).collect())
    }

    async fn write_draft(
        &self,
        visit: &Visit,
        visitor: Visitor,
        part: usize,
        fresh: &[Name],
        now: Timestamp,
    ) -> Result<(), LinkError> {
        let Some(this) = visit.form.parts.get(part) else { return Ok(()) };
        let mut tx = self.store.begin();
        let occurrence = keys::occurrence(&this.about);
        if !fresh.is_empty() {
            let mut patient = self.lock_even_aside(&mut tx, visit.patient()).await?;
            let (answers, _) = visit.form.submission(part);
            let flagged = |rule: &Name| {
                let fact = Fact::Flagged {
                    about: this.about.clone(),
                    questionnaire: this.questionnaire.clone(),
                    rule: rule.clone(),
                    answers: answers.clone(),
                };
                just_now(actor(visitor), now, Some(this.about.enrollment), fact)
            };
            let facts = fresh.iter().map(flagged).collect();
            self.append(&mut tx, actor(visitor), "flag", &mut patient, facts, &FreeText::new()).await?;
            if patient.quarantined {
                tx.alarm(patient.id, &set_aside_and_flagged(), now).await?;
            }
        }
        tx.save_draft(visit.patient(), visit.link.message, &occurrence, &this.draft, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Submits every part that is still unanswered, each in one commit with all that follows. Doing it twice is doing it once.
    ///
    /// # Errors
    /// [`LinkError`]; what was typed is kept.
    pub async fn submit(&self, visit: &Visit, visitor: Visitor, language: &str) -> Result<(), LinkError> {
        let now = self.clock.now();
        for part in 0..visit.form.parts.len() {
            for attempt in 0.. {
                match self.submit_part(visit, visitor, part, language, now).await {
                    Err(error) if error.is_conflict() && attempt < TRIES_MAX => {}
                    Err(error) => return Err(error),
                    Ok(()) => break,
                }
            }
        }
        Ok(())
    }

    async fn submit_part(
        &self,
        visit: &Visit,
        visitor: Visitor,
        part: usize,
        language: &str,
        now: Timestamp,
    ) -> Result<(), LinkError> {
        let live = self.live();
        let Some(this) = visit.form.parts.get(part) else { return Ok(()) };
        let Some(instrument) = this.instrument() else { return Ok(()) };
        let mut tx = self.store.begin();
        let mut patient = self.lock_even_aside(&mut tx, visit.patient()).await?;
        if !still_open(&live, &patient.state, &this.about, now) {
            return Ok(());
        }
        let (answers, text) = visit.form.submission(part);
        let fact = Fact::Answered {
            about: this.about.clone(),
            questionnaire: this.questionnaire.clone(),
            questionnaire_version: instrument.version.clone(),
            language: language.to_owned(),
            mode: if visitor.proxy { Mode::Proxy } else { Mode::Own },
            answers,
        };
        let facts = vec![just_now(actor(visitor), now, Some(this.about.enrollment), fact)];
        self.append(&mut tx, actor(visitor), "answer", &mut patient, facts, &text).await?;
        tx.delete_drafts(visit.patient(), &keys::occurrence(&this.about)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What the patient can expect next, from the functions that will plan it.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn next_for(&self, state: &PatientState, site: &SiteSettings) -> Result<Next, LinkError> {
        let now = self.clock.now();
        let live = self.live();
        let until =
            now.saturating_add(jiff::SignedDuration::from_hours(24 * NEXT_DAYS)).unwrap_or(Timestamp::MAX);
        let mut next = Next::default();
        for (id, of) in &state.enrollments {
            let Some(workflow) = live.library.get(&of.version) else { continue };
            for line in preview::preview(&live.library, site, state, *id, until)? {
                let Some(step) = workflow.step(&line.step) else { continue };
                let place = match &step.does {
                    Does::Ask { .. } => &mut next.ask,
                    Does::Task { kind: TaskKind::Visit | TaskKind::Examination, .. } => &mut next.visit,
                    Does::Tell { .. } | Does::Task { .. } | Does::Score { .. } => continue,
                };
                *place = Some(place.map_or(line.day, |day| day.min(line.day)));
            }
        }
        Ok(next)
    }

    /// What the answered questionnaires of a link say at the end, and when the answers arrived.
    #[must_use]
    pub fn ending_of(&self, closed: &Closed) -> Ending {
        let live = self.live();
        let mut ending = Ending::default();
        for about in &closed.link.plan.members {
            let Some(enrollment) = closed.state.enrollments.get(&about.enrollment) else { continue };
            let named = enrollment.name_now(&about.step);
            let done = enrollment.steps.get(named).and_then(|step| {
                step.done
                    .iter()
                    .find(|done| done.generation == about.generation && done.ordinal == about.ordinal)
            });
            ending.at = ending.at.max(done.map(|done| done.at));
            let step = live
                .library
                .get(enrollment.version_of(&about.step))
                .and_then(|workflow| workflow.step(named).map(|step| (workflow, step)));
            if let Some((workflow, Does::Ask { questionnaire, .. })) =
                step.map(|(workflow, step)| (workflow, &step.does))
                && let Some(closing) =
                    workflow.questionnaires.get(questionnaire).and_then(|of| of.closing.clone())
            {
                ending.closing.push(closing);
            }
        }
        ending
    }

    /// Whether somebody of a site is on duty now.
    #[must_use]
    pub fn is_covered(&self, site: &SiteSettings) -> bool {
        let zone = jiff::tz::TimeZone::get(&site.zone);
        zone.is_ok_and(|zone| cover::is_covered(site, &zone, self.clock.now()))
    }
}

fn actor(visitor: Visitor) -> Actor {
    if visitor.proxy { Actor::Carer } else { Actor::Patient }
}

/// Why somebody must look at once at a patient for whom nothing is decided.
fn set_aside_and_flagged() -> Text {
    let words = [
        ("en", "a red-flag answer came in while the follow-up stands still: call the patient now"),
        ("zh", "随访停止期间收到危险信号答复：请立即致电患者"),
    ];
    Text(words.map(|(language, words)| (language.to_owned(), words.to_owned())).into())
}

/// The red flags that hold as the answers stand.
fn raised(live: &Live, visit: &Visit, part: usize, now: Timestamp) -> Vec<Name> {
    let Some(this) = visit.form.parts.get(part) else { return Vec::new() };
    let id: EnrollmentId = this.about.enrollment;
    let Some(enrollment) = visit.state.enrollments.get(&id) else { return Vec::new() };
    let Some(workflow) = live.library.get(&enrollment.version) else { return Vec::new() };
    let (answers, _) = visit.form.submission(part);
    flags(workflow, enrollment, &this.questionnaire, &answers, today(visit, now))
}

/// The patient's civil day.
fn today(visit: &Visit, now: Timestamp) -> Date {
    let zone = if visit.state.zone.is_empty() { &visit.site.zone } else { &visit.state.zone };
    zone_named(zone).to_datetime(now).date()
}

fn put(part: &mut Part, item: &Name, reading: Reading) {
    let draft = &mut part.draft;
    draft.answers.remove(item);
    draft.text.remove(item.as_str());
    draft.typed.remove(item);
    draft.skipped.remove(item);
    match reading {
        Reading::Given { answer, text, typed } => {
            draft.answers.insert(item.clone(), answer);
            draft.text.extend(text.map(|text| (item.to_string(), text)));
            draft.typed.extend(typed.map(|typed| (item.clone(), typed)));
        }
        Reading::Empty | Reading::Doubt { .. } => {
            draft.skipped.insert(item.clone());
        }
    }
}
