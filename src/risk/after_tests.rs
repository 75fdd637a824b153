//! After training: another place, a day of review, reasons that matter, intervals that hold the truth.
#![cfg(test)]

use crate::metrics::binary;
use crate::rng::Rng;
use crate::tests::{labelled, logit, patient, table, timed};
use crate::{
    Estimate, INTERCEPT_EVENTS, Model, ModelBytes, Options, Outcome, OutcomeColumns, Question, RawTable,
    Roles, fit, page,
};

fn outcome() -> OutcomeColumns {
    OutcomeColumns::Label("y".to_owned())
}

/// The made-up patients, but with other outcomes: true log-odds = shift + stretch * the model's.
fn elsewhere(rows: usize, seed: u64, shift: f64, stretch: f64) -> RawTable {
    let here = table(rows, seed);
    let scored = labelled().model.score_table(&here, &[]).expect("scores");
    let mut rng = Rng::new(seed, "elsewhere");
    let y = here.column("y").expect("is there");
    let mut out = RawTable::new(here.header().to_vec()).expect("names differ");
    for (row, scored) in scored.iter().enumerate() {
        let z = shift + stretch * logit(scored.estimates[0].risk);
        let event = usize::from(rng.uniform() < 1.0 / (1.0 + (-z).exp())).to_string();
        let cells: Vec<&str> = (0..here.header().len())
            .map(|c| if c == y { event.as_str() } else { here.cell(row, c) })
            .collect();
        out.push_row(cells.into_iter()).expect("fits");
    }
    out
}

fn moved(table: &RawTable) -> Model {
    let model = &labelled().model;
    let file = model.localised(model.localise(table, &outcome()).expect("has outcomes"));
    let bytes = ModelBytes { toml: String::new(), safetensors: labelled().bytes.safetensors.clone() };
    let bytes = bytes.with_file(&file).expect("writes");
    Model::from_bytes(&bytes.toml, &bytes.safetensors).expect("reads")
}

#[test]
fn a_site_moves_level_and_spread_and_not_the_ranking() {
    let site = moved(&elsewhere(2_000, 7, -1.0, 0.6));
    let local = site.file().local.clone().expect("is recalibrated");
    assert!((local.slope - 0.6).abs() < 0.15, "{local:?}");
    let fresh = elsewhere(4_000, 8, -1.0, 0.6);
    let y: Vec<bool> =
        crate::observed(&fresh, &outcome()).expect("reads").iter().map(|row| row.event).collect();
    let risks = |model: &Model| -> Vec<f64> {
        model.score_table(&fresh, &[]).expect("scores").iter().map(|s| s.estimates[0].risk).collect()
    };
    let (before, after) = (risks(&labelled().model), risks(&site));
    assert!(binary::observed_to_expected(&before, &y) < 0.8);
    assert!((0.9..1.1).contains(&binary::observed_to_expected(&after, &y)));
    assert!((0.8..1.2).contains(&binary::calibration_slope(&after, &y)));
    assert!((binary::auroc(&before, &y) - binary::auroc(&after, &y)).abs() < 1e-6);
    let Outcome::Score(score) = site.score(&patient(), None) else { panic!("abstained") };
    let sum: f64 = score.reasons.iter().map(|r| r.log_odds).sum();
    assert!((sum - (logit(score.risk) - logit(score.reference_risk))).abs() < 1e-3);
    assert!(score.low < score.risk && score.risk < score.high);
    assert!(site.version().starts_with(labelled().model.version()) && site.version().len() == 19);
}

#[test]
fn the_slope_needs_events_and_a_reason() {
    let model = &labelled().model;
    let few = model.localise(&elsewhere(120, 9, -1.0, 0.5), &outcome()).expect("has outcomes");
    assert!(few.slope == 1.0 && few.rule.contains("are needed"), "{few:?}");
    let same = model.localise(&elsewhere(3_000, 10, 0.5, 1.0), &outcome()).expect("has outcomes");
    assert!((same.intercept - 0.5).abs() < 0.15, "{same:?}");
    let refused = model.localise(&elsewhere(30, 11, 0.0, 1.0), &outcome());
    let sentence = refused.expect_err("is too few").to_string();
    assert!(sentence.contains(&format!("at least {INTERCEPT_EVENTS} are needed")), "{sentence}");
}

#[test]
fn a_survival_model_moves_too() {
    let outcome = OutcomeColumns::Survival { time: "time".to_owned(), event: "event".to_owned() };
    let local = timed().model.localise(&table(2_000, 12), &outcome).expect("has outcomes");
    assert!(local.intercept.abs() < 0.3 && (0.6..1.7).contains(&local.slope), "{local:?}");
}

#[test]
fn after_its_day_of_review_nobody_is_scored() {
    let mut file = labelled().model.file().clone();
    file.about.review_by = Some("2027-06-30".to_owned());
    let bytes = labelled().bytes.clone().with_file(&file).expect("writes");
    let model = Model::from_bytes(&bytes.toml, &bytes.safetensors).expect("reads");
    assert_eq!(model.past_review("2027-06-30"), None);
    let why = model.past_review("2027-07-01").expect("is past");
    assert_eq!(why.code(), "past_review");
    assert!(why.sentence("en").contains("2027-06-30") && why.sentence("zh").contains("2027-06-30"));
    assert_eq!(labelled().model.past_review("2999-01-01"), None);
}

#[test]
#[expect(clippy::disallowed_macros, reason = "prints the figure that the document states")]
fn taking_the_named_reasons_away_moves_the_score_more_than_others() {
    let model = &labelled().model;
    let fresh = table(200, 21);
    let scored = model.score_table(&fresh, &[]).expect("scores");
    let reference: Vec<f64> = model.file().input.iter().map(|i| i.reference.unwrap_or(f64::NAN)).collect();
    let names: Vec<&str> = model.features().iter().map(|f| f.name.as_str()).collect();
    let mut rng = Rng::new(5, "deletion");
    let mut gains: Vec<f64> = Vec::new();
    for row in &scored {
        let (reasons, _) = model.explain(&row.values, 0.0).expect("explains");
        let differing: Vec<usize> =
            reasons.iter().filter_map(|r| names.iter().position(|n| *n == r.feature)).collect();
        if differing.len() < 4 {
            continue;
        }
        let without = |taken: &[usize]| {
            let mut values = row.values.clone();
            taken.iter().for_each(|i| values[*i] = reference[*i]);
            (model.raw(&values).expect("runs")[0].z[0] - logit(row.estimates[0].risk)).abs()
        };
        let mut others = differing.clone();
        rng.shuffle(&mut others);
        gains.push(without(&differing[..2]) - without(&others[..2]));
    }
    let n = gains.len() as f64;
    let mean = gains.iter().sum::<f64>() / n;
    let sd = (gains.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    println!("{mean:.3} log-odds further, standard error {:.3}, {n} rows", sd / n.sqrt());
    assert!(n > 100.0 && mean - 1.96 * sd / n.sqrt() > 0.0, "{mean} ± {sd} over {n}");
}

/// Log-odds by age, sex, dose and lab.
type Truth = fn(f64, bool, f64, f64) -> f64;

/// Truths for the coverage test: a line, a bend, a crossing and a step.
const TRUTHS: [Truth; 3] = [
    |age, sex, dose, _| 0.05 * (age - 65.0) + if sex { 0.7 } else { 0.0 } + 0.5 * dose - 1.5,
    |age, sex, dose, _| 0.06 * (age - 65.0) + if sex { 0.8 } else { 0.0 } + 0.3 * dose * dose - 1.0,
    |age, sex, dose, lab| {
        let crossing = if sex && dose > 0.5 { 1.2 } else { 0.0 };
        0.04 * (age - 65.0) + crossing + if lab > 1.0 { 0.8 } else { 0.0 } - 1.5
    },
];
/// Training sets of each truth.
const SETS: u64 = 3;

fn known(truth: usize, rows: usize, seed: u64) -> (RawTable, Vec<f64>) {
    let names = ["pid", "age", "sex", "dose", "lab", "noise", "y"];
    let mut out = RawTable::new(names.map(str::to_owned).to_vec()).expect("names differ");
    let mut rng = Rng::new(seed, "coverage");
    let mut z = Vec::new();
    for row in 0..rows {
        let (age, sex) = (40.0 + 50.0 * rng.uniform(), rng.uniform() < 0.5);
        let (dose, lab) = (rng.normal(), rng.normal());
        let p = 1.0 / (1.0 + (-TRUTHS[truth](age, sex, dose, lab)).exp());
        z.push(p);
        let cells = [
            row.to_string(),
            format!("{age:.1}"),
            if sex { "m" } else { "f" }.to_owned(),
            format!("{dose:.3}"),
            format!("{lab:.3}"),
            format!("{:.3}", rng.normal()),
            usize::from(rng.uniform() < p).to_string(),
        ];
        out.push_row(cells.iter().map(String::as_str)).expect("fits");
    }
    (out, z)
}

/// Rows that a model learns from, and fresh rows that it is asked about.
const ROWS: [usize; 2] = [800, 500];

/// What a model that learned from `train` says of the fresh rows.
fn estimates(train: &RawTable, seed: u64, fresh: &RawTable) -> Vec<Estimate> {
    let roles = Roles { id: "pid".to_owned(), outcome: outcome(), ..Roles::default() };
    let options = Options { roles, seed, ..Options::default() };
    let model = fit(train, &options, &mut |_, _| true).expect("trains").model;
    model.score_table(fresh, &[]).expect("scores").iter().map(|scored| scored.estimates[0]).collect()
}

/// The share of fresh truths that lie in the intervals.
fn covered(truth: usize, seed: u64) -> f64 {
    let (train, _) = known(truth, ROWS[0], 100 + seed);
    let (fresh, p) = known(truth, ROWS[1], 200 + seed);
    let said = estimates(&train, seed, &fresh);
    let inside = said.iter().zip(&p).filter(|(said, p)| (said.low..=said.high).contains(*p));
    inside.count() as f64 / p.len() as f64
}

#[test]
#[expect(clippy::disallowed_macros, reason = "prints the figure that the document states")]
fn ninety_percent_intervals_hold_the_truth_nearly_so_often() {
    let mean = |shares: &[f64]| shares.iter().sum::<f64>() / shares.len() as f64;
    let by_truth: Vec<f64> = (0..TRUTHS.len())
        .map(|truth| mean(&(0..SETS).map(|seed| covered(truth, seed)).collect::<Vec<_>>()))
        .collect();
    let share = mean(&by_truth);
    println!("{share:.3} of the truths lie in 90 % intervals, by truth {by_truth:.3?}");
    assert!((0.85..=0.95).contains(&share), "{share} of the truths lie in 90 % intervals: {by_truth:?}");
}

/// As many rows, drawn with replacement; who is drawn twice is held out twice.
fn drawn(table: &RawTable, seed: u64) -> RawTable {
    let mut out = RawTable::new(table.header().to_vec()).expect("names differ");
    let mut rng = Rng::new(seed, "bootstrap");
    for _ in 0..table.rows() {
        let row = (rng.uniform() * table.rows() as f64) as usize;
        out.push_row((0..table.header().len()).map(|column| table.cell(row, column))).expect("fits");
    }
    out
}

/// The middle 90 % of what the resamples said of a row, by the quantile whose median is right with few of them too
/// (Hyndman and Fan 1996, the eighth).
fn middle(mut risks: Vec<f64>) -> f64 {
    risks.sort_by(f64::total_cmp);
    let last = risks.len() - 1;
    let at = |share: f64| {
        let place = (share * (risks.len() as f64 + 1.0 / 3.0) - 2.0 / 3.0).clamp(0.0, last as f64);
        let (below, above) = (risks[place.floor() as usize], risks[place.ceil() as usize]);
        below + (above - below) * place.fract()
    };
    at(0.95) - at(0.05)
}

fn median(mut widths: Vec<f64>) -> f64 {
    widths.sort_by(f64::total_cmp);
    widths[widths.len() / 2]
}

/// Width of the stated interval of each fresh row, and of that of a bootstrap by patient.
fn widths(truth: usize, rows: usize, resamples: u64) -> (Vec<f64>, Vec<f64>) {
    let (train, _) = known(truth, rows, 100);
    let (fresh, _) = known(truth, ROWS[1], 200);
    let stated = estimates(&train, 0, &fresh).iter().map(|said| said.high - said.low).collect();
    let learn = |seed| estimates(&drawn(&train, seed), seed, &fresh);
    let again: Vec<Vec<Estimate>> = std::thread::scope(|scope| {
        let (learn, half) = (&learn, resamples / 2);
        let other = scope.spawn(move || (half..resamples).map(learn).collect::<Vec<_>>());
        let mut all: Vec<Vec<Estimate>> = (0..half).map(learn).collect();
        all.extend(other.join().expect("trains"));
        all
    });
    let of_row = |row: usize| middle(again.iter().map(|said| said[row].risk).collect());
    (stated, (0..ROWS[1]).map(of_row).collect())
}

/// Twelve resamples of 400 rows of each truth; `TEND_LONG=1`: two hundred of 800.
#[test]
#[expect(clippy::disallowed_macros, reason = "prints the figure that the document states")]
fn the_interval_is_at_most_half_as_wide_again_as_a_bootstrap() {
    let long = std::env::var_os("TEND_LONG").is_some();
    let (rows, resamples) = if long { (ROWS[0], 200) } else { (400, 12) };
    let (mut stated, mut bootstrap, mut by_truth) = (Vec::new(), Vec::new(), Vec::new());
    for truth in 0..TRUTHS.len() {
        let (of_model, of_bootstrap) = widths(truth, rows, resamples);
        by_truth.push(median(of_model.clone()) / median(of_bootstrap.clone()));
        stated.extend(of_model);
        bootstrap.extend(of_bootstrap);
    }
    let times = median(stated) / median(bootstrap);
    println!("{times:.2} times as wide as a bootstrap of {resamples}, by truth {by_truth:.2?}");
    assert!(times <= 1.5, "{times} times as wide as a bootstrap of {resamples}: {by_truth:?}");
}

#[test]
fn the_page_draws_calibration_and_net_benefit() {
    let fitted = labelled().clone();
    let figures = fitted.figures(&[], 1);
    let fitted = fitted.with_figures(figures).expect("writes");
    let html = page(&fitted.model);
    assert_eq!(html.matches("<svg").count(), 2);
    assert_eq!(html.matches("<circle").count(), 10);
    assert!(!html.contains("NaN") && !html.contains("<script"));
    let card = crate::card(&fitted.model);
    for heading in
        ["## Calibration by tenths", "## Decision curve", "## TRIPOD+AI", "- **Sample size.** 400 rows"]
    {
        assert!(card.contains(heading), "{heading}");
    }
}

#[test]
fn the_card_of_a_time_to_an_event_has_as_much() {
    let fitted = timed().clone();
    let horizons = fitted.model.file().horizons.clone();
    let figures = fitted.figures(&["sex".to_owned()], 1);
    let fitted = fitted.with_figures(figures).expect("writes");
    let file = fitted.model.file();
    assert_eq!(file.tenth.len(), 10 * horizons.len());
    for tenth in &file.tenth {
        assert!(tenth.horizon.is_some_and(|h| horizons.contains(&h)));
        assert!((0.0..=1.0).contains(&tenth.observed) && tenth.low <= tenth.high, "{tenth:?}");
    }
    // Kaplan and Meier, not the share of events: who was not followed so long has not stayed well for certain.
    let last: Vec<_> = file.tenth.iter().filter(|tenth| tenth.horizon == horizons.last().copied()).collect();
    let (seen, expected): (f64, f64) =
        last.iter().fold((0.0, 0.0), |(s, e), t| (s + t.observed, e + t.predicted));
    assert!((seen / expected - 1.0).abs() < 0.15, "{seen} seen, {expected} expected");
    let html = page(&fitted.model);
    assert_eq!(html.matches("<svg").count(), 2 * horizons.len());
    assert!(!html.contains("NaN") && html.contains("<th>concordance<th>observed / expected at"), "{html}");
    let card = crate::card(&fitted.model);
    for h in &horizons {
        let h = crate::score::plain(*h);
        assert!(card.contains(&format!("## Calibration by tenths of risk at {h}\n")), "{h}");
        assert!(card.contains(&format!("## Decision curve at {h}\n")), "{h}");
    }
    assert!(card.contains("| sex: f |") && card.contains("| concordance |"), "{card}");
    assert_eq!(
        Model::from_bytes(&fitted.bytes.toml, &fitted.bytes.safetensors).expect("is whole").file(),
        file
    );
}

#[test]
fn what_cannot_be_compared_is_a_sentence() {
    let said =
        |model: &Model, table: &RawTable, outcome: &OutcomeColumns, rows: &[usize], horizons: &[f64]| {
            let question = Question { id: "pid", outcome, test: rows, censoring: rows, horizons, seed: 1 };
            model.evaluate(table, &question).expect_err("cannot be compared").to_string()
        };
    let table = crate::tests::table(400, 1);
    let y = table.column("y").expect("is there");
    let with = |label: &str| -> Vec<usize> { (0..400).filter(|row| table.cell(*row, y) == label).collect() };
    let (label, times) = (
        OutcomeColumns::Label("y".to_owned()),
        OutcomeColumns::Survival { time: "time".to_owned(), event: "event".to_owned() },
    );
    let binary = |rows: &[usize]| said(&labelled().model, &table, &label, rows, &[]);
    assert!(binary(&[0, 1, 2]).starts_with("3 rows are not enough to compare"));
    assert!(binary(&with("0")).starts_with("no row has the event"));
    assert!(binary(&with("1")).starts_with("every row has the event"));
    let all: Vec<usize> = (0..400).collect();
    let late = said(&timed().model, &table, &times, &all, &[30.0, 9_000.0]);
    assert!(
        late.starts_with("horizon 9000 lies beyond the follow-up of these rows, the longest of which is"),
        "{late}"
    );
}
