//! The demo's own pages: the mailbox of its invented patients, and the clock. Not there in a running hospital.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Form, Query},
};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;
use tend_engine::model::Channel;

use super::{Lang, Page, Web, WebError, respond, words};
use crate::ports::{Demo, DemoMove, MailboxEntry};

/// Most messages shown at once.
pub const MAILBOX_ROWS: usize = 60;
/// Most messages looked through for a name.
pub const MAILBOX_SEARCHED: usize = 1_000;
/// The farthest that the clock moves in one go, in hours: a week.
pub const MOVE_HOURS_MAX: u32 = 7 * 24;

#[derive(Template)]
#[template(path = "demo/mailbox.html")]
struct MailboxPage {
    page: Page,
    words: words::Demo,
    now: String,
    moved: Option<String>,
    failed: Option<String>,
    to: String,
    rows: Vec<Row>,
}

struct Row {
    entry: MailboxEntry,
    at: String,
    sms: bool,
}

/// What is looked for.
#[derive(Debug, Deserialize)]
pub struct Filter {
    #[serde(default)]
    to: String,
}

/// How far to move.
#[derive(Debug, Deserialize)]
pub struct MoveForm {
    hours: u32,
}

/// A text written back.
#[derive(Debug, Deserialize)]
pub struct ReplyForm {
    to: String,
    text: String,
}

fn demo(web: &Web) -> Result<&dyn Demo, WebError> {
    web.demo.as_deref().ok_or(WebError::NotFound)
}

/// The mailbox.
///
/// # Errors
/// Not found outside the demo.
pub async fn mailbox(
    web: Data<Web>,
    request: HttpRequest,
    filter: Query<Filter>,
) -> Result<HttpResponse, WebError> {
    show(&web, &request, &filter.to, None).await
}

/// Moves the clock, then shows the mailbox.
///
/// # Errors
/// Not found outside the demo.
pub async fn move_clock(
    web: Data<Web>,
    request: HttpRequest,
    form: Form<MoveForm>,
) -> Result<HttpResponse, WebError> {
    let outcome = demo(&web)?.move_clock(form.hours.clamp(1, MOVE_HOURS_MAX)).await;
    show(&web, &request, "", Some(outcome)).await
}

/// An invented patient writes back.
///
/// # Errors
/// Not found outside the demo.
pub async fn reply(
    web: Data<Web>,
    request: HttpRequest,
    form: Form<ReplyForm>,
) -> Result<HttpResponse, WebError> {
    match demo(&web)?.reply(&form.to, &form.text).await {
        Ok(()) => Ok(respond::see_other("/demo")),
        Err(why) => show(&web, &request, "", Some(Err(why))).await,
    }
}

async fn show(
    web: &Web,
    request: &HttpRequest,
    to: &str,
    outcome: Option<Result<DemoMove, String>>,
) -> Result<HttpResponse, WebError> {
    let lang = Lang::of(request);
    let wanted = to.trim().to_lowercase();
    let limit = if wanted.is_empty() { MAILBOX_ROWS } else { MAILBOX_SEARCHED };
    let (entries, mut failed) = match demo(web)?.mailbox(limit).await {
        Ok(entries) => (entries, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let words = words::Demo(lang);
    let mut moved = None;
    match outcome {
        Some(Ok(done)) => moved = Some(words.moved(done.messages, done.answers, done.tasks)),
        Some(Err(why)) => failed = Some(why),
        None => {}
    }
    let found = |entry: &MailboxEntry| {
        wanted.is_empty() || entry.name.to_lowercase().contains(&wanted) || entry.to.contains(&wanted)
    };
    let rows = entries.into_iter().filter(found).take(MAILBOX_ROWS).map(row).collect();
    let now = local(web.app.clock.now());
    let page = Page::at(lang, "/demo");
    respond::page(&MailboxPage { page, words, now, moved, failed, to: to.to_owned(), rows })
}

fn row(entry: MailboxEntry) -> Row {
    Row { at: local(entry.at), sms: entry.channel == Channel::Sms, entry }
}

/// The demo's hospital keeps UTC.
fn local(at: jiff::Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).strftime("%a %Y-%m-%d %H:%M UTC").to_string()
}
