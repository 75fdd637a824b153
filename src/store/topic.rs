//! What a commit may have moved. Each kind of worker hears of its own, so that a busy one does not keep the others looking.

use jiff::{SignedDuration, Timestamp};

/// A wake-up that is no nearer than this is nothing to tell of: workers look once a second all the same.
pub const SOON: SignedDuration = SignedDuration::from_secs(1);

/// What somebody may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A patient is due, or soon will be.
    Due,
    /// A message may go.
    Messages,
    /// A score is wanted.
    Scores,
    /// A long job was asked for.
    LongJobs,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Due, Self::Messages, Self::Scores, Self::LongJobs];

    fn bit(self) -> u8 {
        match self {
            Self::Due => 1,
            Self::Messages => 2,
            Self::Scores => 4,
            Self::LongJobs => 8,
        }
    }
}

/// Several of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Topics(u8);

impl Topics {
    /// Every one.
    pub fn all() -> Self {
        let mut all = Self::default();
        Topic::ALL.into_iter().for_each(|topic| all.add(topic));
        all
    }

    pub fn add(&mut self, topic: Topic) {
        self.0 |= topic.bit();
    }

    pub fn join(&mut self, others: Self) {
        self.0 |= others.0;
    }

    pub fn has(self, topic: Topic) -> bool {
        self.0 & topic.bit() != 0
    }

    /// A patient was advanced at `now` and is due next at `wake_at`.
    pub fn due(&mut self, wake_at: Option<Timestamp>, now: Option<Timestamp>) {
        let soon = now.and_then(|now| now.checked_add(SOON).ok());
        if wake_at.is_some_and(|at| soon.is_none_or(|soon| at <= soon)) {
            self.add(Topic::Due);
        }
    }

    /// As other nodes hear it.
    pub fn word(self) -> String {
        self.0.to_string()
    }

    /// From what another node said; everything where that is not understood.
    pub fn of(word: &str) -> Self {
        word.parse().map_or_else(|_| Self::all(), Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_travel_as_a_word() {
        let mut topics = Topics::default();
        topics.add(Topic::Scores);
        topics.add(Topic::Due);
        assert_eq!(Topics::of(&topics.word()), topics);
        assert!(topics.has(Topic::Due) && !topics.has(Topic::Messages));
        assert_eq!(Topics::of("what?"), Topics::all());
    }

    #[test]
    fn a_patient_who_is_due_within_a_second_is_worth_telling_of() {
        let now = Timestamp::UNIX_EPOCH;
        let tells = |wake_at: Option<Timestamp>| {
            let mut topics = Topics::default();
            topics.due(wake_at, Some(now));
            topics.has(Topic::Due)
        };
        let later = now + SOON + SignedDuration::from_micros(1);
        assert_eq!([Some(now), Some(now + SOON), Some(later), None].map(tells), [true, true, false, false]);
    }
}
