//! Our own faults: a plain page with a reference that is in the log, and nothing of any patient in either.

use actix_web::http::StatusCode;
use tend::store::JobPool;

use super::logged::Log;
use super::ward::{Ward, between};
use crate::support::app::on_both_databases;

on_both_databases!(a_fault_is_a_plain_page_with_a_reference_that_is_in_the_log);

async fn a_fault_is_a_plain_page_with_a_reference_that_is_in_the_log() {
    let ward = Ward::with_nurse().await;
    let patient = ward.enrol("Ann Unnamed", 77).await.patient;
    let log = Log::default();
    let collect =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _quiet = tracing::subscriber::set_default(collect);
    // Something that nobody foresaw happened to the database.
    for table in ["task_note", "queue_count", "score", "message"] {
        let drop = sqlx::AssertSqlSafe(format!("drop table {table}"));
        match ward.pages.app.store.job_pool() {
            JobPool::Sqlite(pool) => sqlx::query(drop).execute(&pool).await.map(|_| ()),
            JobPool::Postgres(pool) => sqlx::query(drop).execute(&pool).await.map(|_| ()),
        }
        .expect("a table is gone");
    }
    for (path, lang, words) in [
        ("/worklist".to_owned(), "en", "Something went wrong here"),
        (format!("/patients/{patient}"), "en", "It is not your fault"),
        (format!("/patients/{patient}"), "zh", "系统出现问题"),
        ("/messages".to_owned(), "zh", "系统出现问题"),
    ] {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = ward.pages.get(&format!("{path}{joint}lang={lang}")).await;
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        let text = page.text();
        assert!(text.contains(words), "{words}: {text}");
        let line =
            between(text, "class=\"reference\">", "<").unwrap_or_else(|| panic!("no reference: {text}"));
        let reference: String =
            line.chars().filter(|c| *c == '-' || c.is_ascii_uppercase() || c.is_ascii_digit()).collect();
        let reference = &reference[reference.len() - 9..];
        assert!(reference.len() == 9 && reference.as_bytes()[4] == b'-', "{reference}");
        assert!(log.said().contains(reference), "{reference} is not in the log:\n{}", log.said());
        for secret in ["Ann", "Unnamed", "H77", "7700900077", "no such table", "does not exist", "select "] {
            assert!(!text.contains(secret), "{secret} on the page: {text}");
        }
        assert!(!text.contains("<script") && text.contains("tel:"), "a plain page with whom to call: {text}");
    }
    let said = log.said();
    for secret in ["Ann", "Unnamed", "H77", "7700900077", "1948-05-17"] {
        assert!(!said.contains(secret), "{secret} in the log:\n{said}");
    }
}
