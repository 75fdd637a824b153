//! `tend explore`, `tend simulate`, `tend why` and `tend replay` from the outside.

use std::process::{Command, Output};

use crate::support::app::{Somebody, TestApp};

fn tend(args: &[&str], app: Option<&TestApp>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tend"));
    if let Some(file) = app.and_then(|app| app.app.store.file()) {
        command.env("DATABASE_URL", format!("sqlite://{}", file.display()));
    }
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("the binary starts")
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn day() -> jiff::civil::Date {
    "2026-03-02".parse().expect("a date")
}

#[actix_web::test]
async fn a_simulation_sends_nothing_and_writes_nothing() {
    let app = TestApp::start().await;
    let before = app.on_disk();
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    let args = ["simulate", "hf-discharge-90d", "--patients", "8", "--days", "14", "--seed", "3", "--json"];
    let with_page = [&args[..], &["--html", page.to_str().expect("UTF-8")]].concat();
    let read = |output: &Output| -> serde_json::Value { serde_json::from_str(&out(output)).expect("JSON") };
    let report = read(&tend(&with_page, Some(&app)));
    assert!(report["totals"]["contacts"].as_u64().expect("a number") > 8, "{report}");
    assert_eq!(report["totals"], read(&tend(&args, Some(&app)))["totals"], "the same seed");
    assert!(app.sent.borrow().is_empty(), "no carrier was called");
    assert_eq!(before, app.on_disk(), "no row was written");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.contains("<svg") && page.contains("No message was sent"));
}

#[test]
fn courses_are_walked_and_the_bounds_are_said() {
    let output =
        tend(&["explore", "generic-discharge-30d", "--deviations", "1", "--states", "300", "--json"], None);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["workflow"], "generic-discharge-30d");
    assert!(report["states"].as_u64().expect("a number") > 100, "{report}");
    assert_eq!(report["bounds"]["deviations"], 1);
    let clean = report["findings"].as_array().expect("a list").is_empty();
    assert_eq!(output.status.success(), clean, "{report}");
    let unknown = tend(&["explore", "nothing"], None);
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no workflow \"nothing\""));
}

#[actix_web::test]
async fn a_message_is_explained_and_a_past_state_shown() {
    let app = TestApp::start().await;
    let somebody = app.enrol(&Somebody::with_heart_failure(day())).await;
    app.pass_hours(30).await;
    let messages = app.app.store.messages_of(somebody.patient).await.expect("messages");
    let message = messages.first().expect("a message").id.to_string();
    let why = out(&tend(&["why", &message], Some(&app)));
    assert!(why.contains("planned: ") && why.contains("enrolled in hf-discharge-90d"), "{why}");
    assert!(why.contains("workflow.yaml:"), "the line of the file: {why}");
    let enrollment = somebody.enrollment.to_string();
    let now = out(&tend(&["replay", &enrollment], Some(&app)));
    assert!(now.contains("hf-discharge-90d") && now.contains("active"), "{now}");
    assert!(now.contains("decided again by engine") && now.contains(": all as stored"), "{now}");
    let early = out(&tend(&["replay", &enrollment, "--at", "2001-01-01T00:00:00Z"], Some(&app)));
    assert!(early.contains("not enrolled yet"), "{early}");
    assert!(!tend(&["why", "0"], Some(&app)).status.success());
}

#[actix_web::test]
async fn what_was_decided_otherwise_is_an_error_within_an_engine_version_and_named_across() {
    let app = TestApp::start().await;
    let somebody = app.enrol(&Somebody::with_heart_failure(day())).await;
    app.pass_hours(60).await;
    let enrollment = somebody.enrollment.to_string();
    let replay = || tend(&["replay", &enrollment], Some(&app));
    assert!(replay().status.success());
    let pool = app.app.store.job_pool();
    let tend::store::JobPool::Sqlite(pool) = &pool else { panic!("SQLite") };
    let by_hand = async |statement: &'static str| {
        let changed = sqlx::query(statement).execute(pool).await.expect("a statement");
        assert!(changed.rows_affected() > 0);
    };
    by_hand("update event set body = replace(body, '\"late\":false', '\"late\":true') where kind = 'opened'")
        .await;
    let said = replay();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(!said.status.success(), "{text}");
    assert!(
        text.contains("stored: ") && text.contains("now:    ") && text.contains("the one that runs"),
        "{text}"
    );
    by_hand("update event set decided_under = decided_under + 8 * 8589934592").await;
    let named = out(&replay());
    assert!(named.contains("decided by engine 9") && named.contains("stored: "), "{named}");
}
