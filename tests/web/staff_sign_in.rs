//! Signing in: who may, for how long, and how often it may be tried.

use actix_web::http::{Method, StatusCode};
use jiff::SignedDuration;
use tend::app::sign_in::{FAILURES_PER_LOGIN, IDLE_MINUTES, SESSION_HOURS, WINDOW_MINUTES};
use tend::web::routes::{self, Who};
use tend_engine::model::Role;

use super::ward::{PASSWORD, Ward, sign_in};
use crate::support::app::{TestApp, on_both_databases};

on_both_databases!(
    a_nurse_signs_in_and_out,
    a_wrong_password_keeps_the_login_and_says_no_more,
    too_many_failures_lock_a_login_for_a_while,
    an_idle_session_ends_and_a_busy_one_lasts_a_shift,
    every_page_of_staff_refuses_strangers_and_wrong_roles,
    a_form_without_the_sessions_token_changes_nothing,
);

/// The pattern with values that lead nowhere.
fn example(pattern: &str) -> String {
    let id = "0192f0c0-0000-7000-8000-000000000001";
    pattern
        .replace("{act}", "pause")
        .replace("{step}", "daily-check")
        .replace("{generation}", "1")
        .replace("{ordinal}", "1")
        .replace("{id}", id)
        .replace("{enrollment}", id)
}

async fn a_nurse_signs_in_and_out() {
    let ward = Ward::open().await;
    ward.hire("nurse", &["nurse"], &[Role::Nurse]).await;
    let answer = ward.sign_in("nurse").await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/worklist"));
    let cookie = answer.headers.get("set-cookie").expect("a cookie").to_str().expect("ASCII");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(!cookie.contains("Secure"), "plain HTTP is served on loopback only");
    let page = ward.pages.get("/worklist").await;
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, "no-store"));
    assert!(page.text().contains("nurse &#60;b&#62;") || page.text().contains("nurse &lt;b&gt;"), "escaped");
    let out = ward.submit("/worklist", "/sign-out", &[]).await;
    assert_eq!(out.location(), "/sign-in?why=out");
    assert_eq!(ward.pages.get("/worklist").await.location(), "/sign-in");
}

async fn a_wrong_password_keeps_the_login_and_says_no_more() {
    let ward = Ward::open().await;
    ward.hire("nurse", &["nurse"], &[Role::Nurse]).await;
    let wrong = sign_in(&ward.pages, "nurse", "guess").await;
    let nobody = sign_in(&ward.pages, "nobody", "guess").await;
    assert_eq!(
        (wrong.status, nobody.status),
        (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY)
    );
    assert!(wrong.text().contains("value=\"nurse\""));
    assert!(wrong.text().contains("is wrong") && !wrong.text().contains("guess"));
    assert_eq!(wrong.text().replace("nurse", "nobody"), nobody.text(), "nobody learns which logins exist");
}

async fn too_many_failures_lock_a_login_for_a_while() {
    let ward = Ward::open().await;
    ward.hire("nurse", &["nurse"], &[Role::Nurse]).await;
    for n in 1..FAILURES_PER_LOGIN {
        let answer = sign_in(&ward.pages, "nurse", "guess").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "try {n}");
    }
    assert_eq!(sign_in(&ward.pages, "nurse", "guess").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(ward.sign_in("nurse").await.status, StatusCode::TOO_MANY_REQUESTS, "even with the right one");
    ward.pages.clock.forward(SignedDuration::from_hours(24));
    assert_eq!(
        ward.sign_in("nurse").await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "the demo's clock does not count"
    );
    ward.pages.wall.forward(SignedDuration::from_mins(WINDOW_MINUTES + 1));
    assert_eq!(ward.sign_in("nurse").await.status, StatusCode::SEE_OTHER);
}

async fn an_idle_session_ends_and_a_busy_one_lasts_a_shift() {
    let ward = Ward::with_nurse().await;
    ward.pages.wall.forward(SignedDuration::from_mins(IDLE_MINUTES - 1));
    assert_eq!(ward.pages.get("/worklist").await.status, StatusCode::OK);
    ward.pages.wall.forward(SignedDuration::from_mins(IDLE_MINUTES - 1));
    assert_eq!(
        ward.pages.get("/worklist").await.status,
        StatusCode::OK,
        "the clock starts again with each request"
    );
    ward.pages.wall.forward(SignedDuration::from_mins(IDLE_MINUTES));
    assert_eq!(ward.pages.get("/worklist").await.location(), "/sign-in?why=idle");
    assert!(ward.pages.get("/sign-in?why=idle").await.text().contains("15 minutes"));
    ward.sign_in("nurse").await;
    for _ in 0..SESSION_HOURS * 6 {
        ward.pages.get("/worklist").await;
        ward.pages.wall.forward(SignedDuration::from_mins(10));
    }
    assert_eq!(ward.pages.get("/worklist").await.status, StatusCode::SEE_OTHER, "twelve hours are enough");
}

async fn every_page_of_staff_refuses_strangers_and_wrong_roles() {
    let ward = Ward::open().await;
    ward.hire("author", &["author"], &[]).await;
    ward.hire("clinician", &["clinician"], &[Role::Clinician]).await;
    let stranger: TestApp = ward.pages.stranger();
    ward.sign_in("author").await;
    let mut seen = 0;
    for route in routes::all() {
        let Who::Staff(roles) = route.who else { continue };
        seen += 1;
        let path = example(route.pattern);
        let anonymous = stranger.request(route.method.clone(), &path).form(&[]).send().await;
        assert_eq!(anonymous.status, StatusCode::SEE_OTHER, "{} {path}", route.method);
        assert!(anonymous.location().starts_with("/sign-in"), "{path}");
        if !roles.contains(&"author") {
            let csrf = ward.csrf("/workflows").await;
            let wrong = ward.pages.request(route.method.clone(), &path).form(&[("csrf", &csrf)]).send().await;
            assert_eq!(wrong.status, StatusCode::FORBIDDEN, "{} {path} as author", route.method);
        }
    }
    assert!(seen > 20, "the table has the pages of staff");
}

async fn a_form_without_the_sessions_token_changes_nothing() {
    let ward = Ward::with_nurse().await;
    let patient = ward.enrol("Ann Example", 1).await.patient;
    let path = format!("/patients/{patient}/pause");
    for fields in [vec![("reason", "x")], vec![("reason", "x"), ("csrf", "0123")]] {
        let answer = ward.pages.post(&path, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.text().contains("open too long"), "says what to do");
    }
    let cross = ward.pages.request(Method::POST, "/sign-in").header("Sec-Fetch-Site", "cross-site");
    let cross = cross.form(&[("login", "nurse"), ("password", PASSWORD)]).send().await;
    assert_eq!(cross.status, StatusCode::FORBIDDEN);
}
