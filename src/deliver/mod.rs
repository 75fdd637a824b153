//! Carriers: how a rendered message leaves the house. SMTP for e-mail, Kannel for SMS, the demo's own mailbox.
//!
//! Each adapter answers one question with three endings (`ports::Handover`): taken, a clear no, or no clear answer.
//! It knows nothing of patients, of the database or of why a message is sent.

pub mod kannel;
pub mod mail;
pub mod mailbox;
pub mod smtp;

use std::time::Instant;

use crate::ports::{Handover, Outgoing, Refusal};

/// Longest stretch of a carrier's words that is kept with a refusal.
pub const CARRIER_WORDS_MAX: usize = 120;

/// Why a carrier cannot be used as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {what}")]
pub struct BadSetting {
    /// Which setting.
    pub setting: &'static str,
    /// What is wrong with it, and what to write instead. Holds no password.
    pub what: String,
}

/// A clear no that may be a yes later.
fn not_now(reason: impl Into<String>) -> Refusal {
    Refusal { permanent: false, retry_after_seconds: None, reason: reason.into() }
}

/// A clear no for good.
fn never(reason: impl Into<String>) -> Refusal {
    Refusal { permanent: true, retry_after_seconds: None, reason: reason.into() }
}

/// Asked right before the first byte: a claim that ran out may belong to somebody else by now.
fn ran_out(message: &Outgoing) -> Option<Handover> {
    (Instant::now() >= message.deadline)
        .then(|| Handover::Refused(not_now("the claim ran out before the first byte left")))
}

/// A carrier's words, cut to size and without what looks like an address or a number of a patient.
fn without_addresses(words: &str) -> String {
    let private = |word: &&str| {
        word.contains('@') || word.chars().filter(char::is_ascii_digit).count() > 6 || word.len() > 40
    };
    let kept: Vec<&str> = words.split_whitespace().filter(|word| !private(word)).collect();
    kept.join(" ").chars().filter(|c| !c.is_control()).take(CARRIER_WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_the_words_but_no_address() {
        let words = "550 5.1.1 <li.wei@patients.example>: Recipient +8613800000001 unknown\r\nin table";
        assert_eq!(without_addresses(words), "550 5.1.1 Recipient unknown in table");
        assert_eq!(without_addresses(&"no ".repeat(100)).len(), CARRIER_WORDS_MAX);
    }
}
