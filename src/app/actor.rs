//! Who does something, for the history and the audit log.

use tend_engine::{StaffId, fact::Author};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A member of staff who is signed in.
    Staff(StaffId),
    /// A patient, through a link.
    Patient,
    /// A carer, through a patient's link.
    Carer,
    /// A carrier: receipts, inbound texts.
    Carrier,
    /// The system: ticker, import, nightly scoring.
    System,
}

impl Actor {
    /// As the author of a fact.
    #[must_use]
    pub fn author(self) -> Author {
        match self {
            Self::Staff(id) => Author::Staff(id),
            Self::Patient => Author::Patient,
            Self::Carer => Author::Carer,
            Self::Carrier => Author::Carrier,
            Self::System => Author::System,
        }
    }

    /// As written in the audit log.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Staff(id) => format!("staff:{id}"),
            Self::Patient => "patient".into(),
            Self::Carer => "carer".into(),
            Self::Carrier => "carrier".into(),
            Self::System => "system".into(),
        }
    }
}
