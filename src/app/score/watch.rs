//! The watch over a model that is in use: do as many patients have the event as it said, month by month, in every part of the
//! patients; do patients still look as in training; does the challenger do better on the same patients.
//!
//! A month counts once it is over by the horizon and the outcomes of nearly all who were scored in it are known: events are
//! told sooner than their absence. A version's chart begins with its first score, so that a mended model is not blamed for
//! the one before. When a month says so twice, the model steps back: nobody is shown its scores until a clinician decides.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use tend_engine::{Name, SiteId};
use tend_risk::{Inputs, Kind, Model, Signal, Value, control, metrics::binary, ratio};

use super::{HORIZON_DAYS, MODEL, SiteModels, SwitchState, compute::read};
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
    /// What it says; nothing while it does not count.
    #[serde(serialize_with = "written", deserialize_with = "read_again")]
    pub signal: Option<Signal>,
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

/// A ratio, and the ends of its 95 % interval.
pub type Ratio = (f64, f64, f64);

/// Events seen over expected in a part of the patients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// In words, English and Chinese.
    pub label: (String, String),
    /// Patients.
    pub rows: usize,
    /// Who had the event.
    pub observed: f64,
    /// Seen over expected, and its 95 % interval, where there is such a figure.
    pub ratio: Option<Ratio>,
}

/// A model's figures on the patients whom both models scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Its version.
    pub version: String,
    /// How well it ranks; unknown while all fared the same.
    pub auroc: Option<f64>,
    /// Mean squared error.
    pub brier: Option<f64>,
    /// Events seen over expected, and its 95 % interval.
    pub ratio: Option<Ratio>,
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
}

/// A look, and when it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What it found.
    pub watch: Watch,
    /// When.
    pub at: Timestamp,
}

/// Who makes the scores that a model which steps back leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScoredBy {
    /// The job that looks goes on to score everybody.
    ThisJob,
    /// A job of its own is asked for.
    AnotherJob,
}

impl Watch {
    /// What the last month that counts says; quiet while none does.
    #[must_use]
    pub fn signal(&self) -> Signal {
        self.last_counted().map_or(Signal::Quiet, |(_, signal)| signal)
    }

    /// Whether any month counts.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.last_counted().is_some()
    }

    /// The first day of the month that gave the signal.
    #[must_use]
    pub fn signalled(&self) -> Option<Date> {
        self.last_counted().filter(|(_, signal)| *signal != Signal::Quiet).map(|(month, _)| month)
    }

    fn last_counted(&self) -> Option<(Date, Signal)> {
        self.months.iter().rev().find_map(|month| Some((month.first, month.signal?)))
    }

    /// Whether it is about the models that are in use now.
    #[must_use]
    pub fn is_of(&self, models: &SiteModels) -> bool {
        let challenger = self.sides.get(1).map_or("", |side| side.version.as_str());
        self.version == models.champion_version() && challenger == models.challenger_version()
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

fn of_word(text: &str) -> Option<Signal> {
    [Signal::Quiet, Signal::Look, Signal::StepBack].into_iter().find(|signal| word(*signal) == text)
}

fn written<S: Serializer>(signal: &Option<Signal>, to: S) -> Result<S::Ok, S::Error> {
    signal.map(word).serialize(to)
}

fn read_again<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Signal>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| of_word(&text).ok_or_else(|| D::Error::custom("no such signal"))).transpose()
}

impl App {
    /// The latest look at the model in use at a site, if one was made and can be read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_look(&self, site: SiteId) -> Result<Option<Look>, StoreError> {
        let row = self.store.last_watch(site, MODEL).await?;
        Ok(row.and_then(|row| Some(Look { watch: serde_json::from_str(&row.body).ok()?, at: row.at })))
    }

    /// Looks at how the model in use at a site does. Nothing is written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look_at_model(&self, site: SiteId) -> Result<Look, StoreError> {
        let at = self.clock.now();
        let SiteModels { champion, challenger } = self.site_models(site).await?;
        let Some(champion) = champion else { return Ok(Look { watch: Watch::default(), at }) };
        let all = self.store.followed(site, MODEL).await?;
        let challenger = match challenger {
            Some(challenger) => Some((challenger, self.store.followed(site, CHALLENGER).await?)),
            None => None,
        };
        let zone = self.zone(site);
        // Thousands of inputs are read and put into words; others wait for this thread.
        let watch = tokio::task::spawn_blocking(move || {
            let mine = first_by(&all, champion.version());
            let today = at.to_zoned_datetime(zone.clone()).date();
            let mut watch = Watch {
                version: champion.version().to_owned(),
                months: months(&mine, &zone, today),
                drift: drift(&champion, &mine, at),
                parts: parts(&champion, &mine),
                ..Watch::default()
            };
            if let Some((challenger, theirs)) = &challenger {
                watch.beside(&mine, champion.version(), theirs, challenger.version());
            }
            watch
        });
        let watch = watch.await.map_err(|error| StoreError::unreadable("scores", error))?;
        Ok(Look { watch, at })
    }

    /// Looks and writes down what was found; where a limit was crossed twice the model steps back, in the same commit.
    pub(super) async fn watch_site(&self, site: SiteId, scored_by: ScoredBy) -> Result<(), StoreError> {
        let Look { watch, at } = self.look_at_model(site).await?;
        let back = self.to_step_back(site, &watch).await?;
        let new = NewWatch {
            id: self.ids.fresh(),
            site,
            model: MODEL,
            model_version: watch.version.clone(),
            signal: word(watch.signal()),
            body: serde_json::to_string(&watch).unwrap_or_default(),
            at,
        };
        let mut tx = self.store.begin();
        tx.write_watch(&new).await?;
        for workflow in &back {
            tracing::warn!(
                "the model {MODEL} steps back for {workflow} at site {site}: its figures are beyond the limit again"
            );
            let state = SwitchState::SteppedBack;
            self.switch_in(&mut tx, site, &watch.version, workflow, state, None, at).await?;
        }
        if !back.is_empty() && scored_by == ScoredBy::AnotherJob {
            self.score_site_again(&mut tx, site, None, at).await?;
        }
        tx.commit().await
    }

    /// The workflows for which the model is on and is to step back.
    async fn to_step_back(&self, site: SiteId, watch: &Watch) -> Result<Vec<Name>, StoreError> {
        let Some(month) = watch.signalled().filter(|_| watch.signal() == Signal::StepBack) else {
            return Ok(Vec::new());
        };
        let zone = self.zone(site);
        let switches = self.store.model_switches(site).await?;
        let on = switches.iter().filter(|switch| switch.model == MODEL);
        let on = on.filter(|switch| switch.state == SwitchState::On.word());
        let on =
            on.filter(|switch| !was_decided(month, switch.set_at.to_zoned_datetime(zone.clone()).date()));
        Ok(on.filter_map(|switch| Name::parse(&switch.workflow).ok()).collect())
    }
}

/// Whether whoever turned the model on that day knew of the month and decided.
fn was_decided(month: Date, set_on: Date) -> bool {
    end_of(month) <= set_on
}

impl Watch {
    /// Adds how the challenger does on the patients whom both scored.
    fn beside(&mut self, mine: &[&Followed], version: &str, theirs: &[Followed], challenger: &str) {
        let theirs = theirs.iter().filter(|row| row.model_version == challenger);
        let theirs: BTreeMap<_, &Followed> = theirs.map(|row| (row.enrollment, row)).collect();
        let at_once = |one: &Followed, other: &Followed| {
            other.at.duration_since(one.at).as_hours().abs() < AT_ONCE_HOURS
        };
        let known: Vec<(&Followed, &Followed)> = mine
            .iter()
            .filter_map(|row| Some((*row, *theirs.get(&row.enrollment)?)))
            .filter(|(one, other)| at_once(one, other) && one.happened.is_some())
            .collect();
        let outcomes: Vec<bool> = known.iter().map(|(row, _)| row.happened == Some(true)).collect();
        let figure = |value: f64| Some(value).filter(|value| value.is_finite());
        let side = |version: &str, risks: Vec<f64>| Side {
            version: version.to_owned(),
            auroc: figure(binary::auroc(&risks, &outcomes)),
            brier: figure(binary::brier(&risks, &outcomes)),
            ratio: over(&risks, &outcomes),
        };
        self.compared = known.len();
        self.sides = vec![
            side(version, known.iter().map(|(row, _)| risk(row)).collect()),
            side(challenger, known.iter().map(|(_, row)| risk(row)).collect()),
        ];
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

fn over(risks: &[f64], outcomes: &[bool]) -> Option<Ratio> {
    let observed = outcomes.iter().filter(|event| **event).count() as f64;
    let found = ratio(observed, risks.iter().sum()).map(|r| (r.value, r.low, r.high));
    found.filter(|(value, low, high)| value.is_finite() && low.is_finite() && high.is_finite())
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
                signal: period.map(|period| period.signal),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn whoever_turns_it_on_the_day_that_a_month_is_known_has_decided() {
        let month = day("2026-03-01");
        assert_eq!(end_of(month), day("2026-05-01"));
        assert!(!was_decided(month, day("2026-04-30")), "nobody could know");
        assert!(was_decided(month, day("2026-05-01")), "on the same day");
        assert!(was_decided(month, day("2026-05-02")));
    }

    #[test]
    fn a_look_is_read_again_as_it_was_written() {
        let month = |first: &str, signal: Option<Signal>| Month {
            first: day(first),
            scored: 50,
            known: 48,
            observed: 9.0,
            expected: 5.5,
            z: signal.map(|_| 3.25),
            signal,
        };
        // Nobody was compared yet: there are no figures.
        let side = Side { version: "1".to_owned(), auroc: None, brier: None, ratio: over(&[], &[]) };
        let watch = Watch {
            version: "1".to_owned(),
            months: vec![month("2026-01-01", Some(Signal::StepBack)), month("2026-02-01", None)],
            sides: vec![side.clone(), side],
            ..Watch::default()
        };
        let text = serde_json::to_string(&watch).expect("written");
        assert_eq!(serde_json::from_str::<Watch>(&text).expect("read"), watch);
        assert_eq!((watch.signal(), watch.signalled()), (Signal::StepBack, Some(day("2026-01-01"))));
    }
}
