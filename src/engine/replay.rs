//! Deciding a history again. Every batch of facts is given once more to the engine that runs, on the state and under the
//! site's settings as they stood then; what it decides is laid beside what was stored. Within an engine version both are
//! the same; what another version decides otherwise is named.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    EnrollmentId,
    fact::{Author, Entry, Fact, NewFact},
    planner::{AdvanceError, Library, Made, Under, advance},
    site::SiteSettings,
    state::{ENGINE_VERSION, PatientState},
    why::in_words,
};

/// An entry as it was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The entry.
    pub entry: Entry,
    /// How it came to be.
    pub made: Made,
}

/// A batch that would be decided otherwise now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// When it was decided.
    pub at: Timestamp,
    /// The last entry before it.
    pub after: u64,
    /// The engine that decided it; 0 where that was not kept yet.
    pub engine: u16,
    /// What was decided then and would not be now.
    pub then: Vec<(Option<EnrollmentId>, Fact)>,
    /// What would be decided now and was not then.
    pub now: Vec<(Option<EnrollmentId>, Fact)>,
    /// Why nothing can be decided now.
    pub refused: Option<AdvanceError>,
}

impl Difference {
    /// Whether the very engine that runs decided so: then it must not be.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        self.engine == ENGINE_VERSION
    }

    /// What differs, a line each.
    #[must_use]
    pub fn in_words(&self) -> String {
        let by = match self.engine {
            0 => "before engine versions were kept".to_owned(),
            ENGINE_VERSION => format!("by engine {ENGINE_VERSION}, the one that runs"),
            other => format!("by engine {other}"),
        };
        let mut text = format!("{}  after entry {}, decided {by}\n", self.at, self.after);
        for (_, fact) in &self.then {
            text += &format!("    stored: {}\n", in_words(fact));
        }
        for (_, fact) in &self.now {
            text += &format!("    now:    {}\n", in_words(fact));
        }
        if let Some(refused) = &self.refused {
            text += &format!("    now:    nothing, {refused}\n");
        }
        text
    }
}

impl Replayed {
    /// Differences to what the very engine that runs decided: none, or this program is at fault.
    pub fn faults(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|found| found.is_fault())
    }

    /// How much was decided again, in a line.
    #[must_use]
    pub fn in_words(&self) -> String {
        let engines: Vec<String> = self
            .engines
            .iter()
            .map(|(engine, batches)| match engine {
                0 => format!("{batches} from before engine versions were kept"),
                _ => format!("{batches} by engine {engine}"),
            })
            .collect();
        let came = match self.differences.len() {
            0 => "all as stored".to_owned(),
            1 => "one otherwise".to_owned(),
            many => format!("{many} otherwise"),
        };
        format!(
            "{} entries in {} batches ({}), decided again by engine {ENGINE_VERSION}: {came}",
            self.entries,
            self.batches,
            engines.join(", ")
        )
    }
}

/// What came of deciding a history again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Entries looked at.
    pub entries: usize,
    /// Batches that were decided again.
    pub batches: usize,
    /// Batches by the engine that decided them; 0 where that was not kept yet.
    pub engines: BTreeMap<u16, usize>,
    /// What would be decided otherwise, oldest first.
    pub differences: Vec<Difference>,
}

/// Decides a whole history again, from its first entry on. `settings` has every version of the site's settings.
#[must_use]
pub fn replay(library: &Library, settings: &BTreeMap<u64, SiteSettings>, lines: &[Line]) -> Replayed {
    let built_in = SiteSettings::default();
    let latest = settings.values().next_back().unwrap_or(&built_in);
    let mut replayed = Replayed { entries: lines.len(), ..Replayed::default() };
    let mut state = PatientState::default();
    let mut told = BTreeSet::new();
    let mut left = lines;
    while !left.is_empty() {
        let (batch, rest) = left.split_at(length(left));
        left = rest;
        if let Some(under) = batch[0].made.under() {
            replayed.batches += 1;
            *replayed.engines.entry(under.engine).or_default() += 1;
            let site = settings.get(&under.settings).unwrap_or(latest);
            if let Some(mut found) = again(library, site, &state, batch, under) {
                // What is wanted now is wanted again at every later look: it is told once.
                found.now.retain(|(_, fact)| told.insert(subject(fact)));
                if found.refused.is_some() || !found.then.is_empty() || !found.now.is_empty() {
                    replayed.differences.push(found);
                }
            }
        }
        batch.iter().for_each(|line| state.fold(&line.entry));
    }
    replayed
}

/// So many of the first lines were made in one go: what was given, and what was decided on it.
fn length(lines: &[Line]) -> usize {
    let (under, at) = (lines[0].made.under(), lines[0].entry.recorded_at);
    let in_one_go = |line: &&Line| line.made.under() == under && line.entry.recorded_at == at;
    let given = lines.iter().take_while(in_one_go).take_while(|line| is_given(line)).count();
    given + lines[given..].iter().take_while(in_one_go).take_while(|line| !is_given(line)).count()
}

fn is_given(line: &Line) -> bool {
    match line.made {
        Made::Given(_) | Made::Kept => true,
        Made::Decided(_) => false,
        Made::Unknown => {
            let of_carrier = matches!(
                line.entry.fact,
                Fact::Claimed { .. } | Fact::Released { .. } | Fact::HandedOver { .. } | Fact::Receipt { .. }
            );
            line.entry.author != Author::Engine || of_carrier
        }
    }
}

/// Decides one batch again on a copy of the state.
fn again(
    library: &Library,
    site: &SiteSettings,
    state: &PatientState,
    batch: &[Line],
    under: Under,
) -> Option<Difference> {
    let (given, decided) = batch.split_at(batch.iter().take_while(|line| is_given(line)).count());
    let facts = given.iter().map(|line| NewFact {
        enrollment: line.entry.enrollment,
        occurred_at: line.entry.occurred_at,
        author: line.entry.author,
        fact: line.entry.fact.clone(),
    });
    let mut found = Difference {
        at: batch[0].entry.recorded_at,
        after: state.seq,
        engine: under.engine,
        then: Vec::new(),
        now: Vec::new(),
        refused: None,
    };
    match advance(library, site, &mut state.clone(), facts.collect(), found.at) {
        Ok(advanced) => {
            let now = &advanced.entries[given.len()..];
            if now.iter().eq(decided.iter().map(|line| &line.entry)) {
                return None;
            }
            found.now = now.iter().map(decision).collect();
        }
        Err(refused) => found.refused = Some(refused),
    }
    found.then = decided.iter().map(|line| decision(&line.entry)).collect();
    let same = |one: &mut Vec<_>, other: &[_]| one.retain(|decision| !other.contains(decision));
    let (mut then, mut now) = (found.then.clone(), found.now.clone());
    same(&mut then, &found.now);
    same(&mut now, &found.then);
    // Where only the order is another one, all of it is told.
    if found.refused.is_some() || !then.is_empty() || !now.is_empty() {
        (found.then, found.now) = (then, now);
    }
    Some(found)
}

fn decision(entry: &Entry) -> (Option<EnrollmentId>, Fact) {
    (entry.enrollment, entry.fact.clone())
}

/// What a decision is about, for telling it once.
fn subject(fact: &Fact) -> String {
    match fact {
        Fact::Opened { about, .. } => format!("opened {about:?}"),
        Fact::Planned(plan) => format!("planned {:?}", plan.key),
        Fact::TaskOpened(plan) => format!("task {:?}", plan.key),
        other => format!("{other:?}"),
    }
}
