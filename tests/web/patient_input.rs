//! What patients may type, and where it must not go.

use actix_web::http::StatusCode;

use super::logged::Log;
use super::patient::{BIRTH, CALM, DISCHARGE, answer_calmly, at, first_check};
use crate::support::app::{Somebody, TestApp, on_both_databases};

on_both_databases!(an_answer_of_a_megabyte_gets_a_plain_page, nothing_of_a_patient_reaches_a_log,);

async fn an_answer_of_a_megabyte_gets_a_plain_page() {
    let (app, _, link) = first_check().await;
    app.give_birth_date(&link, BIRTH).await;
    let long = "a".repeat(1 << 20);
    let answer = app.post(&format!("{link}/q/0/weight"), &[("answer", &long)]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text().contains("That is too long") && answer.text().len() < 5_000);
}

#[actix_web::test]
async fn free_text_is_data() {
    let app = TestApp::start().await;
    let enrolled = app.enrol(&Somebody::with_heart_failure(DISCHARGE)).await;
    app.tick_to(at("2026-03-09T10:05:00Z")).await;
    let link = app.newest_link();
    let first = app.give_birth_date(&link, BIRTH).await;
    let mut path = first;
    let evil = "<script>alert(1)</script> & \"quoted\"\r\n=1+1";
    while !path.ends_with("/check") {
        let item = path.rsplit('/').next().expect("an item").to_owned();
        let value = match item.as_str() {
            "missed_days" => "0",
            "days_left" => "30",
            "new_medicine" => evil,
            "has_monitor" => "no",
            item => CALM.iter().find(|(name, _)| *name == item).map_or("", |(_, value)| value),
        };
        let answer = app.answer(&path, &[("answer", value), ("unit", "kg")]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{item}: {}", answer.text());
        path = answer.location().to_owned();
    }
    let page = app.get(&path).await;
    assert!(page.text().contains("&#60;script&#62;") && !page.text().contains("<script>"), "{}", page.text());
    app.post(&path, &[("csrf", &page.hidden("csrf"))]).await;
    let lines = app.app.store.history(enrolled.patient, 0, 10_000).await.expect("a history");
    let words: Vec<_> = lines.iter().flat_map(|line| line.words.values()).collect();
    assert_eq!(words, [&evil.replace("\r\n", "\n")]);
    assert!(
        contains(&app.on_disk(), b"medicine-check") && !contains(&app.on_disk(), b"alert(1)"),
        "sealed on the disk"
    );
}

async fn nothing_of_a_patient_reaches_a_log() {
    let log = Log::default();
    let collect =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _quiet = tracing::subscriber::set_default(collect);
    let (app, _, link) = first_check().await;
    app.post(&link, &[("day", "1"), ("month", "1"), ("year", "1960")]).await;
    let check = answer_calmly(&app, &link).await;
    app.get(&format!("{link}/no-such-page")).await;
    let csrf = app.get(&check).await.hidden("csrf");
    app.post(&check, &[("csrf", &csrf)]).await;
    tracing::info!("the log works");
    let said = log.said();
    assert!(said.contains("the log works"));
    let token = link.trim_start_matches("/c/");
    for secret in [token, "78.2", "Anna", "+447700900123", "anna@example.org", "1958", "at_rest"] {
        assert!(!said.contains(secret), "{secret} in the log:\n{said}");
    }
}

fn contains(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}
