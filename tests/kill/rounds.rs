//! Many rounds on one database: due patients, a kill, a restart at once, and the audit.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tend::jobs::CONNECTIONS;

use super::ward::Ward;
use crate::support::auditor::Audit;
use crate::support::log;

const POINTS: [&str; 5] = ["after_claim", "after_begin", "mid_send", "before_finish", "after_finish"];
/// Patients who are due when a round begins, and those who come while it runs.
const DUE: usize = 24;
const MORE: usize = 8;
const FIRST_EFFECT: Duration = Duration::from_secs(5);
/// A fresh database after so many rounds: the auditor reads the whole of it after each.
const ROUNDS_PER_DATABASE: u32 = 50;
const SETTLED: Duration = Duration::from_secs(60);

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub database: &'static str,
    pub seed: u64,
    pub rounds: u32,
}

impl Plan {
    fn replay(self) -> String {
        let Plan { database, seed, rounds } = self;
        let test = format!("kill::rounds_on_{}", database.to_lowercase().replace("postgresql", "postgres"));
        format!(
            "TEND_KILL_SEED={seed} TEND_KILL_ROUNDS={rounds} cargo test --workspace --test tend {test} -- --nocapture"
        )
    }
}

/// How the process of a round dies.
#[derive(Debug, Clone)]
enum Death {
    /// By itself, at a named point.
    At(String),
    /// By `kill -9`, after so long.
    After(Duration),
}

/// What a round showed.
struct Shown {
    death: String,
    open: usize,
    uncertain: usize,
    first_effect: Option<Duration>,
}

/// Runs all rounds. Panics with the seed when the auditor finds anything.
pub async fn run(open: impl AsyncFn() -> Ward, plan: Plan) {
    let Plan { database, seed, rounds } = plan;
    println!("{rounds} kill rounds on {database}, seed {seed}");
    println!("replay: {}", plan.replay());
    let mut dice = Dice(seed | 1);
    let mut ward = open().await;
    let mut before = ward.audit().await;
    let (mut shown, mut audits) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        if round > 1 && (round - 1).is_multiple_of(ROUNDS_PER_DATABASE) {
            audits.push(before);
            ward = open().await;
            before = ward.audit().await;
        }
        let death = death(round, &mut dice);
        let (one, audit) = one_round(&ward, &death, &before).await;
        let context = format!("round {round} on {database}, seed {seed}, {death:?}");
        assert_eq!(audit.findings, Vec::<String>::new(), "{context}\n{}", ward.last_words());
        assert!(
            one.uncertain <= one.open,
            "{context}: {} in doubt with {} connections",
            one.uncertain,
            one.open
        );
        if let Some(effect) = one.first_effect {
            assert!(effect < FIRST_EFFECT, "{context}: first effect after {effect:?}");
        }
        shown.push(one);
        before = audit;
    }
    audits.push(before);
    println!("{}", report(plan, &shown, &audits));
    if let Some(folder) = std::env::var_os("TEND_KILL_REPORT") {
        let name = format!("kill-rounds-{}.md", database.to_lowercase());
        std::fs::write(std::path::Path::new(&folder).join(name), report(plan, &shown, &audits))
            .expect("a report");
    }
}

/// Half of the rounds die at a named point, each point in turn; the others at random.
fn death(round: u32, dice: &mut Dice) -> Death {
    if round.is_multiple_of(2) {
        return Death::After(Duration::from_millis(dice.roll(350)));
    }
    let point = POINTS[usize::try_from(round / 2).expect("small") % POINTS.len()];
    // Claims and commits are shared by many messages, so there are few of them in a round.
    let times = match point {
        "after_claim" => 1,
        "after_finish" => 1 + dice.roll(2),
        _ => 1 + dice.roll(DUE as u64 / 2),
    };
    Death::At(format!("{point}:{times}"))
}

async fn one_round(ward: &Ward, death: &Death, before: &Audit) -> (Shown, Audit) {
    ward.enroll_due(DUE).await;
    let started = micros();
    match death {
        Death::At(point) => {
            let mut process = ward.start(Some(point));
            ward.enroll_due(MORE).await;
            let died = tokio::task::block_in_place(|| process.died(Duration::from_secs(20)));
            assert!(died, "it came to {point}:\n{}", ward.last_words());
        }
        Death::After(after) => {
            let process = ward.start(None);
            ward.enroll_due(MORE).await;
            tokio::time::sleep(*after).await;
            process.kill();
        }
    }
    let killed = micros();
    let (restarted, left) = (micros(), ward.unsettled().await);
    let process = ward.start(None);
    ward.wait_until_settled(SETTLED).await;
    process.stop();
    let audit = ward.audit().await;
    let lines = log::read(ward.server.log());
    let at = |line: &serde_json::Value| line["at"].as_u64().unwrap_or(0);
    let first = lines.iter().find(|line| line["event"] == "accepted" && at(line) >= restarted);
    let first_effect = first.filter(|_| left > 0).map(|line| Duration::from_micros(at(line) - restarted));
    let shown = Shown {
        death: match death {
            Death::At(point) => point.clone(),
            Death::After(after) => format!("random, {} ms", after.as_millis()),
        },
        open: open_at_the_kill(&lines, started, killed),
        uncertain: audit.uncertain() - before.uncertain(),
        first_effect,
    };
    (shown, audit)
}

/// Connections of the killed process that were open when it died: those that it had not taken leave of.
fn open_at_the_kill(lines: &[serde_json::Value], started: u64, killed: u64) -> usize {
    let at = |line: &serde_json::Value| line["at"].as_u64().unwrap_or(0);
    let of = |event: &'static str| {
        let lines = lines.iter().filter(move |line| line["event"] == event);
        lines.filter(|line| (started..=killed).contains(&at(line)))
    };
    of("connected").count().saturating_sub(of("quit").count()).min(CONNECTIONS.into())
}

fn report(plan: Plan, shown: &[Shown], audits: &[Audit]) -> String {
    let mut text = String::new();
    let Plan { database, seed, rounds } = plan;
    let slowest = shown.iter().filter_map(|one| one.first_effect).max().unwrap_or_default();
    let _ = writeln!(text, "# {database}: {rounds} kill rounds, seed {seed}\n");
    let _ = writeln!(
        text,
        "`tend serve` is ended at a named point of a send, or by `kill -9` at random, and started again at once under\n\
         load. An auditor lays the database beside the mail server's own log after each round. Replay:\n\n\
         ```\n{}\n```\n",
        plan.replay()
    );
    let sum = |of: &dyn Fn(&Audit) -> usize| audits.iter().map(of).sum::<usize>();
    let _ = writeln!(text, "- databases: {}, a fresh one every {ROUNDS_PER_DATABASE} rounds", audits.len());
    let _ = writeln!(text, "- taken by the carrier: {}; none twice", sum(&|audit| audit.taken));
    let handed_over = |audit: &Audit| audit.in_state("handed_over") + audit.in_state("delivered");
    let _ = writeln!(text, "- handed over: {}", sum(&handed_over));
    let _ = writeln!(
        text,
        "- in doubt: {} ({} taken, {} never left), never more than the connections open at the kill",
        sum(&Audit::uncertain),
        sum(&|audit| audit.doubt_taken),
        sum(&|audit| audit.doubt_never_left)
    );
    let _ = writeln!(text, "- slowest first effect after a restart: {} ms\n", slowest.as_millis());
    let _ = writeln!(
        text,
        "| round | death | open connections | in doubt | first effect |\n|---|---|---|---|---|"
    );
    for (n, one) in shown.iter().enumerate() {
        let effect =
            one.first_effect.map_or_else(|| "nothing was left".into(), |at| format!("{} ms", at.as_millis()));
        let _ = writeln!(text, "| {} | {} | {} | {} | {effect} |", n + 1, one.death, one.open, one.uncertain);
    }
    text
}

fn micros() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a fresh seed when none is given")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    u64::try_from(since.as_micros()).expect("the year is before 586,000")
}

/// Xorshift: the same rolls for the same seed, on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}
