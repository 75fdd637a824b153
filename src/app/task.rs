//! What staff do with tasks: take one, give it back, write a note, record what came of it; and answers typed on the phone.

use std::collections::BTreeMap;

use tend_engine::{
    Name, PatientId, StaffId, TaskId,
    fact::{Answer, Fact, Mode, Occurrence, OutcomeCode},
};

use super::{
    Actor, App, RecordError,
    record::{TRIES_MAX, just_now},
};
use crate::store::{FreeText, StoreError, read::task::TaskView};

/// Why a task was not changed.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// No such task.
    #[error("task {0} does not exist")]
    NotFound(TaskId),
    /// Somebody else has it.
    #[error("already taken by {by}")]
    Taken {
        /// Who.
        by: String,
    },
    /// It is closed.
    #[error("the task is closed already")]
    Closed,
    /// The facts were not recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A questionnaire that a nurse typed.
#[derive(Debug, Clone)]
pub struct PhoneAnswer {
    /// Whose.
    pub patient: PatientId,
    /// Which occurrence.
    pub about: Occurrence,
    /// Which questionnaire.
    pub questionnaire: Name,
    /// Its version.
    pub questionnaire_version: String,
    /// In which language it was asked.
    pub language: String,
    /// Who answered.
    pub mode: Mode,
    /// Answers by item.
    pub answers: BTreeMap<Name, Answer>,
    /// Free text by item.
    pub words: BTreeMap<String, String>,
    /// Who typed.
    pub by: StaffId,
}

impl App {
    /// Takes a task, so that nobody else calls the patient too.
    ///
    /// # Errors
    /// [`TaskError::Taken`] when somebody else was faster.
    pub async fn take_task(&self, id: TaskId, by: StaffId) -> Result<(), TaskError> {
        self.change_task(id, by, "take", |task| {
            task.taken_by.is_none().then(|| Fact::Taken { task: task.key.clone(), by: Some(by) })
        })
        .await
    }

    /// Gives a task back.
    ///
    /// # Errors
    /// [`TaskError::Taken`] when it is somebody else's.
    pub async fn give_task_back(&self, id: TaskId, by: StaffId) -> Result<(), TaskError> {
        self.change_task(id, by, "take", |task| {
            task.taken_by.is_some().then(|| Fact::Taken { task: task.key.clone(), by: None })
        })
        .await
    }

    /// Records what came of a task; it is closed, and the rules of the workflow say what follows.
    ///
    /// # Errors
    /// [`TaskError`].
    pub async fn close_task(
        &self,
        task: &TaskView,
        code: OutcomeCode,
        note: &str,
        by: StaffId,
    ) -> Result<(), TaskError> {
        let task = self.own_task(task.id, by).await?;
        if !note.is_empty() {
            self.note_task(&task, note, by).await?;
        }
        self.change_task(task.id, by, "outcome", |task| Some(Fact::Outcome { task: task.key.clone(), code }))
            .await
    }

    /// Writes a note on a task. It is sealed under the patient's key.
    ///
    /// # Errors
    /// [`TaskError`].
    pub async fn note_task(&self, task: &TaskView, note: &str, by: StaffId) -> Result<(), TaskError> {
        let id = self.ids.fresh();
        Ok(self.store.write_note(id, task.id, task.patient, by, self.clock.now(), note).await?)
    }

    /// Records a questionnaire that a nurse typed.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn answer_by_phone(&self, answer: PhoneAnswer) -> Result<(), RecordError> {
        let actor = Actor::Staff(answer.by);
        let enrollment = answer.about.enrollment;
        let fact = Fact::Answered {
            about: answer.about,
            questionnaire: answer.questionnaire,
            questionnaire_version: answer.questionnaire_version,
            language: answer.language,
            mode: answer.mode,
            answers: answer.answers,
        };
        let fact = just_now(actor, self.clock.now(), Some(enrollment), fact);
        self.record(actor, "answer by phone", answer.patient, vec![fact], &answer.words).await?;
        Ok(())
    }

    /// An open task that nobody else holds.
    async fn own_task(&self, id: TaskId, by: StaffId) -> Result<TaskView, TaskError> {
        let task = self.store.task(id).await?.ok_or(TaskError::NotFound(id))?;
        if !task.open {
            return Err(TaskError::Closed);
        }
        match &task.taken_by {
            Some((who, name)) if *who != by => Err(TaskError::Taken { by: name.clone() }),
            _ => Ok(task),
        }
    }

    /// Records what `fact` makes of a task that nobody else holds. Who holds it is asked again once the patient is locked:
    /// of two who take it at the same moment one is told who has it.
    async fn change_task(
        &self,
        id: TaskId,
        by: StaffId,
        action: &'static str,
        fact: impl Fn(&TaskView) -> Option<Fact>,
    ) -> Result<(), TaskError> {
        let actor = Actor::Staff(by);
        for _ in 0..TRIES_MAX {
            let task = self.own_task(id, by).await?;
            let Some(fact) = fact(&task) else { return Ok(()) };
            let mut tx = self.store.begin();
            let mut locked = self.lock_one(&mut tx, task.patient).await?;
            let holder = task.taken_by.as_ref().map(|(who, _)| *who);
            if tx.holder_of_open_task(id).await? != Some(holder) {
                continue;
            }
            let fact = just_now(actor, self.clock.now(), task.enrollment, fact);
            match self.append(&mut tx, actor, action, &mut locked, vec![fact], &FreeText::new()).await {
                Err(RecordError::Store(StoreError::Conflict)) => {}
                appended => {
                    appended?;
                    return Ok(tx.commit().await?);
                }
            }
        }
        Err(StoreError::Conflict.into())
    }
}
