//! From a planned message to the words that leave: today's language, the words of the version that the patient is on, the
//! site's numbers, and the link.

use std::borrow::Cow;

use tend_engine::{
    VersionHash,
    fact::{Occurrence, Purpose},
    model::{Channel, Does, Text, Workflow},
    planner::Library,
    site::SiteSettings,
    state::PatientState,
    text::{self, UnknownPlaceholder},
};

/// What leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Subject of a mail; empty for a text message.
    pub subject: String,
    /// Plain words.
    pub text: String,
    /// Language.
    pub language: String,
    /// The version whose words these are.
    pub version: Option<VersionHash>,
}

/// Why a message could not be put into words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// No version that the patient is on is in the library.
    #[error("no version that the patient is on is in the library")]
    NoVersion,
    /// `check` guarantees words in every declared language; this version lacks them.
    #[error("the version has no words \"{words}\" in \"{language}\"")]
    NoWords {
        /// Which.
        words: &'static str,
        /// In which language.
        language: String,
    },
    /// A placeholder that nobody fills.
    #[error(transparent)]
    Placeholder(#[from] UnknownPlaceholder),
}

/// Puts a message into words.
///
/// # Errors
/// [`RenderError`]; a published version that passed its check has none.
pub fn render(
    library: &Library,
    site: &SiteSettings,
    state: &PatientState,
    (purpose, channel): (Purpose, Channel),
    members: &[Occurrence],
    link: Option<&str>,
) -> Result<Rendered, RenderError> {
    let enrollment = match members.first() {
        Some(member) => state.enrollments.get(&member.enrollment),
        None => state.enrollments.values().next_back(),
    };
    let version = enrollment.map(|enrollment| enrollment.version.clone());
    let workflow = version.as_ref().and_then(|hash| library.get(hash)).ok_or(RenderError::NoVersion)?;
    let language = state.language.as_str();
    let (key, words) = words_of(workflow, purpose, members);
    let missing = |words| RenderError::NoWords { words, language: language.to_owned() };
    let words = words.and_then(|words| words.get(language)).ok_or_else(|| missing(key))?;
    let subject = match channel {
        Channel::Sms => None,
        Channel::Email => Some(
            workflow
                .words
                .get("email_subject")
                .and_then(|words| words.get(language))
                .ok_or_else(|| missing("email_subject"))?,
        ),
    };
    let fill = |words: &str| text::render(words, |name| placeholder(site, link, name));
    let words = match channel {
        Channel::Sms => words,
        // Nobody can text back to a mail.
        Channel::Email => text::without_stop_hint(words),
    };
    Ok(Rendered {
        subject: subject.map(fill).transpose()?.unwrap_or_default(),
        text: fill(words)?,
        language: language.to_owned(),
        version,
    })
}

fn placeholder<'a>(site: &'a SiteSettings, link: Option<&'a str>, name: &str) -> Option<Cow<'a, str>> {
    match name {
        "hospital" => Some(site.short_name.as_str().into()),
        "link" => link.map(Cow::from),
        "ward_phone" => Some(site.ward_phone.as_str().into()),
        "emergency_number" => Some(site.emergency_number.as_str().into()),
        "crisis_line" => Some(site.crisis_line.as_str().into()),
        _unknown => None,
    }
}

fn words_of<'a>(
    workflow: &'a Workflow,
    purpose: Purpose,
    members: &[Occurrence],
) -> (&'static str, Option<&'a Text>) {
    let default = |key: &'static str| (key, workflow.words.get(key));
    match purpose {
        Purpose::Ask => default("ask"),
        Purpose::Remind(_) => default("remind"),
        Purpose::Tell => ("tell", members.first().and_then(|member| told(workflow, member))),
        Purpose::StopConfirmation => default("stopped"),
        Purpose::StartConfirmation => default("started"),
        Purpose::Help => default("help"),
        Purpose::NotMonitored => default("not_monitored"),
    }
}

/// The words of a step that tells.
fn told<'a>(workflow: &'a Workflow, member: &Occurrence) -> Option<&'a Text> {
    match &workflow.step(&member.step)?.does {
        Does::Tell { words } => Some(words),
        Does::Ask { .. } | Does::Task { .. } | Does::Score { .. } => None,
    }
}
