//! What holds for every page: headers, static files, limits, error pages.

use actix_web::http::{Method, StatusCode};

use crate::support::app::TestApp;

#[actix_web::test]
async fn the_process_says_that_it_lives_and_is_ready() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/healthz").await.text(), "ok\n");
    assert_eq!(app.get("/readyz").await.text(), "ready\n");
}

#[actix_web::test]
async fn every_answer_is_guarded() {
    let app = TestApp::start().await;
    for path in ["/healthz", "/no-such-page", "/static/base.css"] {
        let answer = app.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(
            answer.header("strict-transport-security"),
            "",
            "{path}: only behind a proxy that speaks TLS"
        );
    }
}

#[actix_web::test]
async fn static_files_are_kept_for_ever_under_the_name_of_their_content() {
    let app = TestApp::start().await;
    let href = tend::web::assets::href("base.css");
    let answer = app.get(href).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/css; charset=utf-8");
    assert!(answer.header("cache-control").contains("immutable"));
    assert_eq!(app.get("/static/base.000000000000.css").await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_missing_page_is_plain_and_in_the_readers_language() {
    let app = TestApp::start().await;
    let english = app.get("/no-such-page").await;
    assert_eq!(english.status, StatusCode::NOT_FOUND);
    assert!(english.text().contains("This page does not exist") && english.text().contains("lang=\"en\""));
    assert!(english.text().contains("tel:+442079460000"), "the ward can be called from every page");
    let chinese = app.request(Method::GET, "/no-such-page").header("Accept-Language", "zh-CN").send().await;
    assert!(chinese.text().contains("此页面不存在") && chinese.text().contains("lang=\"zh-Hans\""));
}

#[actix_web::test]
async fn another_sites_form_is_refused() {
    let app = TestApp::start().await;
    let answer = app
        .request(Method::POST, "/healthz")
        .header("Sec-Fetch-Site", "cross-site")
        .form(&[("a", "b")])
        .send();
    let answer = answer.await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text().contains("Nothing was changed"), "{}", answer.text());
}
