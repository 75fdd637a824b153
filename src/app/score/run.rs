//! Scoring follow-ups slice by slice. Computed outside any transaction; then what came of it and the mark that it was looked
//! at are one commit, so a run that is cut off repeats nothing.

use std::collections::{BTreeMap, btree_map::Entry};

use jiff::Timestamp;
use tend_engine::{
    EnrollmentId, Name, PatientId, SiteId,
    fact::Fact,
    state::{EnrollmentState, PatientState, Standing},
};
use tend_risk::Inputs;

use super::{
    MODEL, ScoreError, SiteModels, SwitchState,
    compute::{Earlier, Question, compute, inputs},
    stands,
};
use crate::{
    app::{
        Actor, App,
        record::{TRIES_MAX, decide, just_now},
    },
    store::{
        AuditLine, Batch, Busy, CHALLENGER, HeldJob, StoreError,
        read::risk_queue::SwitchRow,
        scoring::{Latest, NewScore},
    },
};

/// Patients scored before other work gets the processor again.
pub(super) const SLICE: usize = 16;
/// Wishes that are looked at in one go.
const WANTED_MAX: i64 = 64;

/// What came of scoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scored {
    /// Follow-ups that were computed and written down.
    pub scored: usize,
    /// Follow-ups for which nothing had changed since the last time.
    pub unchanged: usize,
}

impl Scored {
    pub(super) fn and(self, other: Self) -> Self {
        Self { scored: self.scored + other.scored, unchanged: self.unchanged + other.unchanged }
    }

    /// Follow-ups that were looked at.
    #[must_use]
    pub fn all(self) -> usize {
        self.scored + self.unchanged
    }
}

/// What the models say about a follow-up.
#[derive(Debug)]
struct Verdict {
    switch: SwitchState,
    /// To be logged; empty when the same was logged before.
    logs: Vec<NewScore>,
    /// Of the model in use.
    ppm: Option<u32>,
    version: String,
}

/// A follow-up to be scored, with what is asked: the model in use first, then the challenger.
#[derive(Debug)]
struct Subject {
    patient: PatientId,
    enrollment: EnrollmentId,
    questions: Vec<Question>,
    switch: SwitchState,
}

/// What holds for all follow-ups of a site while a slice is scored.
struct AtSite {
    models: SiteModels,
    switches: Vec<SwitchRow>,
    today: String,
}

/// What each follow-up was last asked, by name of the model.
type Asked = BTreeMap<&'static str, BTreeMap<EnrollmentId, Latest>>;

impl App {
    /// Scores the running follow-ups of these patients, where something has changed since the last time.
    ///
    /// # Errors
    /// [`ScoreError`]; slices that were written stay.
    pub async fn score_patients(&self, patients: &[PatientId]) -> Result<Scored, ScoreError> {
        let mut all = Scored::default();
        for slice in patients.chunks(SLICE) {
            all = all.and(self.score_slice(slice, None).await?);
            tokio::task::yield_now().await;
        }
        Ok(all)
    }

    /// Scores those for whom a score is wanted: newly enrolled, with a changed fact, or at a step of the workflow. Gives how
    /// many were looked at.
    ///
    /// # Errors
    /// [`ScoreError`].
    pub async fn score_wanted(&self) -> Result<usize, ScoreError> {
        let mut wanted = self.store.score_wanted(WANTED_MAX).await?;
        wanted.sort();
        wanted.dedup();
        self.score_patients(&wanted).await?;
        Ok(wanted.len())
    }

    /// One slice in one commit, with the progress of the job that it belongs to. A member that the database or the engine
    /// refuses is left out, the others proceed.
    pub(super) async fn score_slice(
        &self,
        slice: &[PatientId],
        job: Option<HeldJob>,
    ) -> Result<Scored, ScoreError> {
        for _ in 0..TRIES_MAX {
            match self.commit_slice(slice, job).await {
                Err(ScoreError::Store(StoreError::Conflict)) => {}
                Err(ScoreError::Store(error)) if error.is_about_rows() && slice.len() > 1 => {
                    let (left, right) = slice.split_at(slice.len() / 2);
                    let left = Box::pin(self.score_slice(left, job)).await?;
                    return Ok(left.and(Box::pin(self.score_slice(right, job)).await?));
                }
                Err(ScoreError::Store(error)) if error.is_about_rows() => {
                    let who = slice.first().map_or_else(String::new, ToString::to_string);
                    tracing::warn!(patient.id = %who, "patient {who} is not scored: {error}");
                    return Ok(Scored::default());
                }
                other => return other,
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn commit_slice(&self, slice: &[PatientId], job: Option<HeldJob>) -> Result<Scored, ScoreError> {
        let states = self.store.states(slice).await?;
        let seen = self.clock.now();
        let (subjects, passed_over) = self.subjects(&states, seen).await?;
        let mut verdicts = self.verdicts(subjects).await?;
        let mut scored = Scored::default();
        let mut batch = Batch::default();
        for (_, enrollment) in passed_over {
            batch.score_looked_at(enrollment, seen);
        }
        let mut tx = self.store.begin();
        let live = self.live();
        let all_locked = tx.lock(slice, Busy::Wait).await?;
        // Nobody else scores them from here on: what somebody wrote while this was computed is seen.
        let ids: Vec<EnrollmentId> = verdicts.values().flatten().map(|(enrollment, _)| *enrollment).collect();
        let logged = self.asked(&ids).await?;
        for mut locked in all_locked {
            let Some(mine) = verdicts.remove(&locked.id) else { continue };
            let mut facts = Vec::new();
            for (enrollment, mut verdict) in mine {
                batch.score_looked_at(enrollment, seen);
                let logs = std::mem::take(&mut verdict.logs);
                let new: Vec<&NewScore> = logs
                    .iter()
                    .filter(|score| {
                        let last = logged.get(score.model.as_str()).and_then(|by| by.get(&enrollment));
                        !is_same(&score.model_version, &score.inputs_hash, last)
                    })
                    .collect();
                match new.iter().any(|score| score.model == MODEL) {
                    true => scored.scored += 1,
                    false => scored.unchanged += 1,
                }
                let site = locked.state.enrollments.get(&enrollment).map_or(locked.site, |of| of.site);
                for score in new {
                    batch.score(&*self.ids, site, locked.id, enrollment, score, seen);
                }
                let Some(state) = locked.state.enrollments.get(&enrollment) else { continue };
                let fact = fact(state, &verdict)?;
                facts.extend(fact.map(|fact| just_now(Actor::System, seen, Some(enrollment), fact)));
            }
            if facts.is_empty() {
                let wake_at = locked.wake_at;
                batch.keep(locked, wake_at);
                continue;
            }
            let patient = locked.id;
            match decide(&live, &mut locked, facts, seen) {
                Ok(advanced) => {
                    batch.advance(&live.library, &*self.ids, &locked, &advanced);
                    batch.audit(&*self.ids, seen, line(patient));
                    batch.keep(locked, advanced.wake_at);
                }
                Err(failure) => {
                    tracing::warn!(patient.id = %patient, "the score of {patient} is not recorded: {failure}");
                }
            }
        }
        // Set aside, or gone: nothing can be recorded now, the night after comes round again.
        for enrollment in verdicts.into_values().flatten().map(|(enrollment, _)| enrollment) {
            batch.score_looked_at(enrollment, seen);
        }
        if let (Some(held), Some(last)) = (job, slice.last()) {
            tx.got_on(held, u32::try_from(scored.all()).unwrap_or(0), Some(*last)).await?;
        }
        if !batch.is_empty() {
            tx.append(batch).await?;
        }
        tx.commit().await?;
        Ok(scored)
    }

    /// The follow-ups that are to be scored, and those that are not: over, or of a workflow whose model is off.
    async fn subjects(
        &self,
        states: &[(PatientId, PatientState)],
        now: Timestamp,
    ) -> Result<(Vec<Subject>, Vec<(PatientId, EnrollmentId)>), ScoreError> {
        let (mut subjects, mut passed_over) = (Vec::new(), Vec::new());
        let mut by_site: BTreeMap<SiteId, AtSite> = BTreeMap::new();
        for (patient, whole) in states {
            for (enrollment, state) in &whole.enrollments {
                let over = matches!(state.standing, Standing::Over { .. });
                let at_site = match by_site.entry(state.site) {
                    Entry::Occupied(read) => read.into_mut(),
                    Entry::Vacant(place) => place.insert(AtSite {
                        models: self.site_models(state.site).await?,
                        switches: self.store.model_switches(state.site).await?,
                        today: self.day_at(state.site, now).to_string(),
                    }),
                };
                let switch = stands(&at_site.switches, &state.workflow);
                let nothing_to_take_back = state.risk.as_ref().is_none_or(|risk| risk.ppm.is_none());
                if over || (switch == SwitchState::Off && nothing_to_take_back) {
                    passed_over.push((*patient, *enrollment));
                    continue;
                }
                let questions = self.questions(at_site, whole, *enrollment, state).await?;
                subjects.push(Subject { patient: *patient, enrollment: *enrollment, questions, switch });
            }
        }
        Ok((subjects, passed_over))
    }

    async fn questions(
        &self,
        at_site: &AtSite,
        whole: &PatientState,
        enrollment: EnrollmentId,
        state: &EnrollmentState,
    ) -> Result<Vec<Question>, ScoreError> {
        let models = &at_site.models;
        let asked = [(MODEL, models.champion.clone()), (CHALLENGER, models.challenger.clone())];
        let mut questions = Vec::new();
        for (name, model) in asked {
            if name == CHALLENGER && model.is_none() {
                continue;
            }
            let inputs = model.as_ref().map_or_else(Inputs::new, |model| inputs(model, state));
            let mut question = Question::new(name, model, inputs, &at_site.today);
            if question.model.as_ref().is_some_and(|model| model.lookback().is_some()) {
                question.earlier = self.earlier(&question, whole, enrollment, state).await?;
            }
            questions.push(question);
        }
        Ok(questions)
    }

    /// The patient's follow-ups before this one that knew anything of what the model asks.
    async fn earlier(
        &self,
        question: &Question,
        whole: &PatientState,
        enrollment: EnrollmentId,
        state: &EnrollmentState,
    ) -> Result<Earlier, ScoreError> {
        let Some(model) = &question.model else { return Ok(Vec::new()) };
        let mut before: Vec<(&EnrollmentId, &EnrollmentState)> = whole
            .enrollments
            .iter()
            .filter(|(id, other)| **id != enrollment && other.enrolled_at < state.enrolled_at)
            .collect();
        before.sort_by_key(|(id, other)| (other.enrolled_at, **id));
        let ids: Vec<EnrollmentId> = before.iter().map(|(id, _)| **id).collect();
        let outcomes = self.store.outcomes_of(&ids).await?;
        let one = |(id, other): &(&EnrollmentId, &EnrollmentState)| {
            (inputs(model, other), outcomes.get(id).map(|outcome| outcome.became.happened()))
        };
        Ok(before.iter().map(one).filter(|(inputs, _)| !inputs.is_empty()).collect())
    }

    async fn asked(&self, enrollments: &[EnrollmentId]) -> Result<Asked, StoreError> {
        let mut asked = Asked::new();
        for name in [MODEL, CHALLENGER] {
            asked.insert(name, self.store.latest_inputs(enrollments, name).await?);
        }
        Ok(asked)
    }

    async fn verdicts(
        &self,
        subjects: Vec<Subject>,
    ) -> Result<BTreeMap<PatientId, Vec<(EnrollmentId, Verdict)>>, ScoreError> {
        let ids: Vec<EnrollmentId> = subjects.iter().map(|subject| subject.enrollment).collect();
        let asked = self.asked(&ids).await?;
        let latest =
            |name: &str, enrollment: EnrollmentId| asked.get(name).and_then(|by| by.get(&enrollment));
        let is_wanted = |subject: &Subject, question: &Question| {
            let known = latest(question.name, subject.enrollment);
            subject.switch != SwitchState::Off && !is_same(question.version(), &question.hash(), known)
        };
        let to_compute: Vec<Question> = subjects
            .iter()
            .flat_map(|subject| subject.questions.iter().filter(|question| is_wanted(subject, question)))
            .cloned()
            .collect();
        let mut outcomes = match to_compute.is_empty() {
            true => Vec::new(),
            false => compute(to_compute).await?,
        }
        .into_iter();
        let mut verdicts: BTreeMap<PatientId, Vec<(EnrollmentId, Verdict)>> = BTreeMap::new();
        for subject in &subjects {
            let logs: Vec<NewScore> = subject
                .questions
                .iter()
                .filter(|question| is_wanted(subject, question))
                .filter_map(|question| Some(question.new_score(outcomes.next()?)))
                .collect();
            let ppm = match logs.iter().find(|score| score.model == MODEL) {
                Some(score) => score.ppm,
                None => latest(MODEL, subject.enrollment).and_then(|latest| latest.ppm),
            };
            let version = subject.questions.first().map_or("", Question::version).to_owned();
            let verdict = Verdict { switch: subject.switch, logs, ppm, version };
            verdicts.entry(subject.patient).or_default().push((subject.enrollment, verdict));
        }
        Ok(verdicts)
    }
}

/// Whether the same model has seen the same before.
fn is_same(version: &str, hash: &[u8], latest: Option<&Latest>) -> bool {
    latest.is_some_and(|latest| latest.model_version == version && latest.inputs_hash == hash)
}

/// What the history is to be told: the score of a model that is on, once; and that a score is not shown any more.
fn fact(state: &EnrollmentState, verdict: &Verdict) -> Result<Option<Fact>, ScoreError> {
    let known = state.risk.as_ref();
    let is_known =
        known.is_some_and(|known| known.ppm == verdict.ppm && known.model_version == verdict.version);
    let probability_ppm = match verdict.switch {
        SwitchState::On if is_known || matches!(state.standing, Standing::Over { .. }) => return Ok(None),
        SwitchState::On => verdict.ppm,
        SwitchState::Shadow | SwitchState::Off | SwitchState::SteppedBack
            if known.is_none_or(|known| known.ppm.is_none()) =>
        {
            return Ok(None);
        }
        SwitchState::Shadow | SwitchState::Off | SwitchState::SteppedBack => None,
    };
    let model = Name::parse(MODEL).map_err(|error| ScoreError::Interrupted(error.to_string()))?;
    Ok(Some(Fact::Scored { model, model_version: verdict.version.clone(), probability_ppm }))
}

fn line(patient: PatientId) -> AuditLine {
    AuditLine {
        actor: Actor::System.name(),
        action: "score",
        patient: Some(patient),
        subject: "patient".into(),
        detail: "{}".into(),
    }
}
