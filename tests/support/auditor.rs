//! Reads a database and the carrier's own log, and says what should not be.

use std::collections::BTreeMap;
use std::path::Path;

use tend::app::App;
use tend::store::JobPool;

use super::log;

/// What the auditor saw.
#[derive(Debug, Default, Clone)]
pub struct Audit {
    /// Messages by state.
    pub states: BTreeMap<String, usize>,
    /// How often the carrier took something.
    pub taken: usize,
    /// In doubt, and the carrier has it.
    pub doubt_taken: usize,
    /// In doubt, and no byte of it was taken.
    pub doubt_never_left: usize,
    /// Sentences; none when all is well.
    pub findings: Vec<String>,
}

impl Audit {
    /// All in doubt.
    pub fn uncertain(&self) -> usize {
        self.doubt_taken + self.doubt_never_left
    }

    /// Messages in a state.
    pub fn in_state(&self, state: &str) -> usize {
        self.states.get(state).copied().unwrap_or(0)
    }
}

/// Every message's id, as the carrier knows it, with its state and key.
async fn messages(app: &App) -> Vec<(String, String, String)> {
    match app.store.job_pool() {
        JobPool::Sqlite(pool) => {
            let query = "select lower(hex(id)), state, key from message";
            sqlx::query_as(query).fetch_all(&pool).await
        }
        JobPool::Postgres(pool) => {
            let query = "select replace(id::text, '-', ''), state, key from message";
            sqlx::query_as(query).fetch_all(&pool).await
        }
    }
    .expect("messages can be read")
}

/// Compares what the database says with what the carrier's log says.
///
/// * no message was taken twice;
/// * what was taken is handed over, or in doubt, and nothing else;
/// * what is handed over was taken;
/// * nobody is lost, and every row is what the histories say.
pub async fn audit(app: &App, log: &Path) -> Audit {
    let mut audit = Audit::default();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for line in log::read(log).iter().filter(|line| line["event"] == "accepted") {
        let id = line["message_id"].as_str().expect("a mail has a Message-ID");
        let id = id.trim_matches(['<', '>']).split('@').next().unwrap_or_default().replace('-', "");
        *taken.entry(id).or_default() += 1;
        audit.taken += 1;
    }
    let mut finding = |text: String| audit.findings.push(text);
    for (id, times) in taken.iter().filter(|(_, times)| **times > 1) {
        finding(format!("message {id} was taken {times} times"));
    }
    let mut known = BTreeMap::new();
    for (id, state, key) in messages(app).await {
        let was_taken = taken.contains_key(&id);
        match (state.as_str(), was_taken) {
            ("handed_over" | "delivered", false) => finding(format!("{key} is {state}, but was never taken")),
            ("handed_over" | "delivered", true) => {}
            ("uncertain", true) => audit.doubt_taken += 1,
            ("uncertain", false) => audit.doubt_never_left += 1,
            (_, true) => finding(format!("{key} was taken, but is {state}")),
            (_, false) => {}
        }
        *audit.states.entry(state.clone()).or_default() += 1;
        known.insert(id, state);
    }
    for id in taken.keys().filter(|id| !known.contains_key(*id)) {
        finding(format!("{id} was taken, but no message has that id"));
    }
    let doctor = app.doctor(true).await.expect("the doctor can read");
    for difference in doctor.differences {
        finding(format!("a row is not what the history says: {difference}"));
    }
    for lost in doctor.lost {
        finding(lost.to_string());
    }
    audit
}
