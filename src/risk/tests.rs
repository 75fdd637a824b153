//! The whole crate on small made-up data: what it promises must hold whatever the weights are.

use std::sync::OnceLock;

use crate::rng::Rng;
use crate::{
    Abstain, DataError, FitError, Fitted, Inputs, Model, ModelBytes, ModelError, Options, Outcome,
    OutcomeColumns, RawTable, Roles, SchemaFile, Score, Value, fit,
};

const ROWS: usize = 400;

/// Two rows per patient; age and sex matter, `ward` and `dose` do a little, `lab` is sometimes missing.
pub(crate) fn table(rows: usize, seed: u64) -> RawTable {
    let names = ["pid", "visit", "age", "sex", "ward", "dose", "lab", "flag", "y", "time", "event"];
    let mut table = RawTable::new(names.map(str::to_owned).to_vec()).expect("names differ");
    let mut rng = Rng::new(seed, "test data");
    for row in 0..rows {
        let age = 40.0 + (rng.uniform() * 50.0).floor();
        let sex = if rng.uniform() < 0.5 { "f" } else { "m" };
        let ward = ["a", "b", "c"][rng.below(3)];
        let dose = rng.normal();
        let lab = if rng.uniform() < 0.3 { String::new() } else { format!("{:.2}", rng.normal() + 5.0) };
        let flag = usize::from(rng.uniform() < 0.4);
        let z = 0.06 * (age - 65.0) + if sex == "m" { 0.8 } else { 0.0 } + 0.3 * dose * dose - 1.0;
        let y = usize::from(rng.uniform() < 1.0 / (1.0 + (-z).exp()));
        let death = rng.exponential() * 100.0 * (-z * 0.7).exp();
        let end = 20.0 + 180.0 * rng.uniform();
        let cells = [
            (row / 2).to_string(),
            (row % 2).to_string(),
            age.to_string(),
            sex.to_owned(),
            ward.to_owned(),
            format!("{dose:.3}"),
            lab,
            flag.to_string(),
            y.to_string(),
            format!("{:.1}", death.min(end)),
            usize::from(death <= end).to_string(),
        ];
        table.push_row(cells.iter().map(String::as_str)).expect("as wide as the header");
    }
    table
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn label() -> Options {
    Options {
        roles: Roles {
            id: "pid".to_owned(),
            outcome: OutcomeColumns::Label("y".to_owned()),
            order: None,
            drop: strings(&["visit", "time", "event"]),
            categorical: Vec::new(),
        },
        seed: 1,
        ..Options::default()
    }
}

fn survival() -> Options {
    let mut options = label();
    options.roles.outcome = OutcomeColumns::Survival { time: "time".to_owned(), event: "event".to_owned() };
    options.roles.drop = strings(&["visit", "y"]);
    options
}

fn train(table: &RawTable, options: &Options) -> Result<Fitted, FitError> {
    fit(table, options, &mut |_, _| true)
}

pub(crate) fn labelled() -> &'static Fitted {
    static ONE: OnceLock<Fitted> = OnceLock::new();
    ONE.get_or_init(|| train(&table(ROWS, 1), &label()).expect("trains"))
}

pub(crate) fn timed() -> &'static Fitted {
    static ONE: OnceLock<Fitted> = OnceLock::new();
    ONE.get_or_init(|| train(&table(ROWS, 1), &survival()).expect("trains"))
}

pub(crate) fn patient() -> Inputs {
    let mut inputs = Inputs::new();
    inputs.insert("age".to_owned(), Value::Number(83.0));
    inputs.insert("sex".to_owned(), Value::Category("m".to_owned()));
    inputs.insert("ward".to_owned(), Value::Category("b".to_owned()));
    inputs.insert("dose".to_owned(), Value::Number(1.5));
    inputs.insert("flag".to_owned(), Value::Number(1.0));
    inputs
}

fn scored(model: &Model, inputs: &Inputs, horizon: Option<f64>) -> Score {
    match model.score(inputs, horizon) {
        Outcome::Score(score) => score,
        Outcome::Abstain(why) => panic!("abstained: {}", why.sentence("en")),
    }
}

fn abstained(model: &Model, inputs: &Inputs, horizon: Option<f64>) -> Abstain {
    match model.score(inputs, horizon) {
        Outcome::Score(score) => panic!("scored {}", score.risk),
        Outcome::Abstain(why) => why,
    }
}

pub(crate) fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

#[test]
fn reasons_sum_to_the_difference_from_the_reference() {
    for (model, horizon) in
        [(&labelled().model, None), (&timed().model, Some(60.0)), (&timed().model, Some(33.3))]
    {
        let score = scored(model, &patient(), horizon);
        let sum: f64 = score.reasons.iter().map(|r| r.log_odds).sum();
        let difference = logit(score.risk) - logit(score.reference_risk);
        assert!((sum - difference).abs() < 1e-3, "{sum} is not {difference}");
        let sizes: Vec<f64> = score.reasons.iter().map(|r| r.log_odds.abs()).collect();
        assert!(sizes.windows(2).all(|pair| pair[0] >= pair[1]), "largest first: {sizes:?}");
    }
}

#[test]
fn what_matters_in_the_data_is_what_is_named() {
    let score = scored(&labelled().model, &patient(), None);
    let first: Vec<&str> = score.reasons.iter().take(3).map(|r| r.feature.as_str()).collect();
    assert!(first.contains(&"age") && first.contains(&"sex"), "{first:?}");
    let age = score.reasons.iter().find(|r| r.feature == "age").expect("age differs from the reference");
    assert!(age.log_odds > 0.0);
    assert!(age.sentence("en").ends_with("raises the risk"), "{}", age.sentence("en"));
    assert!(age.sentence("zh").ends_with("使风险升高"), "{}", age.sentence("zh"));
    assert_eq!(score.missing, ["lab"]);
}

#[test]
fn the_interval_holds_the_risk_and_risk_grows_with_time() {
    let model = &timed().model;
    let mut before = 0.0;
    for horizon in [5.0, 20.0, 41.7, 90.0, 120.0] {
        let score = scored(model, &patient(), Some(horizon));
        assert!(score.low < score.risk && score.risk < score.high, "{score:?}");
        assert!(score.risk > before, "{} after {before}", score.risk);
        before = score.risk;
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let again = train(&table(ROWS, 1), &label()).expect("trains");
    assert_eq!(again.bytes.safetensors, labelled().bytes.safetensors);
    assert_eq!(again.bytes.toml, labelled().bytes.toml);
    let mut other = label();
    other.seed = 2;
    assert_ne!(train(&table(ROWS, 1), &other).expect("trains").bytes, again.bytes);
}

#[test]
fn it_ranks_and_is_calibrated_on_rows_that_it_has_not_seen() {
    let fresh = table(4_000, 99);
    let scored = labelled().model.score_table(&fresh, &[]).expect("scores");
    let p: Vec<f64> = scored.iter().map(|s| s.estimates[0].risk).collect();
    let y = crate::observed(&fresh, &OutcomeColumns::Label("y".to_owned())).expect("reads");
    let y: Vec<bool> = y.iter().map(|row| row.event).collect();
    let auroc = crate::metrics::binary::auroc(&p, &y);
    assert!(auroc > 0.72, "{auroc}");
    let ratio = crate::metrics::binary::observed_to_expected(&p, &y);
    assert!((0.85..1.15).contains(&ratio), "{ratio}");
}

#[test]
fn every_reason_to_abstain() {
    let model = &labelled().model;
    let with = |name: &str, value: Value| {
        let mut inputs = patient();
        inputs.insert(name.to_owned(), value);
        abstained(model, &inputs, None)
    };
    assert_eq!(with("age", Value::Missing).code(), "required_missing");
    assert_eq!(with("age", Value::Number(140.0)).code(), "out_of_range");
    assert_eq!(with("flag", Value::Number(2.0)).code(), "out_of_range");
    assert_eq!(with("ward", Value::Category("z".to_owned())).code(), "unseen_kind");
    assert_eq!(with("ward", Value::Number(1.0)).code(), "unseen_kind");
    assert_eq!(with("age", Value::Category("old".to_owned())).code(), "unseen_kind");
    assert_eq!(with("dose", Value::Number(f64::NAN)).code(), "unseen_kind");
    let why = abstained(&timed().model, &patient(), Some(1e6));
    assert_eq!(why.code(), "horizon_out_of_range");
    assert_eq!(
        with("age", Value::Number(140.0)).sentence("en"),
        "age is 140, outside the model's range of 40 to 89"
    );
    assert_eq!(Abstain::ModelUnavailable { why: "x".to_owned() }.sentence("zh"), "模型不可用：x");
    assert_eq!(Abstain::NotFinite.sentence("en"), "the model gave no valid number");
}

#[test]
fn the_ends_of_the_range_are_still_scored() {
    for age in [40.0, 89.0] {
        let mut inputs = patient();
        inputs.insert("age".to_owned(), Value::Number(age));
        scored(&labelled().model, &inputs, None);
    }
}

#[test]
fn risk_is_filled_where_a_row_abstains() {
    let mut odd = table(2, 5);
    odd.push_row(["9", "0", "200", "x", "b", "text", "", "1", "0", "1", "1"].into_iter()).expect("fits");
    let scored = labelled().model.score_table(&odd, &[]).expect("scores");
    assert!(scored[0].abstain.is_none());
    assert!(scored[2].abstain.is_some());
    let estimate = scored[2].estimates[0];
    assert!(estimate.risk > 0.0 && estimate.risk < 1.0 && estimate.low < estimate.high);
}

#[test]
fn a_damaged_model_is_refused() {
    let ModelBytes { toml, safetensors } = labelled().bytes.clone();
    assert!(Model::from_bytes(&toml, &safetensors).is_ok());
    for at in [0, 40, safetensors.len() / 2, safetensors.len() - 1] {
        let mut bytes = safetensors.clone();
        bytes[at] ^= 1;
        assert_eq!(Model::from_bytes(&toml, &bytes).err(), Some(ModelError::Weights));
    }
    assert_eq!(Model::from_bytes(&toml, &safetensors[..100]).err(), Some(ModelError::Weights));
    let edited = toml.replacen("max = 89.0", "max = 99.0", 1);
    assert_ne!(edited, toml);
    assert_eq!(Model::from_bytes(&edited, &safetensors).err(), Some(ModelError::Changed));
    assert_eq!(Model::from_bytes("", &safetensors).err(), Some(ModelError::Changed));
    let mut older = labelled().model.file().clone();
    older.format = 99;
    let older = labelled().bytes.clone().with_file(&older).expect("writes");
    assert_eq!(Model::from_bytes(&older.toml, &safetensors).err(), Some(ModelError::Format { found: 99 }));
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let mut bytes = labelled().bytes.safetensors.clone();
    let at = {
        let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("our own file");
        let floats = tensors.iter().find(|(_, tensor)| tensor.dtype() == safetensors::Dtype::F32);
        let (_, weights) = floats.expect("a network has weights");
        weights.data().as_ptr() as usize - bytes.as_ptr() as usize
    };
    bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let mut file = labelled().model.file().clone();
    file.weights_sha256 = crate::sha256::hex(&bytes);
    let toml = labelled().bytes.clone().with_file(&file).expect("writes").toml;
    assert!(matches!(Model::from_bytes(&toml, &bytes), Err(ModelError::NotFinite(_))));
}

fn refused(table: &RawTable, options: &Options) -> String {
    match train(table, options) {
        Ok(_) => panic!("trained"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn bad_tables_are_refused_with_row_column_and_mend() {
    let mut text = table(ROWS, 1);
    text.push_row(["900", "0", "6o", "f", "a", "1", "", "1", "0", "1", "1"].into_iter()).expect("fits");
    let sentence = refused(&text, &label());
    assert!(
        sentence.contains("row 400") && sentence.contains("\"age\"") && sentence.contains("6o"),
        "{sentence}"
    );
    assert!(sentence.contains("--categorical age"), "{sentence}");
    let mut infinite = table(ROWS, 1);
    infinite.push_row(["900", "0", "inf", "f", "a", "1", "", "1", "0", "1", "1"].into_iter()).expect("fits");
    assert!(refused(&infinite, &label()).contains("\"inf\" is not a finite number"));
    let mut missing = label();
    missing.roles.id = "patient".to_owned();
    assert!(
        refused(&table(ROWS, 1), &missing).starts_with("there is no column \"patient\"; the file has: pid,")
    );
    assert!(refused(&table(3, 1), &label()).starts_with("3 rows are not enough"));
    let mut outcome = table(ROWS, 1);
    outcome.push_row(["900", "0", "60", "f", "a", "1", "", "1", "2", "1", "1"].into_iter()).expect("fits");
    assert!(refused(&outcome, &label()).contains("row 400, column \"y\": \"2\" is not an outcome"));
    let mut nobody = table(ROWS, 1);
    nobody.push_row(["", "0", "60", "f", "a", "1", "", "1", "0", "1", "1"].into_iter()).expect("fits");
    assert!(refused(&nobody, &label()).starts_with("row 400, column \"pid\" is empty"));
    let one = RawTable::new(strings(&["a", "b", "a"]));
    assert!(matches!(one, Err(DataError::RepeatedColumn { first: 1, second: 3, .. })));
    let mut ragged = RawTable::new(strings(&["a", "b"])).expect("names differ");
    assert!(matches!(
        ragged.push_row(["1"].into_iter()),
        Err(DataError::RaggedRow { row: 0, cells: 1, columns: 2 })
    ));
    let wide = RawTable::new((0..=crate::MAX_COLUMNS).map(|i| i.to_string()).collect());
    assert!(matches!(wide, Err(DataError::TooManyColumns { .. })));
    assert!(RawTable::new((0..crate::MAX_COLUMNS).map(|i| i.to_string()).collect()).is_ok());
}

#[test]
fn one_outcome_only_is_refused() {
    let mut all = RawTable::new(strings(&["pid", "age", "y"])).expect("names differ");
    for row in 0..60 {
        let cells = [row.to_string(), (row % 7).to_string(), "0".to_owned()];
        all.push_row(cells.iter().map(String::as_str)).expect("fits");
    }
    let mut options = label();
    options.roles.drop = Vec::new();
    assert_eq!(
        refused(&all, &options),
        "column \"y\" is 0 in every row; a model needs rows with and without the event"
    );
}

#[test]
fn events_that_take_no_time_are_no_events() {
    let mut at_once = RawTable::new(strings(&["pid", "age", "time", "event"])).expect("names differ");
    for row in 0..60 {
        let event = row % 2;
        let cells = [row, row % 7, 30 * (1 - event), event].map(|n: usize| n.to_string());
        at_once.push_row(cells.iter().map(String::as_str)).expect("fits");
    }
    let mut options = survival();
    options.roles.drop = Vec::new();
    assert!(refused(&at_once, &options).starts_with("0 events after time 0 are not enough"));
}

#[test]
fn columns_that_say_nothing_are_left_out_and_named() {
    let mut wide =
        RawTable::new(strings(&["pid", "age", "unit", "note", "void", "y"])).expect("names differ");
    for row in 0..200 {
        let age = (row * 7) % 50;
        let cells = [
            row.to_string(),
            age.to_string(),
            "1".to_owned(),
            format!("seen {row}"),
            String::new(),
            usize::from(age > 30).to_string(),
        ];
        wide.push_row(cells.iter().map(String::as_str)).expect("fits");
    }
    let mut options = label();
    options.roles.drop = Vec::new();
    options.allow_leak = strings(&["age"]);
    let fitted = train(&wide, &options).expect("trains");
    let names: Vec<&str> = fitted.model.features().iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["age"]);
    let left_out = &fitted.model.file().training.left_out;
    assert_eq!(left_out[0], "unit: it has the same value in every row");
    assert!(left_out[1].starts_with("note: it looks like an identifier or free text"), "{left_out:?}");
    assert_eq!(left_out[2], "void: it is empty in every training row");
}

#[test]
fn numbers_can_be_forced_to_be_names() {
    let mut options = label();
    options.roles.categorical = strings(&["visit"]);
    options.roles.drop = strings(&["time", "event"]);
    let fitted = train(&table(ROWS, 1), &options).expect("trains");
    let visit = fitted.model.features().iter().find(|f| f.name == "visit").expect("is an input");
    assert!(matches!(&visit.kind, crate::Kind::Category { levels } if levels.len() == 2));
}

#[test]
fn a_schema_says_what_is_required_and_the_rest_may_be_absent() {
    let schema = "[[feature]]\nname = \"age\"\nlabel = { en = \"Age\", zh = \"年龄\" }\nunit = { en = \"years\", zh = \"岁\" }\nrequired = true\nrange = [0, 120]\n";
    let mut options = label();
    options.schema = SchemaFile::parse(schema).expect("parses");
    let model = train(&table(ROWS, 1), &options).expect("trains").model;
    let mut inputs = Inputs::new();
    inputs.insert("age".to_owned(), Value::Number(101.0));
    let score = scored(&model, &inputs, None);
    assert_eq!(score.missing, ["sex", "ward", "dose", "lab", "flag"]);
    let age = score.reasons.iter().find(|r| r.feature == "age").expect("differs");
    assert!(age.sentence("zh").starts_with("年龄：101 岁"), "{}", age.sentence("zh"));
    assert_eq!(
        abstained(&model, &Inputs::new(), None).sentence("en"),
        "Age is missing, and the model requires it"
    );
    options.schema = SchemaFile::parse(&schema.replace("[0, 120]", "[0, 60]")).expect("parses");
    assert!(refused(&table(ROWS, 1), &options).contains("the range 0 to 60"));
}
