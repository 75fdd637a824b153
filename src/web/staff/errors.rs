//! Errors of use cases, translated once into what a page says.

use crate::{
    app::{RecordError, doubt::DoubtError, patient_change::ChangeError, task::TaskError},
    store::read::StoreError,
    web::WebError,
};

impl From<RecordError> for WebError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::NotThere => Self::Conflict,
            RecordError::Engine(error) => Self::internal(error),
            RecordError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}

impl From<TaskError> for WebError {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::NotFound(_) => Self::NotFound,
            TaskError::Taken { .. } | TaskError::Closed => Self::Conflict,
            TaskError::Record(error) => error.into(),
            TaskError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for WebError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Record(error) => error.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<DoubtError> for WebError {
    fn from(error: DoubtError) -> Self {
        match error {
            DoubtError::Settled => Self::Conflict,
            DoubtError::Record(error) => error.into(),
        }
    }
}
