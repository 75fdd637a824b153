//! A patient's link: where it leads, the date of birth that opens it, and the session behind it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use tend_engine::{
    MessageId, Name, PatientId,
    fact::{Closing, Fact, NewFact, Occurrence, TaskKey, TaskPlan},
    keys,
    model::{Does, LevelId, Role, TaskKind, Text},
    planner::AdvanceError,
    site::SiteSettings,
    state::{EnrollmentState, PatientState, Standing},
};

use super::{
    Actor, App, Live, RecordError,
    form::{Draft, Form, Part},
    record::{TRIES_MAX, just_now},
};
use crate::store::{FreeText, StoreError, read::LinkRow};

/// Wrong dates of birth before a link is locked.
pub const BIRTH_DATES_MAX: u32 = 5;
/// Hours for a clerk to look at a locked link.
const CLERK_HOURS: i64 = 24;
const CLERK_MINUTES: u32 = 5;

/// What can go wrong behind a link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It could not be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What comes next cannot be foreseen.
    #[error("what comes next cannot be foreseen: {0}")]
    Preview(#[from] AdvanceError),
}

impl From<StoreError> for LinkError {
    fn from(error: StoreError) -> Self {
        Self::Record(error.into())
    }
}

impl LinkError {
    /// Another writer was faster: read again and decide again.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Record(RecordError::Store(StoreError::Conflict)))
    }
}

/// Where a link leads.
#[derive(Debug)]
pub enum Opened {
    /// There is no such link.
    Unknown,
    /// Nothing can be answered behind it any more.
    Gone(Box<Closed>),
    /// A form.
    Here(Box<Visit>),
}

/// A link behind which nothing can be answered any more.
#[derive(Debug)]
pub struct Closed {
    /// Why.
    pub why: Gone,
    /// The link.
    pub link: LinkRow,
    /// The patient.
    pub state: PatientState,
    /// Whom to call.
    pub site: SiteSettings,
}

/// Why nothing can be answered behind a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Its time is over.
    Expired,
    /// The answers have arrived.
    Answered,
    /// Not needed any more, or taken back.
    Withdrawn,
    /// Too many wrong dates of birth.
    Locked,
}

/// A form and whose it is.
#[derive(Debug)]
pub struct Visit {
    /// The link.
    pub link: LinkRow,
    /// The patient as the visit began.
    pub state: PatientState,
    /// The site's settings.
    pub site: SiteSettings,
    /// What is asked.
    pub form: Form,
}

/// Whether the date of birth was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It was.
    Right,
    /// It was not; so many tries are left.
    Wrong(u32),
    /// It was not, and the link is locked now.
    Locked,
}

impl App {
    /// Where the link leads now. Changes nothing.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn open_link(&self, token: &str) -> Result<Opened, LinkError> {
        let live = self.live();
        let Some(link) = self.store.link(token).await? else { return Ok(Opened::Unknown) };
        // The drafts before the state: a submission takes both away at once, so whoever finds no draft any more
        // finds the answers, and not an empty form.
        let asked: Vec<String> = link.plan.members.iter().map(keys::occurrence).collect();
        let drafts = self.store.drafts(link.patient, &asked).await?;
        let Some(patient) = self.store.patient(link.patient).await? else { return Ok(Opened::Unknown) };
        let site = self.site(link.site);
        let state = patient.state;
        match self.standing(&live, &link, &state, drafts) {
            Ok(form) => Ok(Opened::Here(Box::new(Visit { link, state, site, form }))),
            Err(why) => Ok(Opened::Gone(Box::new(Closed { why, link, state, site }))),
        }
    }

    fn standing(
        &self,
        live: &Live,
        link: &LinkRow,
        state: &PatientState,
        mut drafts: BTreeMap<String, Draft>,
    ) -> Result<Form, Gone> {
        let now = self.clock.now();
        if link.revoked || state.died.is_some() {
            return Err(Gone::Withdrawn);
        }
        if link.locked {
            return Err(Gone::Locked);
        }
        if link.expires_at <= now {
            return Err(Gone::Expired);
        }
        let mut parts = Vec::new();
        let mut gone = Vec::new();
        for about in &link.plan.members {
            match part(live, state, about, now) {
                Ok(part) => parts.push(part),
                Err(why) => gone.push(why),
            }
        }
        if parts.is_empty() {
            let answered = gone.contains(&Gone::Answered);
            let why =
                if answered { Gone::Answered } else { gone.first().copied().unwrap_or(Gone::Withdrawn) };
            return Err(why);
        }
        for part in &mut parts {
            part.draft = drafts.remove(&keys::occurrence(&part.about)).unwrap_or_default();
        }
        Ok(Form::of(parts))
    }

    /// Looks at a date of birth. The fifth wrong one locks the link and gives a clerk a task.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn prove(&self, visit: &Visit, given: Date) -> Result<Proof, LinkError> {
        let now = self.clock.now();
        let who = self.store.demographics(visit.link.patient).await?;
        if who.is_some_and(|who| who.birth_date == given) {
            let mut tx = self.store.begin();
            tx.link_opened(&visit.link.token_hash, now).await?;
            tx.commit().await?;
            return Ok(Proof::Right);
        }
        for _ in 1..TRIES_MAX {
            match self.wrong_date(visit, now).await {
                Err(error) if error.is_conflict() => {}
                done => return done,
            }
        }
        self.wrong_date(visit, now).await
    }

    async fn wrong_date(&self, visit: &Visit, now: Timestamp) -> Result<Proof, LinkError> {
        let mut tx = self.store.begin();
        // Whoever was set aside has an owned task already; the link is locked all the same.
        let patient = match self.lock_one(&mut tx, visit.patient()).await {
            Ok(patient) => Some(patient),
            Err(RecordError::NotThere) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(tries) = tx.link_tried(&visit.link.token_hash).await? else { return Ok(Proof::Locked) };
        if tries < BIRTH_DATES_MAX {
            tx.commit().await?;
            return Ok(Proof::Wrong(BIRTH_DATES_MAX - tries));
        }
        tx.lock_link(&visit.link.token_hash, now).await?;
        if let Some(mut patient) = patient {
            let facts = vec![clerk_task(&patient.state, visit.link.message, now)];
            let nothing = FreeText::new();
            self.append(&mut tx, Actor::System, "lock_link", &mut patient, facts, &nothing).await?;
        }
        tx.commit().await?;
        Ok(Proof::Locked)
    }
}

/// What is asked about an occurrence, or why nothing is.
fn part(live: &Live, state: &PatientState, about: &Occurrence, now: Timestamp) -> Result<Part, Gone> {
    let enrollment = state.enrollments.get(&about.enrollment).ok_or(Gone::Withdrawn)?;
    let open = state.occurrence(about).ok_or(Gone::Expired)?;
    let version = enrollment.version_of(&about.step);
    match open.closed {
        // Its step is none of the version that the patient was moved to: what was asked may still be answered.
        Some(Closing::Withdrawn) if *version != enrollment.version => {}
        Some(Closing::Done) => return Err(Gone::Answered),
        Some(Closing::Withdrawn | Closing::NotNeeded | Closing::Satisfied) => return Err(Gone::Withdrawn),
        Some(
            Closing::Silent
            | Closing::Undone
            | Closing::NotAskedLate
            | Closing::NotAskedCapped
            | Closing::NotAskedSuppressed
            | Closing::NotAskedUndelivered,
        )
        | None => {}
    }
    if matches!(enrollment.standing, Standing::Over { .. }) {
        return Err(Gone::Withdrawn);
    }
    if open.expires <= now {
        return Err(Gone::Expired);
    }
    let workflow = live.library.get(version).ok_or(Gone::Withdrawn)?;
    let step = workflow.step(enrollment.name_now(&about.step)).ok_or(Gone::Withdrawn)?;
    let Does::Ask { questionnaire, .. } = &step.does else { return Err(Gone::Withdrawn) };
    Ok(Part {
        about: about.clone(),
        workflow: workflow.clone(),
        questionnaire: questionnaire.clone(),
        late: open.closed.is_some() || open.closes <= now,
        flagged: open.flagged.clone(),
        last: latest(enrollment),
        draft: Draft::default(),
    })
}

fn latest(enrollment: &EnrollmentState) -> BTreeMap<Name, tend_engine::Decimal> {
    let last = |(name, series): (&Name, &Vec<(Date, tend_engine::Decimal)>)| {
        series.last().map(|(_, value)| (name.clone(), *value))
    };
    enrollment.series.iter().filter_map(last).collect()
}

fn clerk_task(state: &PatientState, message: MessageId, now: Timestamp) -> NewFact {
    let words = |en: &str, zh: &str| {
        Text(BTreeMap::from([("en".to_owned(), en.to_owned()), ("zh".to_owned(), zh.to_owned())]))
    };
    let enrollment = state.enrollments.keys().next().copied();
    let plan = TaskPlan {
        key: TaskKey(format!("link/{message}/locked")),
        kind: TaskKind::Admin,
        role: Role::Clerk,
        level: LevelId::Blue,
        title: words(
            "Check the address: a link was locked after five wrong dates of birth",
            "请核对联系方式：链接因五次出生日期错误而锁定",
        ),
        because: vec![words(
            "The message may have reached another person, or the date of birth on record is wrong",
            "信息可能发给了他人，或登记的出生日期有误",
        )],
        about: None,
        rule: None,
        cause: None,
        minutes: CLERK_MINUTES,
        opened_at: now,
        respond_by: now.saturating_add(SignedDuration::from_hours(CLERK_HOURS)).ok(),
        window_closes: None,
    };
    just_now(Actor::System, now, enrollment, Fact::TaskOpened(plan))
}

/// Whether an occurrence may still be answered.
pub(super) fn still_open(live: &Live, state: &PatientState, about: &Occurrence, now: Timestamp) -> bool {
    state.died.is_none() && part(live, state, about, now).is_ok()
}

impl Visit {
    /// Which.
    #[must_use]
    pub fn patient(&self) -> PatientId {
        self.link.patient
    }
}
