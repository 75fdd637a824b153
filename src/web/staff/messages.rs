//! The message log: what is in doubt first, then the latest; and what a person decides about a doubtful one.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;
use tend_engine::{MessageId, model::Channel};

use super::{Frame, Signed, StaffForm, vocabulary as v};
use crate::{
    app::{App, doubt::Decided},
    store::read::{
        message_log::{MessageFilter, MessageRow},
        timeline::Dropped,
    },
    web::{
        Page, WebError,
        respond::{page, see_other},
        words::{MessageLog, Staff},
    },
};

/// The states that can be asked for.
const STATES: [&str; 9] = [
    "scheduled",
    "claimed",
    "handed_over",
    "delivered",
    "refused",
    "uncertain",
    "expired",
    "suppressed",
    "withdrawn",
];

/// A row as shown.
#[derive(Debug)]
struct Row {
    id: String,
    patient: String,
    name: String,
    what: String,
    channel: &'static str,
    state: String,
    when: String,
    attempt: String,
    uncertain: bool,
}

#[derive(Debug, Template)]
#[template(path = "staff/messages/page.html")]
struct LogPage {
    page: Page,
    frame: Frame,
    m: MessageLog,
    doubtful: Vec<Row>,
    rows: Vec<Row>,
    states: Vec<(String, String, bool)>,
    channels: Vec<(String, String, bool)>,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "staff/messages/decide.html")]
struct DecidePage {
    page: Page,
    frame: Frame,
    m: MessageLog,
    row: Row,
}

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    state: Option<String>,
    channel: Option<String>,
    before: Option<String>,
}

/// `GET /messages`
///
/// # Errors
/// [`WebError`].
pub async fn show(app: Data<App>, signed: Signed, asked: Query<Asked>) -> Result<HttpResponse, WebError> {
    let (page_, frame) = signed.page("/messages", "/messages");
    let filter = filter_of(&asked)?;
    let (found, more) = app.store.message_log(signed.staff.site, &filter).await?;
    let now = app.clock.now();
    let uncertain = Some("uncertain".to_owned());
    let doubt = MessageFilter { state: uncertain, open_at: Some(now), ..MessageFilter::default() };
    let (doubtful, _) = if filter.before.is_none() && filter.state.is_none() {
        app.store.message_log(signed.staff.site, &doubt).await?
    } else {
        (Vec::new(), false)
    };
    let zone = app.zone(signed.staff.site);
    let mut patients: Vec<_> = found.iter().chain(&doubtful).map(|row| row.patient).collect();
    patients.sort();
    patients.dedup();
    let dropped = app.store.drops_of(&patients).await?;
    let row = |row: MessageRow| shown(&signed, &zone, &dropped, row, now);
    let next = found.last().filter(|_| more).map(|last| {
        let value = |value: &Option<String>| value.clone().unwrap_or_default();
        format!(
            "/messages?state={}&channel={}&before={}",
            value(&asked.state),
            value(&asked.channel),
            last.id
        )
    });
    page(&LogPage {
        m: MessageLog(signed.lang),
        doubtful: doubtful.into_iter().map(row).collect(),
        rows: found.into_iter().map(row).collect(),
        states: states(frame.w, asked.state.as_deref()),
        channels: channels(frame.w, asked.channel.as_deref()),
        next,
        page: page_,
        frame,
    })
}

/// `GET /messages/{id}`
///
/// # Errors
/// [`WebError`].
pub async fn one(app: Data<App>, signed: Signed, id: Path<String>) -> Result<HttpResponse, WebError> {
    let row = of_site(&app, &signed, &id).await?;
    app.viewed(signed.staff.id, row.patient, "message").await?;
    let zone = app.zone(signed.staff.site);
    let frame = Frame::of(&signed, "/messages");
    page(&DecidePage {
        page: Page::unswitched(signed.lang),
        m: MessageLog(signed.lang),
        row: shown(&signed, &zone, &Dropped::new(), row, app.clock.now()),
        frame,
    })
}

/// `POST /messages/{id}`: what a person found out.
///
/// # Errors
/// [`WebError`].
pub async fn decide(
    app: Data<App>,
    signed: Signed,
    id: Path<String>,
    form: StaffForm,
) -> Result<HttpResponse, WebError> {
    let row = of_site(&app, &signed, &id).await?;
    let decided = match form.get("decided") {
        "arrived" => Decided::Arrived,
        "not_arrived" => Decided::DidNotArrive,
        "again" => Decided::SendAgain,
        _ => return Err(WebError::BadForm),
    };
    app.decide_doubt(&row, decided, signed.staff.id).await?;
    Ok(see_other("/messages"))
}

async fn of_site(app: &App, signed: &Signed, id: &str) -> Result<MessageRow, WebError> {
    let id = MessageId::parse(id).map_err(|_| WebError::NotFound)?;
    let row = app.store.message(id).await?.ok_or(WebError::NotFound)?;
    let patient = app.store.patient(row.patient).await?.ok_or(WebError::NotFound)?;
    if patient.site == signed.staff.site { Ok(row) } else { Err(WebError::NotFound) }
}

fn filter_of(asked: &Asked) -> Result<MessageFilter, WebError> {
    let state = match asked.state.as_deref() {
        None | Some("") => None,
        Some(state) if STATES.contains(&state) => Some(state.to_owned()),
        Some(_) => return Err(WebError::NotFound),
    };
    let channel = match asked.channel.as_deref() {
        None | Some("") => None,
        Some(word) => Some(v::channel_of(word).ok_or(WebError::NotFound)?),
    };
    let before = match asked.before.as_deref() {
        None | Some("") => None,
        Some(id) => Some(MessageId::parse(id).map_err(|_| WebError::NotFound)?),
    };
    Ok(MessageFilter { state, channel, open_at: None, before })
}

fn states(w: Staff, current: Option<&str>) -> Vec<(String, String, bool)> {
    let one = |state: &str| (state.to_owned(), v::message_state(w, state), current == Some(state));
    STATES.into_iter().map(one).collect()
}

fn channels(w: Staff, current: Option<&str>) -> Vec<(String, String, bool)> {
    let one = |channel: Channel| {
        let word = v::channel_word(channel);
        (word.to_owned(), v::channel(w, channel).to_owned(), current == Some(word))
    };
    [Channel::Sms, Channel::Email].map(one).to_vec()
}

fn shown(
    signed: &Signed,
    zone: &jiff::tz::TimeZone,
    dropped: &Dropped,
    row: MessageRow,
    now: Timestamp,
) -> Row {
    let w = Staff(signed.lang);
    let uncertain = row.is_doubtful(now);
    let state = v::message_state_because(signed.lang, &row, dropped);
    let when = if row.state == "scheduled" { row.send_after } else { row.updated_at };
    Row {
        id: row.id.to_string(),
        patient: row.patient.to_string(),
        name: if row.patient_name.is_empty() { w.erased().to_owned() } else { row.patient_name },
        what: v::purpose(w, row.plan.purpose),
        channel: v::channel(w, row.channel),
        uncertain,
        state,
        when: v::instant(zone, when),
        attempt: MessageLog(signed.lang).attempt(row.attempt),
    }
}
