//! The watch over a model that is in use: do as many patients have the event as it said, month by month, in every part of the
//! patients; do patients still look as in training; does the challenger do better on the same patients.
//!
//! A month counts once it is over by the horizon and the outcomes of nearly all who were scored in it are known: events are
//! told sooner than their absence. A version's chart begins with its first score, so that a mended model is not blamed for
//! the one before. When a month says so twice, the model steps back: nobody is shown its scores until a clinician decides.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use tend_engine::SiteId;
use tend_risk::{Inputs, Kind, Model, Signal, Value, control, metrics::binary, ratio};

use super::{HORIZON_DAYS, MODEL, SwitchState, compute::read};
use crate::{
    app::App,
    store::{CHALLENGER, NewWatch, StoreError, read::life::Followed},
};

/// Share of a month's patients whose outcome must be known before the month counts.
const KNOWN_SHARE: f64 = 0.8;
/// Patients from which drift and parts are looked at.
const ENOUGH: usize = 100;
/// Two models scored the same when they did within so many hours.
const AT_ONCE_HOURS: i64 = 24;
/// Drift is of the patients of so many days.
const DRIFT_DAYS: i64 = 92;
/// Upper ends of the bands of a number by which parts are made.
const BANDS: [f64; 3] = [50.0, 65.0, 80.0];

/// A month of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Month {
    /// Its first day.
    pub first: Date,
    /// Who was scored in it.
    pub scored: usize,
    /// Of them, whose outcome is known.
    pub known: usize,
    /// Of those, who had the event.
    pub observed: f64,
    /// How many were expected to.
    pub expected: f64,
    /// The difference in standard errors; only of a month that counts.
    pub z: Option<f64>,
    /// `quiet`, `look` or `step_back`; empty while it does not count.
    pub signal: String,
}

/// An input and how far its values moved since training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// In words, English and Chinese.
    pub label: (String, String),
    /// Population stability index.
    pub index: f64,
    /// Share that is missing now.
    pub missing: f64,
    /// Share that was missing in training.
    pub missing_then: f64,
}

/// Events seen over expected in a part of the patients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// In words, English and Chinese.
    pub label: (String, String),
    /// Patients.
    pub rows: usize,
    /// Who had the event.
    pub observed: f64,
    /// Seen over expected, and its 95 % interval.
    pub ratio: (f64, f64, f64),
}

/// A model's figures on the patients whom both models scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Its version.
    pub version: String,
    /// How well it ranks.
    pub auroc: f64,
    /// Mean squared error.
    pub brier: f64,
    /// Events seen over expected, and its 95 % interval.
    pub ratio: (f64, f64, f64),
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// The version in use.
    pub version: String,
    /// Of that version, oldest first.
    pub months: Vec<Month>,
    /// Of its patients of the last three months; empty while they are few.
    pub drift: Vec<Drift>,
    /// Of all its patients with known outcome.
    pub parts: Vec<Part>,
    /// Champion and challenger on the same patients; empty without a challenger.
    pub sides: Vec<Side>,
    /// Patients that both scored and whose outcome is known.
    pub compared: usize,
    /// The last month that counts: `quiet`, `look` or `step_back`.
    pub signal: String,
}

impl Watch {
    /// The first day of the month that gave the signal.
    #[must_use]
    pub fn signalled(&self) -> Option<Date> {
        let last = self.months.iter().rev().find(|month| !month.signal.is_empty());
        last.filter(|month| month.signal != word(Signal::Quiet)).map(|month| month.first)
    }
}

/// The word of a signal in the store.
#[must_use]
pub fn word(signal: Signal) -> &'static str {
    match signal {
        Signal::Quiet => "quiet",
        Signal::Look => "look",
        Signal::StepBack => "step_back",
    }
}

impl App {
    /// How the model in use at a site does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look_at_model(&self, site: SiteId) -> Result<Watch, StoreError> {
        let models = self.site_models(site).await?;
        let Some(champion) = &models.champion else { return Ok(Watch::default()) };
        let all = self.store.followed(site, MODEL).await?;
        let mine = first_by(&all, champion.version());
        let zone = TimeZone::get(&self.site(site).zone).unwrap_or(TimeZone::UTC);
        let (now, today) = (self.clock.now(), self.today(site));
        let months = months(&mine, &zone, today);
        let signal = months.iter().rev().find(|month| !month.signal.is_empty());
        let mut watch = Watch {
            version: champion.version().to_owned(),
            drift: drift(champion, &mine, now),
            parts: parts(champion, &mine),
            signal: signal.map_or("quiet", |month| month.signal.as_str()).to_owned(),
            ..Watch::default()
        };
        if let Some(challenger) = &models.challenger {
            let theirs = self.store.followed(site, CHALLENGER).await?;
            let theirs = theirs.iter().filter(|row| row.model_version == challenger.version());
            let theirs: BTreeMap<_, &Followed> = theirs.map(|row| (row.enrollment, row)).collect();
            let at_once = |one: &Followed, other: &Followed| {
                other.at.duration_since(one.at).as_hours().abs() < AT_ONCE_HOURS
            };
            let both: Vec<(&Followed, &Followed)> = mine
                .iter()
                .filter_map(|row| Some((*row, *theirs.get(&row.enrollment)?)))
                .filter(|(one, other)| at_once(one, other))
                .collect();
            let known: Vec<_> = both.iter().filter(|(row, _)| row.happened.is_some()).collect();
            watch.compared = known.len();
            let outcomes: Vec<bool> = known.iter().map(|(row, _)| row.happened == Some(true)).collect();
            let side = |version: &str, risks: Vec<f64>| Side {
                version: version.to_owned(),
                auroc: binary::auroc(&risks, &outcomes),
                brier: binary::brier(&risks, &outcomes),
                ratio: over(&risks, &outcomes),
            };
            watch.sides = vec![
                side(champion.version(), known.iter().map(|(row, _)| risk(row)).collect()),
                side(challenger.version(), known.iter().map(|(_, row)| risk(row)).collect()),
            ];
        }
        watch.months = months;
        Ok(watch)
    }

    /// The nightly look: written down, and where a limit was crossed twice the model steps back.
    pub(super) async fn watch_site(&self, site: SiteId) -> Result<(), StoreError> {
        let watch = self.look_at_model(site).await?;
        let before = self.store.last_watch(site, MODEL).await?;
        let body = serde_json::to_string(&watch).unwrap_or_else(|_| "{}".to_owned());
        let signal = ["quiet", "look", "step_back"].into_iter().find(|word| *word == watch.signal);
        if before.is_none_or(|before| before.body != body) {
            let new = NewWatch {
                id: self.ids.fresh(),
                site,
                model: MODEL,
                model_version: watch.version.clone(),
                signal: signal.unwrap_or("quiet"),
                body,
                at: self.clock.now(),
            };
            self.store.write_watch(&new).await?;
        }
        if watch.signal != word(Signal::StepBack) {
            return Ok(());
        }
        let zone = TimeZone::get(&self.site(site).zone).unwrap_or(TimeZone::UTC);
        for switch in self.store.model_switches(site).await? {
            // Whoever turned it on once that month was known has decided.
            let decided = switch.set_at.to_zoned_datetime(zone.clone()).date();
            let is_newer = watch.signalled().is_some_and(|month| end_of(month) <= decided);
            let on = switch.model == MODEL && switch.state == SwitchState::On.word();
            let (true, false, Ok(workflow)) = (on, is_newer, tend_engine::Name::parse(&switch.workflow))
            else {
                continue;
            };
            tracing::warn!(
                "the model {MODEL} steps back at site {site}: its figures are beyond the limit again"
            );
            self.switch_model(site, &workflow, SwitchState::SteppedBack, None).await?;
        }
        Ok(())
    }
}

/// Those whose very first score was of that version, so that all are scored at discharge and none after what became of them.
fn first_by<'a>(all: &'a [Followed], version: &str) -> Vec<&'a Followed> {
    let mut first: BTreeMap<_, &Followed> = BTreeMap::new();
    for row in all {
        first.entry(row.enrollment).or_insert(row);
    }
    let mut mine: Vec<&Followed> = first.into_values().filter(|row| row.model_version == version).collect();
    mine.sort_by_key(|row| (row.at, row.enrollment));
    mine
}

fn risk(row: &Followed) -> f64 {
    f64::from(row.ppm) / 1e6
}

fn over(risks: &[f64], outcomes: &[bool]) -> (f64, f64, f64) {
    let observed = outcomes.iter().filter(|event| **event).count() as f64;
    let nothing = f64::NAN;
    ratio(observed, risks.iter().sum()).map_or((nothing, nothing, nothing), |r| (r.value, r.low, r.high))
}

/// The first day after a month, and the horizon after it.
fn end_of(month: Date) -> Date {
    let next = month.saturating_add(jiff::Span::new().months(1));
    next.saturating_add(jiff::Span::new().days(i64::from(HORIZON_DAYS)))
}

/// The control chart. Pure: the same rows on the same day give the same months.
pub fn months(rows: &[&Followed], zone: &TimeZone, today: Date) -> Vec<Month> {
    let mut by_month: BTreeMap<Date, Vec<&Followed>> = BTreeMap::new();
    for row in rows {
        let day = row.at.to_zoned_datetime(zone.clone()).date();
        by_month.entry(day.first_of_month()).or_default().push(row);
    }
    let known = |rows: &[&Followed]| -> (Vec<f64>, Vec<bool>) {
        rows.iter().filter_map(|row| Some((risk(row), row.happened?))).unzip()
    };
    let counts = |first: &Date, rows: &[&Followed]| {
        let (_, outcomes) = known(rows);
        end_of(*first) <= today && outcomes.len() as f64 >= KNOWN_SHARE * rows.len() as f64
    };
    let counted: Vec<(Vec<f64>, Vec<bool>)> =
        by_month.iter().filter(|(first, rows)| counts(first, rows)).map(|(_, rows)| known(rows)).collect();
    let mut chart = control(&counted).into_iter();
    by_month
        .iter()
        .map(|(first, rows)| {
            let (risks, outcomes) = known(rows);
            let period = if counts(first, rows) { chart.next() } else { None };
            Month {
                first: *first,
                scored: rows.len(),
                known: outcomes.len(),
                observed: outcomes.iter().filter(|event| **event).count() as f64,
                expected: risks.iter().sum(),
                z: period.as_ref().map(|period| period.z),
                signal: period.map_or_else(String::new, |period| word(period.signal).to_owned()),
            }
        })
        .collect()
}

fn drift(model: &Model, rows: &[&Followed], now: Timestamp) -> Vec<Drift> {
    let recent: Vec<Vec<f64>> = rows
        .iter()
        .filter(|row| now.duration_since(row.at).as_hours() <= DRIFT_DAYS * 24)
        .map(|row| model.values(&read(&row.inputs)).0)
        .collect();
    if recent.len() < ENOUGH {
        return Vec::new();
    }
    let inputs = model.file().input.iter().enumerate().filter(|(_, input)| !input.spread.shares.is_empty());
    let mut all: Vec<Drift> = inputs
        .map(|(i, input)| {
            let (index, missing) = input.spread.drift(recent.iter().map(|values| values[i]));
            let label = &input.feature.label;
            Drift {
                label: (label.en.clone(), label.zh.clone()),
                index,
                missing,
                missing_then: input.spread.shares.first().copied().unwrap_or(0.0),
            }
        })
        .collect();
    all.sort_by(|a, b| b.index.total_cmp(&a.index));
    all
}

/// Parts of the patients by what the model's card names.
fn parts(model: &Model, rows: &[&Followed]) -> Vec<Part> {
    let known: Vec<(Inputs, f64, bool)> =
        rows.iter().filter_map(|row| Some((read(&row.inputs), risk(row), row.happened?))).collect();
    if known.len() < ENOUGH {
        return Vec::new();
    }
    let mut out = Vec::new();
    for feature in model.features().iter().filter(|f| model.file().about.subgroups.contains(&f.name)) {
        let (en, zh) = (&feature.label.en, &feature.label.zh);
        let mut part = |words: (String, String), holds: &dyn Fn(&Value) -> bool| {
            let of = known.iter().filter(|(inputs, ..)| inputs.get(&feature.name).is_some_and(holds));
            let (risks, outcomes): (Vec<f64>, Vec<bool>) = of.map(|(_, risk, event)| (*risk, *event)).unzip();
            if !risks.is_empty() {
                out.push(Part {
                    label: (format!("{en}: {}", words.0), format!("{zh}：{}", words.1)),
                    rows: risks.len(),
                    observed: outcomes.iter().filter(|event| **event).count() as f64,
                    ratio: over(&risks, &outcomes),
                });
            }
        };
        match &feature.kind {
            Kind::Category { levels } => levels.iter().for_each(|level| {
                let words = (level.label.en.clone(), level.label.zh.clone());
                part(words, &|value| *value == Value::Category(level.name.clone()));
            }),
            Kind::Boolean => {
                part(("no".into(), "否".into()), &|value| *value == Value::Number(0.0));
                part(("yes".into(), "是".into()), &|value| *value == Value::Number(1.0));
            }
            Kind::Number { .. } => {
                let mut low = f64::NEG_INFINITY;
                for high in BANDS.into_iter().chain([f64::INFINITY]) {
                    let words = match (low.is_finite(), high.is_finite()) {
                        (false, _) => format!("≤ {high}"),
                        (true, false) => format!("> {low}"),
                        (true, true) => format!("> {low}, ≤ {high}"),
                    };
                    let within = |value: &Value| matches!(value, Value::Number(n) if *n > low && *n <= high);
                    part((words.clone(), words), &within);
                    low = high;
                }
            }
        }
    }
    out
}
