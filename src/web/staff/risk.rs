//! The clinicians' queue: red by rule first, then by calibrated risk with its reasons, then who was not scored and why, and a
//! share of those whom the model puts last.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use askama::Template;
use serde::Deserialize;
use tend_engine::{EnrollmentId, PatientId};

use super::{
    Frame, Signed, StaffForm, published,
    vocabulary::{self as v, Titles},
};
use crate::{
    app::{
        App,
        score::{self, Signal, SwitchState},
    },
    store::read::{
        risk_queue::{RISK_ROWS, RiskRow, ScoreReason},
        staff::AccountRole,
    },
    web::{
        Lang, Page, WebError,
        respond::{page, see_other},
        words::{Monitor, Risk, Staff},
    },
};

/// Reasons on a row.
const REASONS_SHOWN: usize = 4;
/// How a reason names an input that nobody gave.
const NOT_KNOWN: &str = ": not known (";
/// Of the patients with the lowest risk, one in this many is drawn for review.
pub const AUDIT_ONE_IN: u128 = 20;
/// The lowest risks that the share is drawn from.
const AUDIT_POOL: usize = 200;

/// A row as shown.
#[derive(Debug)]
struct Row {
    patient: String,
    name: String,
    workflow: String,
    level: Option<(&'static str, &'static str, &'static str)>,
    risk: Option<String>,
    interval: Option<String>,
    reasons: Vec<String>,
    /// Inputs that the score was made without.
    missing: Option<String>,
    /// The open alerts of level red and worse: their pages, and why they were raised.
    alerts: Vec<(String, Vec<String>)>,
    not_scored: Option<String>,
    /// The published scores beside it.
    published: Vec<String>,
    model: String,
    /// What a clinician decided.
    moved: Option<&'static str>,
    /// Where a clinician decides.
    decide: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "staff/risk/page.html")]
struct RiskPage {
    page: Page,
    frame: Frame,
    r: Risk,
    m: Monitor,
    alarm: Option<(&'static str, &'static str)>,
    notice: String,
    /// Where the model is on, in one line.
    switched: String,
    red: Vec<Row>,
    ranked: Vec<Row>,
    abstained: Vec<Row>,
    dismissed: Vec<Row>,
    audit: Vec<Row>,
    next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "staff/risk/card.html")]
struct CardPage {
    page: Page,
    frame: Frame,
    r: Risk,
    notice: &'static str,
    /// Drawn by the model's crate from numbers of its own; the same numbers stand in the tables.
    plots: Vec<String>,
    blocks: Vec<Block>,
}

/// A block of the model card.
#[derive(Debug)]
enum Block {
    Heading(String),
    Line(String),
    Table(Vec<Vec<String>>),
}

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    after: Option<String>,
}

/// `GET /risk`
///
/// # Errors
/// [`WebError`].
pub async fn show(app: Data<App>, signed: Signed, asked: Query<Asked>) -> Result<HttpResponse, WebError> {
    let (page_, frame) = signed.page("/risk", "/risk");
    let (r, site) = (Risk(signed.lang), signed.staff.site);
    let workflows = app.store.workflow_names(site).await?;
    let switches = app.store.model_switches(site).await?;
    let in_state = |state: SwitchState| -> Vec<&str> {
        switches.iter().filter(|s| s.state == state.word()).map(|s| s.workflow.as_str()).collect()
    };
    let (on, back) = (in_state(SwitchState::On), in_state(SwitchState::SteppedBack));
    let titles = v::titles(&app, signed.lang);
    let after = asked.after.as_deref().map(parse_after).transpose()?;
    let first = after.is_none();
    let found = app.store.risk_scored(site, after).await?;
    let next = found
        .last()
        .filter(|_| found.len() == RISK_ROWS)
        .and_then(|last| last.rank.map(|rank| format!("/risk?after={rank}.{}", last.enrollment)));
    let listed = |row: &RiskRow| on.contains(&row.workflow.as_str()) || row.moved.is_some();
    let ranked: Vec<RiskRow> = found.into_iter().filter(|row| listed(row) && !is_red(row)).collect();
    let (red, abstained, dismissed, audit): (Vec<RiskRow>, Vec<RiskRow>, Vec<RiskRow>, Vec<RiskRow>) =
        if first {
            let audit = app.store.risk_lowest(site, AUDIT_POOL).await?;
            let drawn = |row: &RiskRow| {
                row.enrollment.0.is_multiple_of(AUDIT_ONE_IN) && on.contains(&row.workflow.as_str())
            };
            let audit = audit.into_iter().filter(drawn).collect();
            let abstained = app.store.risk_abstained(site, &[&on[..], &back[..]].concat()).await?;
            (app.store.risk_red(site).await?, abstained, app.store.risk_dismissed(site).await?, audit)
        } else {
            (Vec::new(), Vec::new(), Vec::new(), Vec::new())
        };
    let alarm = match app.last_look(site).await?.map(|look| look.watch.signal()) {
        Some(Signal::StepBack) => Some(("red", r.watch_back())),
        Some(Signal::Look) => Some(("amber", r.watch_look())),
        Some(Signal::Quiet) | None => None,
    };
    let version = app.site_models(site).await?.champion_version().to_owned();
    let beside = beside(&app, &[&red, &ranked, &abstained, &dismissed, &audit], signed.lang).await?;
    let alerts = alerts(&app, signed.lang, &red).await?;
    let shown = |rows: Vec<RiskRow>| -> Vec<Row> {
        rows.into_iter().map(|row| shown(&signed, (&on, &back), &titles, (&beside, &alerts), row)).collect()
    };
    page(&RiskPage {
        r,
        m: Monitor(signed.lang),
        alarm,
        notice: r.notice(frame.w.not_validated()),
        switched: r.switched(score::MODEL, &version, on.len(), workflows.len()),
        red: shown(red),
        ranked: shown(ranked),
        abstained: shown(abstained),
        dismissed: shown(dismissed),
        audit: shown(audit),
        next,
        page: page_,
        frame,
    })
}

/// `POST /risk/switch`: a clinician turns the model on, off, or to shadow, for a workflow.
///
/// # Errors
/// [`WebError`].
pub async fn switch_model(app: Data<App>, signed: Signed, form: StaffForm) -> Result<HttpResponse, WebError> {
    let workflow = super::form::name(form.get("workflow"))?;
    let state = SwitchState::of(form.get("state")).ok_or(WebError::BadForm)?;
    let known = app.store.workflow_names(signed.staff.site).await?;
    if !known.contains(&workflow) {
        return Err(WebError::NotFound);
    }
    if state == SwitchState::SteppedBack {
        return Err(WebError::BadForm);
    }
    app.switch_model(signed.staff.site, &workflow, state, Some(signed.staff.id)).await?;
    Ok(see_other("/risk/monitor#switches"))
}

/// `GET /risk/model`: the model card.
///
/// # Errors
/// [`WebError`].
pub async fn card(signed: Signed) -> Result<HttpResponse, WebError> {
    let (page_, frame) = signed.page("/risk/model", "/risk");
    page(&CardPage {
        r: Risk(signed.lang),
        notice: frame.w.not_validated(),
        plots: score::plots(),
        blocks: blocks(score::card()),
        page: page_,
        frame,
    })
}

/// Headings, tables and lines of the card's Markdown; nothing of it is taken as HTML.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    // Emphasis and code are for readers of the file.
    let text = text.replace("**", "").replace('`', "");
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            blocks.push(Block::Heading(line.trim_start_matches('#').trim().to_owned()));
        } else if line.starts_with('|') {
            if line.chars().all(|c| "|-: ".contains(c)) {
                continue;
            }
            let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
            match blocks.last_mut() {
                Some(Block::Table(rows)) => rows.push(cells),
                _ => blocks.push(Block::Table(vec![cells])),
            }
        } else {
            blocks.push(Block::Line(line.trim_start_matches(['-', '*']).trim().to_owned()));
        }
    }
    blocks
}

fn parse_after(text: &str) -> Result<(i32, EnrollmentId), WebError> {
    let (rank, id) = text.split_once('.').ok_or(WebError::NotFound)?;
    let rank = rank.parse().map_err(|_| WebError::NotFound)?;
    Ok((rank, EnrollmentId::parse(id).map_err(|_| WebError::NotFound)?))
}

/// Ranks of red and worse, as the store writes them: 0 and 1.
fn is_red(row: &RiskRow) -> bool {
    row.level_rank.and_then(level_of).is_some_and(|level| level <= tend_engine::model::LevelId::Red)
}

fn level_of(rank: i32) -> Option<tend_engine::model::LevelId> {
    usize::try_from(rank).ok().and_then(|rank| v::LEVELS.get(rank).copied())
}

/// The open alerts of follow-ups: the address of each and its reasons.
type Alerts = BTreeMap<EnrollmentId, Vec<(String, Vec<String>)>>;

/// Why the patients stand first who do so by rule.
async fn alerts(app: &App, lang: Lang, red: &[RiskRow]) -> Result<Alerts, WebError> {
    let patients: Vec<PatientId> = red.iter().map(|row| row.patient).collect();
    let mut alerts = Alerts::new();
    for task in app.store.open_red_tasks(&patients).await? {
        let Some(enrollment) = task.enrollment else { continue };
        let mut why: Vec<String> = task.because.iter().map(|text| v::text(lang, text).to_owned()).collect();
        if why.is_empty() {
            why.push(v::text(lang, &task.title).to_owned());
        }
        alerts.entry(enrollment).or_default().push((format!("/tasks/{}", task.id), why));
    }
    Ok(alerts)
}

/// The published scores of each follow-up on the page.
async fn beside(
    app: &App,
    lists: &[&Vec<RiskRow>],
    lang: Lang,
) -> Result<BTreeMap<EnrollmentId, Vec<String>>, WebError> {
    let mut patients: Vec<PatientId> =
        lists.iter().flat_map(|rows| rows.iter().map(|row| row.patient)).collect();
    patients.sort();
    patients.dedup();
    let states = app.store.states(&patients).await?;
    let enrollments = states.into_iter().flat_map(|(_, state)| state.enrollments);
    Ok(enrollments.map(|(id, state)| (id, published::in_a_line(lang, &state))).collect())
}

/// What a reason is about: the words before its value.
fn label_of(said: &str) -> String {
    said.split([':', '：']).next().unwrap_or(said).to_owned()
}

fn shown(
    signed: &Signed,
    (on, back): (&[&str], &[&str]),
    titles: &Titles,
    (beside, alerts): (&BTreeMap<EnrollmentId, Vec<String>>, &Alerts),
    row: RiskRow,
) -> Row {
    let (w, r) = (Staff(signed.lang), Risk(signed.lang));
    let visible = on.contains(&row.workflow.as_str());
    let stepped_back = back.contains(&row.workflow.as_str());
    let score = row.score.filter(|_| visible);
    let level = row.level_rank.and_then(level_of);
    let may_decide = signed.has_any(&[AccountRole::Clinician]);
    let decide = format!("/patients/{}/risk?enrollment={}", row.patient, row.enrollment);
    let unknown = |reason: &ScoreReason| reason.en.contains(NOT_KNOWN);
    let said = |reason: &ScoreReason| match signed.lang {
        Lang::En => reason.en.clone(),
        Lang::Zh => reason.zh.clone(),
    };
    Row {
        patient: row.patient.to_string(),
        name: if row.patient_name.is_empty() { w.erased().to_owned() } else { row.patient_name },
        workflow: v::titled(titles, &row.workflow),
        level: level.map(|level| (v::level_colour(level), v::level_sign(level), v::level(w, level))),
        risk: score
            .as_ref()
            .and_then(|score| score.ppm)
            .map(|ppm| r.probability(v::percent(ppm), score::HORIZON_DAYS)),
        interval: score
            .as_ref()
            .and_then(|score| score.interval_ppm)
            .map(|(low, high)| r.interval(v::percent(low), v::percent(high))),
        reasons: score
            .iter()
            .flat_map(|score| {
                score.reasons.iter().filter(|reason| !unknown(reason)).take(REASONS_SHOWN).map(said)
            })
            .collect(),
        missing: score.as_ref().and_then(|score| {
            let labels = score.reasons.iter().filter(|reason| unknown(reason)).map(said);
            let labels: Vec<String> = labels.map(|said| label_of(&said)).collect();
            (!labels.is_empty()).then(|| r.missing(labels.join(", ")))
        }),
        not_scored: score
            .as_ref()
            .and_then(|score| score.abstain.as_ref())
            .map(|(en, zh)| {
                r.not_scored_because(match signed.lang {
                    Lang::En => en,
                    Lang::Zh => zh,
                })
            })
            .or_else(|| stepped_back.then(|| r.not_scored_because(r.not_shown()))),
        alerts: alerts.get(&row.enrollment).cloned().unwrap_or_default(),
        published: beside.get(&row.enrollment).cloned().unwrap_or_default(),
        moved: row.moved.as_deref().and_then(|word| match word {
            "up" => Some(r.moved_up()),
            "down" => Some(r.moved_down()),
            "dismissed" => Some(r.moved_off()),
            _ => None,
        }),
        decide: may_decide.then_some(decide),
        model: score.map_or_else(String::new, |score| format!("{} {}", score.model, score.model_version)),
    }
}
