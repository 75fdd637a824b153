//! `tend risk` from the outside: files in, files and sentences out; and the model that the repository ships.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tend_risk::{Inputs, Model, Outcome, Value};

/// Rows of the shipped data that a quick training run sees.
const SAMPLE_ROWS: usize = 1_500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(name: &str) -> PathBuf {
    root().join("models/readmit30").join(name)
}

fn tend(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tend"))
        .args(args)
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .expect("the binary starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "succeeded: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn model() -> Model {
    let toml = fs::read_to_string(shipped("model.toml")).expect("is in the repository");
    let weights = fs::read(shipped("model.safetensors")).expect("is in the repository");
    Model::from_bytes(&toml, &weights).expect("is whole")
}

/// The first rows of the shipped data, with their folds.
fn sample(dir: &Path) -> (PathBuf, PathBuf) {
    let packed = fs::File::open(shipped("readmit30.csv.gz")).expect("is in the repository");
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(packed));
    let (data, folds) = (dir.join("data.csv"), dir.join("folds.csv"));
    let mut writer = csv::Writer::from_path(&data).expect("opens");
    writer.write_record(reader.headers().expect("has a header")).expect("writes");
    let mut fold_lines = "row,fold\n".to_owned();
    for (row, record) in reader.records().take(SAMPLE_ROWS).enumerate() {
        let record = record.expect("reads");
        let patient: usize = record[0].parse().expect("a number");
        fold_lines.push_str(&format!("{row},{}\n", patient % 3));
        writer.write_record(&record).expect("writes");
    }
    writer.flush().expect("writes");
    fs::write(&folds, fold_lines).expect("writes");
    (data, folds)
}

#[test]
fn the_shipped_model_scores_a_patient_with_the_required_facts_only() {
    let model = model();
    let required: Vec<&str> =
        model.features().iter().filter(|f| f.required).map(|f| f.name.as_str()).collect();
    assert_eq!(required, ["age", "los_days", "n_emergency_12m", "n_inpatient_12m"]);
    let score = |stays: f64| {
        let mut inputs = Inputs::new();
        for (name, value) in
            [("age", 71.0), ("los_days", 5.0), ("n_emergency_12m", 1.0), ("n_inpatient_12m", stays)]
        {
            inputs.insert(name.to_owned(), Value::Number(value));
        }
        match model.score(&inputs, None) {
            Outcome::Score(score) => score,
            Outcome::Abstain(why) => panic!("abstained: {}", why.sentence("en")),
        }
    };
    let (none, many) = (score(0.0), score(5.0));
    assert!((0.04..0.16).contains(&none.risk), "{none:?}");
    assert!(many.risk > 1.8 * none.risk, "{} and {}", none.risk, many.risk);
    assert_eq!(many.reasons[0].feature, "n_inpatient_12m");
    assert!(many.low < many.risk && many.risk < many.high);
    let (sum, logit) = (many.reasons.iter().map(|r| r.log_odds).sum::<f64>(), |p: f64| (p / (1.0 - p)).ln());
    assert!((sum - (logit(many.risk) - logit(many.reference_risk))).abs() < 1e-3);
}

#[test]
fn the_shipped_model_says_where_it_comes_from_and_asks_in_both_languages() {
    let model = model();
    let about = &model.file().about;
    assert_eq!(about.trained_on.en, "US diabetic inpatients 1999-2008, not validated here");
    assert!(about.attribution.contains("10.24432/C5230J"));
    assert!(about.licence.starts_with("CC BY 4.0"));
    for feature in model.features() {
        assert!(
            !["race", "payer", "specialty", "enc_rank", "readmit", "patient"]
                .contains(&feature.name.as_str())
        );
        assert!(!feature.label.zh.is_ascii(), "{} has no Chinese words", feature.name);
    }
    let card = fs::read_to_string(shipped("card.md")).expect("is in the repository");
    assert!(card.contains(&about.trained_on.en) && card.contains(model.version()));
    for number in 1..=31 {
        assert!(card.contains(&format!("\n{number}. **")), "attribute {number} is not in the card");
    }
    for word in ["diagnosis", "detects", "prevents"] {
        assert!(!card.to_lowercase().contains(word), "the card says {word}");
    }
}

#[test]
fn train_evaluate_predict() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, folds) = sample(dir.path());
    let (model, predictions) = (dir.path().join("model"), dir.path().join("out.csv"));
    let columns = ["--id", "patient", "--label", "readmit30", "--folds", text(&folds), "--fold", "1"];
    let mut train = vec!["risk", "train", text(&data), "--out", text(&model), "--order", "enc_rank"];
    train.extend(["--drop", "readmit,enc_rank"]);
    train.extend(columns);
    let said = out(&tend(&train));
    assert!(said.contains("auroc") && said.contains("calibration_slope"), "{said}");
    let toml = fs::read_to_string(model.join("model.toml")).expect("was written");
    assert!(toml.contains("\"readmit30@previous\"") && toml.contains("\"readmit30@earlier_share\""));
    let mut evaluate = vec!["risk", "evaluate", text(&model), text(&data), "--json"];
    evaluate.extend(columns);
    let json: serde_json::Value = serde_json::from_str(&out(&tend(&evaluate))).expect("one JSON document");
    assert!(json["rows"].as_u64().is_some_and(|rows| rows > 300 && rows < 700), "{json}");
    assert!(json["metrics"].as_array().is_some_and(|m| m.iter().any(|m| m["name"] == "auroc")));
    assert!(json["abstain_share"].is_number() && json["decision_curve"].is_array());
    let args = ["risk", "predict", text(&model), text(&data), "--out", text(&predictions), "--explain"];
    out(&tend(&args));
    let mut reader = csv::Reader::from_path(&predictions).expect("was written");
    assert_eq!(
        reader.headers().expect("has a header"),
        vec!["row", "abstain", "risk", "low", "high", "reference", "reasons"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("reads")).collect();
    assert_eq!(rows.len(), SAMPLE_ROWS);
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row[0], at.to_string());
        let number = |i: usize| row[i].parse::<f64>().expect("a number");
        assert!(number(3) < number(2) && number(2) < number(4), "{row:?}");
        let logit = |p: f64| (p / (1.0 - p)).ln();
        let reasons = row[6].split("; ").filter(|r| !r.is_empty());
        let sum: f64 = reasons.filter_map(|r| r.rsplit(' ').next()?.parse::<f64>().ok()).sum();
        let difference = logit(number(2)) - logit(number(5));
        assert!((sum - difference).abs() < 1e-3, "{sum} is not {difference}: {row:?}");
    }
}

#[test]
fn a_training_that_is_interrupted_leaves_the_best_so_far() {
    use std::io::BufRead;
    let dir = tempfile::tempdir().expect("a folder");
    let (data, _) = sample(dir.path());
    let (model, predictions) = (dir.path().join("model"), dir.path().join("out.csv"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_tend"));
    command.args(["risk", "train", text(&data), "--id", "patient", "--label", "readmit30"]);
    command.args(["--drop", "readmit", "--out", text(&model)]).env("RAYON_NUM_THREADS", "1");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let stderr = std::io::BufReader::new(child.stderr.take().expect("is piped"));
    let mut said = String::new();
    let mut sent = false;
    for line in stderr.lines() {
        let line = line.expect("reads");
        said.push_str(&format!("{line}\n"));
        // It is at the networks, and has just begun.
        if !sent && line.starts_with("members") {
            sent = true;
            let pid = child.id().to_string();
            assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill starts").success());
        }
    }
    let ended = child.wait_with_output().expect("ends");
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("what was learned so far becomes the model"), "{said}");
    assert!(!said.contains("members: 90 %"), "it went on: {said}");
    let printed = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(printed.contains("auroc") && printed.contains("the training was stopped early"), "{printed}");
    for name in ["card.md", "card.html"] {
        let card = fs::read_to_string(model.join(name)).expect("was written");
        assert!(card.contains("The training was stopped early"), "{name}");
    }
    let args = ["risk", "predict", text(&model), text(&data), "--out", text(&predictions)];
    assert!(out(&tend(&args)).starts_with("1500 rows"));
}

#[test]
fn a_failed_training_leaves_the_old_model_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let model = dir.path().join("model");
    fs::create_dir(&model).expect("is made");
    for name in ["model.toml", "model.safetensors", "card.md"] {
        fs::copy(shipped(name), model.join(name)).expect("copies");
    }
    let before = fs::read(model.join("model.toml")).expect("reads");
    let cases = [
        ("a,a,y\n1,2,0\n", "column \"a\" stands twice in the header"),
        ("a,b,y\n1,2,0\n1,2\n", "row 1 has 2 cells where the header has 3"),
        ("a,b,y\n1,2,0\n2,3,1\n3,4,0\n", "3 rows are not enough to train on; at least 30 are needed"),
        ("", "is empty"),
    ];
    for (csv, sentence) in cases {
        let data = dir.path().join("bad.csv");
        fs::write(&data, csv).expect("writes");
        let args = ["risk", "train", text(&data), "--id", "a", "--label", "y", "--out", text(&model)];
        let said = refusal(&tend(&args));
        assert!(said.contains(sentence), "{said}");
        assert_eq!(fs::read(model.join("model.toml")).expect("reads"), before);
    }
    let elsewhere = dir.path().join("bad.csv");
    let args = ["risk", "train", text(&elsewhere), "--id", "a", "--label", "y", "--out", text(dir.path())];
    assert!(refusal(&tend(&args)).contains("other files in it and no model"));
}

#[test]
fn a_damaged_model_folder_is_refused_in_a_sentence() {
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["model.toml", "model.safetensors"] {
        fs::copy(shipped(name), dir.path().join(name)).expect("copies");
    }
    let mut weights = fs::read(shipped("model.safetensors")).expect("reads");
    let middle = weights.len() / 2;
    weights[middle] ^= 0x10;
    fs::write(dir.path().join("model.safetensors"), weights).expect("writes");
    let (data, out) = (shipped("readmit30.csv.gz"), dir.path().join("out.csv"));
    let args = ["risk", "predict", text(dir.path()), text(&data), "--out", text(&out)];
    let said = refusal(&tend(&args));
    assert!(said.contains("model.safetensors is not the file that belongs to model.toml"), "{said}");
    assert!(!out.exists());
    fs::remove_file(dir.path().join("model.safetensors")).expect("removes");
    assert!(refusal(&tend(&args)).contains("give the folder of a trained model"));
}

#[test]
fn an_id_in_two_folds_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, folds, out) = (dir.path().join("d.csv"), dir.path().join("f.csv"), dir.path().join("m"));
    fs::write(&data, "p,x,y\n1,1,0\n1,2,1\n").expect("writes");
    fs::write(&folds, "row,fold\n0,0\n1,1\n").expect("writes");
    let args = ["risk", "train", text(&data), "--id", "p", "--label", "y", "--out", text(&out)];
    let args: Vec<&str> = args.into_iter().chain(["--folds", text(&folds), "--fold", "0"]).collect();
    assert!(
        refusal(&tend(&args)).contains("row 1: id \"1\" is in fold 1, but an earlier row of it is in fold 0")
    );
    assert!(!out.exists());
}

#[test]
fn a_column_that_knows_the_outcome_is_refused_by_name_and_allowed_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, _) = sample(dir.path());
    let model = dir.path().join("model");
    let train =
        ["risk", "train", text(&data), "--id", "patient", "--label", "readmit30", "--out", text(&model)];
    let said = refusal(&tend(&train));
    assert!(said.contains("column \"readmit\" looks as if it knew the outcome"), "{said}");
    assert!(said.contains("AUROC 1.000") && said.contains("--allow-leak readmit"), "{said}");
    assert!(!model.exists());
    let allowed: Vec<&str> = train.into_iter().chain(["--allow-leak", "readmit"]).collect();
    let said = out(&tend(&allowed));
    assert!(said.contains("look at readmit: alone it tells who has the event"), "{said}");
}

#[test]
fn a_site_recalibrates_the_shipped_model_and_watches_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, _) = sample(dir.path());
    let own = dir.path().join("own");
    let shipped = root().join("models/readmit30");
    let said = out(&tend(&["risk", "recalibrate", text(&shipped), text(&data), "--out", text(&own)]));
    assert!(said.contains("1500 rows") && said.contains("intercept") && said.contains("the slope"), "{said}");
    let card = fs::read_to_string(own.join("card.md")).expect("was written");
    assert!(card.contains("Recalibrated on 1500 rows of a site"), "{card}");
    assert!(fs::read_to_string(own.join("card.html")).expect("was written").contains("<table>"));
    let said = out(&tend(&["risk", "monitor", text(&own), text(&data), "--period", "sex"]));
    assert!(said.contains("n_inpatient_12m") && said.contains("population stability index"), "{said}");
    let twice = dir.path().join("twice");
    let again = ["risk", "recalibrate", text(&own), text(&data), "--out", text(&twice)];
    assert!(refusal(&tend(&again)).contains("the model is recalibrated already"));
}

#[test]
fn what_is_read_is_never_written_over_and_what_is_lacking_is_said() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data.csv");
    fs::write(&data, "patient,age,los_days\n1,70,3\n2,60,NA\n").expect("writes");
    let before = fs::read(&data).expect("reads");
    let folder = dir.path().join("model");
    fs::create_dir(&folder).expect("is made");
    for name in ["model.toml", "model.safetensors"] {
        fs::copy(shipped(name), folder.join(name)).expect("copies");
    }
    let predict = |to: &Path| tend(&["risk", "predict", text(&folder), text(&data), "--out", text(to)]);
    assert!(refusal(&predict(&data)).contains("is the file that is read"));
    assert!(refusal(&predict(&folder.join("model.toml"))).contains("is in the folder of the model"));
    assert!(refusal(&predict(&folder.join("../model/out.csv"))).contains("is in the folder of the model"));
    assert_eq!(fs::read(&data).expect("reads"), before);
    let to = dir.path().join("out.csv");
    let output = predict(&to);
    assert!(out(&output).starts_with("2 rows in"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lacks = "the file lacks columns n_emergency_12m, n_inpatient_12m that the model requires";
    assert!(said.contains(lacks), "{said}");
    let mut reader = csv::Reader::from_path(&to).expect("was written");
    let risks: Vec<String> = reader.records().map(|r| r.expect("reads")[2].to_owned()).collect();
    assert!(risks.len() == 2 && risks.iter().all(|risk| risk.parse::<f64>().is_ok()), "{risks:?}");
}

#[test]
fn a_bad_file_is_named_by_its_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, folds) = (dir.path().join("data.csv"), dir.path().join("folds.csv"));
    let model = dir.path().join("model");
    let train = |more: &[&str]| {
        let args = ["risk", "train", text(&data), "--id", "id", "--label", "y", "--out", text(&model)];
        refusal(&tend(&args.into_iter().chain(more.iter().copied()).collect::<Vec<_>>()))
    };
    fs::write(&data, "id;age;y\n1;70;0\n").expect("writes");
    assert!(train(&[]).contains("has semicolons (';') between its columns"));
    // Fold 0 is held out; the bad cell is on line 72 whatever is left out before it.
    let mut rows = "id,age,y\n".to_owned();
    let mut dealt = "row,fold\n".to_owned();
    for row in 0..100 {
        let age = if row == 70 { "7o".to_owned() } else { (40 + row % 31).to_string() };
        rows.push_str(&format!("{row},{age},{}\n", row % 3 / 2));
        dealt.push_str(&format!("{row},{}\n", row % 2));
    }
    fs::write(&data, rows).expect("writes");
    fs::write(&folds, dealt).expect("writes");
    for more in [&[][..], &["--folds", text(&folds), "--fold", "1"][..]] {
        let said = train(more);
        assert!(said.contains("line 72: row 70, column \"age\": \"7o\""), "{said}");
    }
}

#[test]
fn the_words_of_a_card_change_without_the_weights() {
    let dir = tempfile::tempdir().expect("a folder");
    let schema = dir.path().join("schema.toml");
    let words = fs::read_to_string(shipped("schema.toml")).expect("is in the repository");
    fs::write(&schema, words.replace("\n1 = \"", "\n1 = \"Another Ward. ")).expect("writes");
    let (own, folder) = (dir.path().join("own"), root().join("models/readmit30"));
    out(&tend(&["risk", "card", text(&folder), "--schema", text(&schema), "--out", text(&own)]));
    let read = |path: PathBuf| fs::read(path).expect("reads");
    assert_eq!(read(own.join("model.safetensors")), read(shipped("model.safetensors")));
    let card = fs::read_to_string(own.join("card.md")).expect("was written");
    assert!(card.contains("Another Ward. "), "{card}");
    let toml = fs::read_to_string(own.join("model.toml")).expect("was written");
    let changed = Model::from_bytes(&toml, &read(own.join("model.safetensors"))).expect("is whole");
    assert_eq!(changed.version(), model().version());
    // With the words of the repository it is the model of the repository, to the byte.
    let schema = shipped("schema.toml");
    out(&tend(&["risk", "card", text(&own), "--schema", text(&schema), "--out", text(&own)]));
    for name in ["model.toml", "card.md"] {
        assert_eq!(read(own.join(name)), read(shipped(name)), "{name}");
    }
    let words = fs::read_to_string(&schema).expect("reads");
    assert!(!words.contains("No automatic schedule") && !words.contains("no automatic schedule"));
}

#[test]
fn who_stops_reading_ends_the_command_quietly() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, _) = sample(dir.path());
    let shipped = root().join("models/readmit30");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tend"));
    command.args(["risk", "monitor", text(&shipped), text(&data), "--period", "sex"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("ends");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert!(ended.status.success(), "{:?}", ended.status);
}
