//! `tend why MESSAGE_OR_TASK_ID` and `tend replay ENROLLMENT [--at TIME]`: what led to it; how it stood then, and whether the
//! engine would decide all of it again.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use jiff::Timestamp;
use tend_engine::{
    EnrollmentId, MessageId,
    fact::Entry,
    state::{PatientState, Standing},
    why::{Subject, Why, in_words, state_at, why},
};

use crate::{
    library,
    store::{Open, Store, StoreError, Vault, read::why::About},
};

/// Say why a message was sent or a task opened
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// Id of a message or task, as the pages show it
    id: String,
    /// `sqlite://path` or `postgres://user@host/name`.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://tend.db", hide_env_values = true)]
    database_url: String,
}

/// Decide the history of an enrollment again, name what differs, and show how it stood then
///
/// Exit 1 when the engine that runs decided otherwise than it would now; what another version decided otherwise is named.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Id of the enrollment
    enrollment: String,
    /// The instant, such as 2026-03-05T12:00:00Z; by default the end of the history
    #[arg(long)]
    at: Option<String>,
    /// `sqlite://path` or `postgres://user@host/name`.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://tend.db", hide_env_values = true)]
    database_url: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    /// Not an id.
    #[error("\"{0}\" is not an id: it has 32 digits with or without hyphens")]
    NotAnId(String),
    /// Unknown.
    #[error("there is no message, task or enrollment {0} in this database")]
    Unknown(String),
    /// Not an instant.
    #[error("--at: \"{0}\" is not an instant: write it as 2026-03-05T12:00:00Z")]
    NotAnInstant(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No runtime.
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
}

/// Explains a message or task.
///
/// # Errors
/// [`WhyError`].
pub fn explain(args: &WhyArgs) -> Result<ExitCode, WhyError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let why = runtime.block_on(async {
        let store = open(&args.database_url).await?;
        // Both kinds of ids are read alike.
        let id = MessageId::parse(&args.id).map_err(|_| WhyError::NotAnId(args.id.clone()))?;
        let found = store.message_or_task(id.0).await?;
        let (patient, about) = found.ok_or_else(|| WhyError::Unknown(args.id.clone()))?;
        let history = store.whole_history(patient).await?;
        Ok::<_, WhyError>(match &about {
            About::Message(key) => why(&history, Subject::Message(key)),
            About::Task(key) => why(&history, Subject::Task(key)),
        })
    })?;
    let why = why.ok_or_else(|| WhyError::Unknown(args.id.clone()))?;
    print!("{}", in_lines(&why));
    Ok(ExitCode::SUCCESS)
}

/// Shows a state of the past, and whether its history is decided again as it was.
///
/// # Errors
/// [`WhyError`].
pub fn replay(args: &ReplayArgs) -> Result<ExitCode, WhyError> {
    let id = EnrollmentId::parse(&args.enrollment).map_err(|_| WhyError::NotAnId(args.enrollment.clone()))?;
    let at = args
        .at
        .as_ref()
        .map(|text| text.parse::<Timestamp>().map_err(|_| WhyError::NotAnInstant(text.clone())))
        .transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = open(&args.database_url).await?;
        let patient = store.patient_enrolled(id).await?;
        let patient = patient.ok_or_else(|| WhyError::Unknown(args.enrollment.clone()))?;
        let lines = store.lines_until(patient, at.unwrap_or(Timestamp::MAX)).await?;
        let history: Vec<Entry> = lines.iter().map(|line| line.entry.clone()).collect();
        let state = state_at(&history, Timestamp::MAX);
        let settings = match store.patient(patient).await? {
            Some(row) => store.settings_ever().await?.remove(&row.site).unwrap_or_default(),
            None => BTreeMap::new(),
        };
        let replayed = tend_engine::replay::replay(&store.library().await?, &settings, &lines);
        println!("{}{}", as_it_stood(&state, id, &history), replayed.in_words());
        replayed.differences.iter().for_each(|found| print!("{}", found.in_words()));
        Ok(if replayed.faults().next().is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

async fn open(url: &str) -> Result<Store, StoreError> {
    // Histories hold no identity: nothing that is sealed is opened.
    Store::open(url, Vault::new(&[0; 32]), Open::Beside).await
}

fn in_lines(why: &Why) -> String {
    let mut text = String::new();
    for link in &why.links {
        text += &format!("{:>6}  {}  {}\n", link.seq, link.at, link.what);
    }
    if let Some((workflow, version)) = &why.version {
        text += &format!("version {} of {workflow}", version.short());
        if let Some(from) = &why.from {
            text += &format!(", {from}");
            match library::line_of(&library::load(None), workflow, version, from) {
                Some(place) => text += &format!(": {place}"),
                None => text += " (the files here are of another version)",
            }
        }
        text.push('\n');
    }
    text
}

fn as_it_stood(state: &PatientState, id: EnrollmentId, history: &[Entry]) -> String {
    let Some(enrollment) = state.enrollments.get(&id) else {
        return "not enrolled yet at that time\n".to_owned();
    };
    let standing = match &enrollment.standing {
        Standing::Active => "active".to_owned(),
        Standing::Paused { until: Some(day), .. } => format!("paused until {day}"),
        Standing::Paused { until: None, .. } => "paused, with a review task".to_owned(),
        Standing::Over { because } => {
            format!("over {}", because.map(|why| format!("{why:?}")).unwrap_or_default())
        }
    };
    let mut text = format!(
        "{} version {}, {standing}, after entry {} at {}\n",
        enrollment.workflow,
        enrollment.version.short(),
        state.seq,
        state.recorded_at.map(|at| at.to_string()).unwrap_or_default()
    );
    for (name, value) in &enrollment.facts {
        text += &format!("  fact {name}: {value:?}\n");
    }
    for (name, anchor) in &enrollment.anchors {
        text += &format!("  {name}: {}\n", anchor.date);
    }
    for (name, step) in &enrollment.steps {
        for open in step.open.iter().filter(|open| open.closed.is_none()) {
            let asked = if open.asked_at.is_some() { "asked" } else { "not asked yet" };
            text += &format!("  {name} no. {}: open until {}, {asked}\n", open.ordinal, open.closes);
        }
    }
    for task in state.tasks.values().filter(|task| task.enrollment == Some(id)) {
        text += &format!(
            "  task {:?} {:?} for {:?} since {}\n",
            task.kind, task.level, task.role, task.opened_at
        );
    }
    for (key, message) in &state.messages {
        text += &format!("  message {}: {:?}\n", key.0, message.standing);
    }
    let last = history.iter().filter(|entry| entry.seq <= state.seq).rev().take(10).collect::<Vec<_>>();
    text += "the last entries before it:\n";
    for entry in last.into_iter().rev() {
        text += &format!("{:>6}  {}  {}\n", entry.seq, entry.recorded_at, in_words(&entry.fact));
    }
    text
}
