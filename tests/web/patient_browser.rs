//! Patients' pages in Chromium: 320 px wide, scripts turned off, light and dark, English and Chinese.

use std::path::Path;

use serde_json::json;

use super::patient::{BIRTH, DISCHARGE, answer_calmly, at};
use crate::support::app::{Somebody, TestApp, link_in};
use crate::support::browser::{assert_accessible, play};

#[actix_web::test]
async fn every_page_can_be_used_on_a_small_phone_without_scripts() {
    let app = TestApp::start().await;
    app.enrol(&Somebody::with_heart_failure(DISCHARGE)).await;
    app.enrol(&Somebody::with_heart_failure(DISCHARGE).in_chinese()).await;
    app.tick_to(at("2026-03-03T09:05:00Z")).await;
    for language in ["en", "zh"] {
        let visitor = app.stranger();
        let check = answer_calmly(&visitor, &newest(&app, language)).await;
        let csrf = visitor.get(&check).await.hidden("csrf");
        visitor.post(&check, &[("csrf", &csrf)]).await;
    }
    app.tick_to(at("2026-03-04T09:05:00Z")).await;

    let served = app.serve().await;
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures/patient");
    let birth = [BIRTH.day().to_string(), BIRTH.month().to_string(), BIRTH.year().to_string()];
    let visit = |name: &str, language: &str, locale: &str, dark: bool| json!({ "name": name, "link": newest(&app, language), "locale": locale, "dark": dark, "birth": birth });
    let options = json!({
        "base": served.base,
        "pictures": pictures,
        "visits": [visit("light", "en", "en-GB", false), visit("dark", "zh", "zh-CN", true)],
    });
    let seen = tokio::task::spawn_blocking(move || play("patient", &options)).await.expect("a result");
    served.stop().await;
    assert_accessible("patients' pages", &seen["found"]);
    assert_eq!(seen["wide"], json!([]), "pages that need sideways scrolling");
    assert_eq!(seen["foreign"], json!([]), "requests to elsewhere");
}

/// The newest link in a language.
fn newest(app: &TestApp, language: &str) -> String {
    let sent = app.sent.borrow();
    let link = sent
        .iter()
        .rev()
        .filter(|message| message.language == language)
        .find_map(|message| link_in(&message.text));
    link.expect("a message with a link")
}
