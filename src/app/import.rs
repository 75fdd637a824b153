//! Importing patients: the lines of an upload are read at once, stored sealed, and enrolled one after the other by a long
//! job. A line is enrolled and ticked off in the same commit.

use serde::{Deserialize, Serialize};
use tend_engine::{Name, SiteId, StaffId};

use super::{
    Actor, App, RecordError,
    enroll::EnrollError,
    long_job::{RunEnd, Stopped, uuid},
    register::Register,
};
use crate::store::{AuditLine, HeldJob, LongJob, LongKind, NewLine, NewLongJob, StoreError};

/// Lines that are read at a time.
const LINES_READ: i64 = 20;

/// Why a line was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Said when it was read, in the language of whoever uploaded it.
    Said(String),
    /// The patient is here already.
    Here,
    /// The number belongs to somebody else.
    SameNumber,
    /// A value that the workflow needs is missing.
    Missing,
    /// A value that the workflow does not allow.
    NotAllowed,
    /// The workflow is not published here any more.
    NotPublished,
    /// The engine cannot go on with this patient.
    Engine,
    /// The job was given up before it came to this line.
    NotTried,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRefusal {
    /// The column; empty for the whole line.
    pub column: String,
    /// Why.
    pub why: Why,
}

impl LineRefusal {
    fn at(column: impl Into<String>, why: Why) -> Self {
        Self { column: column.into(), why }
    }

    pub(super) fn not_tried() -> Self {
        Self::at("", Why::NotTried)
    }

    pub(super) fn report(refusals: &[Self]) -> String {
        serde_json::to_string(refusals).unwrap_or_default()
    }
}

/// A line of an upload, as it was read.
#[derive(Debug, Clone)]
pub struct ImportLine {
    /// From 1, the heading included, as editors count.
    pub number: u32,
    /// What it says, or what is wrong with it.
    pub read: Result<Register, Vec<LineRefusal>>,
}

/// How an import stands.
#[derive(Debug, Clone)]
pub struct ImportStands {
    /// The job.
    pub job: LongJob,
    /// Lines that were not looked at yet.
    pub waiting: u32,
    /// Enrolled.
    pub enrolled: u32,
    /// Refused.
    pub refused: u32,
}

impl App {
    /// Stores an upload and asks for the job that enrols it; gives the job.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn start_import(
        &self,
        site: SiteId,
        by: StaffId,
        workflow: &Name,
        lines: &[ImportLine],
    ) -> Result<u128, StoreError> {
        let id = self.ids.fresh();
        let now = self.clock.now();
        let name = format!("import {}", uuid(id));
        let body = workflow.to_string();
        let job = NewLongJob { id, site, kind: LongKind::Import, name, asked_by: Some(by), body };
        let lines: Vec<NewLine> = lines.iter().map(stored).collect();
        let mut tx = self.store.begin();
        tx.add_long_job(&job, now).await?;
        tx.add_lines(id, &lines).await?;
        let line = AuditLine {
            actor: Actor::Staff(by).name(),
            action: "import",
            patient: None,
            subject: format!("import {}", uuid(id)),
            detail: format!("{{\"lines\":{}}}", lines.len()),
        };
        self.note_in(&mut tx, line, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// How an import of a site stands; `None` when there is none of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn import_stands(&self, site: SiteId, id: u128) -> Result<Option<ImportStands>, StoreError> {
        let Some(job) = self.store.long_job(id).await? else { return Ok(None) };
        if job.site != site || job.kind != LongKind::Import {
            return Ok(None);
        }
        let counts = self.store.line_counts(id).await?;
        Ok(Some(ImportStands {
            job,
            waiting: counts.waiting,
            enrolled: counts.enrolled,
            refused: counts.refused,
        }))
    }

    /// The refused lines of an import, with what is wrong.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn import_refused(&self, id: u128) -> Result<Vec<(u32, Vec<LineRefusal>)>, StoreError> {
        let lines = self.store.refused_lines(id).await?;
        Ok(lines
            .into_iter()
            .map(|(line, report)| (line, serde_json::from_str(&report).unwrap_or_default()))
            .collect())
    }

    pub(super) async fn run_import(
        &self,
        job: &LongJob,
        held: HeldJob,
        stop: &Stopped<'_>,
    ) -> Result<RunEnd, StoreError> {
        let actor = job.asked_by.map_or(Actor::System, Actor::Staff);
        loop {
            let lines = self.store.waiting_lines(job.id, LINES_READ).await?;
            if lines.is_empty() {
                return Ok(RunEnd::Done);
            }
            for (number, read) in lines {
                if stop() {
                    return Ok(RunEnd::Stopped);
                }
                match self.import_line(job, held, actor, number, &read).await {
                    // Another run did this line, or has the job: the next look shows what is left.
                    Err(StoreError::Conflict) => {
                        self.is_still_mine(held).await?;
                        break;
                    }
                    other => other?,
                }
            }
        }
    }

    /// One line in one commit: the patient with all rows, the tick, and the job's progress.
    async fn import_line(
        &self,
        job: &LongJob,
        held: HeldJob,
        actor: Actor,
        number: u32,
        read: &str,
    ) -> Result<(), StoreError> {
        let register: Register =
            serde_json::from_str(read).map_err(|error| StoreError::unreadable("import line", error))?;
        let who = &register.newcomer.demographics;
        let here = self.same_person(job.site, who, &register.newcomer.identifiers).await?;
        if !here.is_empty() {
            return self.refuse_line(job.id, held, number, LineRefusal::at("name", Why::Here)).await;
        }
        let mut tx = self.store.begin();
        match self.register_in(&mut tx, actor, register).await {
            Ok(enrolled) => {
                tx.line_enrolled(job.id, number, enrolled.patient).await?;
                tx.got_on(held, 1, None).await?;
                tx.commit().await
            }
            Err(error) => {
                tx.rollback().await?;
                let refusal = refusal(error)?;
                self.refuse_line(job.id, held, number, refusal).await
            }
        }
    }

    async fn refuse_line(
        &self,
        job: u128,
        held: HeldJob,
        number: u32,
        refusal: LineRefusal,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin();
        tx.line_refused(job, number, &LineRefusal::report(&[refusal])).await?;
        tx.got_on(held, 1, None).await?;
        tx.commit().await
    }
}

fn stored(line: &ImportLine) -> NewLine {
    let (read, report) = match &line.read {
        Ok(register) => (serde_json::to_string(register).ok(), "[]".to_owned()),
        Err(refusals) => (None, LineRefusal::report(refusals)),
    };
    NewLine { number: line.number, read, report }
}

/// What a line is refused for, or what is not its fault.
fn refusal(error: EnrollError) -> Result<LineRefusal, StoreError> {
    Ok(match error {
        EnrollError::NotPublished(_) => LineRefusal::at("", Why::NotPublished),
        EnrollError::Language(_) => LineRefusal::at("language", Why::NotAllowed),
        EnrollError::Zone(_) => LineRefusal::at("zone", Why::NotAllowed),
        EnrollError::MissingFact(name) => LineRefusal::at(format!("fact-{name}"), Why::Missing),
        EnrollError::WrongFact(name) => LineRefusal::at(format!("fact-{name}"), Why::NotAllowed),
        EnrollError::MissingAnchor(name) => LineRefusal::at(format!("anchor-{name}"), Why::Missing),
        EnrollError::UnknownAnchor(name) => LineRefusal::at(format!("anchor-{name}"), Why::NotAllowed),
        EnrollError::TooMany => LineRefusal::at("", Why::Engine),
        EnrollError::Record(RecordError::Engine(_) | RecordError::NotThere) => {
            LineRefusal::at("", Why::Engine)
        }
        EnrollError::Record(RecordError::Store(StoreError::KnownIdentifier)) => {
            LineRefusal::at("number", Why::SameNumber)
        }
        EnrollError::Record(RecordError::Store(error)) => return Err(error),
    })
}
