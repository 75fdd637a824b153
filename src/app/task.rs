//! What staff do with tasks: take one, give it back, write a note, record what came of it; and answers typed on the phone.

use std::collections::BTreeMap;

use tend_engine::{
    Name, PatientId, StaffId, TaskId,
    fact::{Answer, Fact, Mode, Occurrence, OutcomeCode},
};

use super::{Actor, App, RecordError, record::just_now};
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
        let task = self.open_task(id).await?;
        match &task.taken_by {
            Some((who, _)) if *who == by => Ok(()),
            Some((_, name)) => Err(TaskError::Taken { by: name.clone() }),
            None => self.taken(&task, by, Some(by)).await,
        }
    }

    /// Gives a task back.
    ///
    /// # Errors
    /// [`TaskError::Taken`] when it is somebody else's.
    pub async fn give_task_back(&self, id: TaskId, by: StaffId) -> Result<(), TaskError> {
        let task = self.open_task(id).await?;
        match &task.taken_by {
            Some((who, _)) if *who == by => self.taken(&task, by, None).await,
            Some((_, name)) => Err(TaskError::Taken { by: name.clone() }),
            None => Ok(()),
        }
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
        let task = self.open_task(task.id).await?;
        if let Some((_, name)) = task.taken_by.as_ref().filter(|(who, _)| *who != by) {
            return Err(TaskError::Taken { by: name.clone() });
        }
        if !note.is_empty() {
            self.note_task(&task, note, by).await?;
        }
        let fact = Fact::Outcome { task: task.key.clone(), code };
        self.record_of(&task, by, "outcome", fact).await
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

    async fn open_task(&self, id: TaskId) -> Result<TaskView, TaskError> {
        let task = self.store.task(id).await?.ok_or(TaskError::NotFound(id))?;
        if task.open { Ok(task) } else { Err(TaskError::Closed) }
    }

    async fn taken(&self, task: &TaskView, by: StaffId, holder: Option<StaffId>) -> Result<(), TaskError> {
        let fact = Fact::Taken { task: task.key.clone(), by: holder };
        self.record_of(task, by, "take", fact).await
    }

    async fn record_of(
        &self,
        task: &TaskView,
        by: StaffId,
        action: &'static str,
        fact: Fact,
    ) -> Result<(), TaskError> {
        let actor = Actor::Staff(by);
        let fact = just_now(actor, self.clock.now(), task.enrollment, fact);
        self.record(actor, action, task.patient, vec![fact], &FreeText::new()).await?;
        Ok(())
    }
}
