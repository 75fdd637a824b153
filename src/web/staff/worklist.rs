//! The nurse's first page: what is open, worst first, with reasons, and how far today's minutes reach.

use std::fmt::Write as _;

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use askama::Template;
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use tend_engine::{
    Name, TaskId,
    model::{LevelId, Role, TaskKind},
};

use super::{CLINICAL, Frame, Signed, StaffForm, duty, vocabulary as v};
use crate::{
    app::{App, zone_named},
    store::read::worklist::{After, QueueCount, WorklistFilter, WorklistRow},
    web::{
        Page, WebError, respond,
        words::{Staff, Worklist},
    },
};

/// Bytes of a reason on a row; the task's page has all of it.
const REASON_BYTES: usize = 60;
/// Bytes of a workflow's title on a row, up to its first comma.
const TITLE_BYTES: usize = 24;
/// Reasons on a row; the task's page has all of them.
const REASONS_SHOWN: usize = 2;
/// Longest search, in characters.
const SEARCH_CHARS_MAX: usize = 80;

/// What the address asks for.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    /// `all`, or a role; left out it is this person's duties.
    role: Option<String>,
    level: Option<String>,
    workflow: Option<String>,
    /// `me`.
    taken: Option<String>,
    /// Where the page starts.
    after: Option<String>,
    /// Minutes of work above this page.
    above: Option<u32>,
}

/// A row as shown.
#[derive(Debug)]
struct Row {
    id: String,
    name: String,
    colour: &'static str,
    sign: &'static str,
    level: &'static str,
    due: String,
    overdue: bool,
    reasons: String,
    about: String,
    taken_by: Option<String>,
    mine: bool,
    /// The line "not reached today" stands before this row.
    line: Option<u32>,
}

/// A count that is also a filter.
#[derive(Debug)]
struct Count {
    href: String,
    label: &'static str,
    sign: &'static str,
    colour: &'static str,
    n: u64,
    current: bool,
}

/// A choice of a select.
#[derive(Debug)]
struct Choice {
    value: String,
    label: String,
    current: bool,
}

#[derive(Debug, Template)]
#[template(path = "staff/worklist/page.html")]
struct WorklistPage {
    page: Page,
    frame: Frame,
    t: Worklist,
    rows: Vec<Row>,
    counts: Vec<Count>,
    roles: Vec<Choice>,
    workflows: Vec<Choice>,
    level: String,
    taken_me: bool,
    filtered: bool,
    cover: String,
    next: Option<String>,
    search: String,
}

/// `GET /worklist`
///
/// # Errors
/// [`WebError`].
pub async fn show(app: Data<App>, signed: Signed, asked: Query<Asked>) -> Result<HttpResponse, WebError> {
    let filter = filter_of(&signed, &asked)?;
    respond::page(&build(&app, &signed, &asked, filter).await?)
}

/// `POST /worklist/search`. A name never stands in an address, where histories and logs would keep it.
///
/// # Errors
/// [`WebError`].
pub async fn search(app: Data<App>, signed: Signed, form: StaffForm) -> Result<HttpResponse, WebError> {
    let asked = Asked { role: Some("all".to_owned()), ..Asked::default() };
    let mut filter = filter_of(&signed, &asked)?;
    let words: String = form.get("q").chars().take(SEARCH_CHARS_MAX).collect();
    filter.search = (!words.is_empty()).then(|| words.clone());
    let mut shown = build(&app, &signed, &asked, filter).await?;
    shown.search = words;
    shown.next = None;
    respond::page(&shown)
}

/// `POST /worklist/take`: takes a task, or gives it back.
///
/// # Errors
/// [`WebError`].
pub async fn take(app: Data<App>, signed: Signed, form: StaffForm) -> Result<HttpResponse, WebError> {
    let (id, give_back) = match form.get("take") {
        "" => (form.get("give_back"), true),
        id => (id, false),
    };
    let id = TaskId::parse(id).map_err(|_| WebError::NotFound)?;
    super::task::of_site(&app, &signed, id).await?;
    if give_back {
        app.give_task_back(id, signed.staff.id).await?;
        return Ok(respond::see_other("/worklist"));
    }
    app.take_task(id, signed.staff.id).await?;
    Ok(respond::see_other(&format!("/tasks/{id}")))
}

/// The filter of an address. Who only has a clerk's account sees the clerk's tasks, whose reasons hold no answers.
fn filter_of(signed: &Signed, asked: &Asked) -> Result<WorklistFilter, WebError> {
    let roles = if !signed.has_any(CLINICAL) {
        vec![Role::Clerk]
    } else {
        match asked.role.as_deref() {
            None | Some("") => signed.staff.duty_roles.clone(),
            Some("all") => Vec::new(),
            Some(word) => {
                vec![Role::ALL.into_iter().find(|r| v::role_word(*r) == word).ok_or(WebError::NotFound)?]
            }
        }
    };
    let level = match asked.level.as_deref() {
        None | Some("") => None,
        Some(word) => {
            Some(v::LEVELS.into_iter().find(|l| v::level_word(*l) == word).ok_or(WebError::NotFound)?)
        }
    };
    let workflow = match asked.workflow.as_deref() {
        None | Some("") => None,
        Some(word) => Some(Name::parse(word).map_err(|_| WebError::NotFound)?),
    };
    Ok(WorklistFilter {
        roles,
        level,
        workflow,
        taken_by: (asked.taken.as_deref() == Some("me")).then_some(signed.staff.id),
        team: None,
        search: None,
        after: asked.after.as_deref().map(parse_after).transpose()?,
    })
}

fn parse_after(text: &str) -> Result<After, WebError> {
    let mut parts = text.splitn(4, '.');
    let mut next = || parts.next().ok_or(WebError::NotFound);
    let level_rank = next()?.parse().map_err(|_| WebError::NotFound)?;
    let respond_sort = next()?.parse().map_err(|_| WebError::NotFound)?;
    let risk_sort = next()?.parse().map_err(|_| WebError::NotFound)?;
    let id = TaskId::parse(next()?).map_err(|_| WebError::NotFound)?;
    Ok(After { level_rank, respond_sort, risk_sort, id })
}

async fn build(
    app: &Data<App>,
    signed: &Signed,
    asked: &Asked,
    filter: WorklistFilter,
) -> Result<WorklistPage, WebError> {
    let (page, frame) = signed.page("/worklist", "/worklist");
    let now = app.clock.now();
    let site = app.site(signed.staff.site);
    let zone = zone_named(&site.zone);
    let list = app.clone().into_inner().worklist(signed.staff.site, &filter).await?;
    let minutes = duty::nurse_minutes(&site, list.nurses, now);
    let above = asked.above.unwrap_or(0);
    let reach = minutes.map(|(minutes, _)| minutes).filter(|_| filter.roles == [Role::Nurse]);
    let cover = duty::sentence(Worklist(signed.lang), &site, &zone, now, minutes);
    let titles = v::titles(app, signed.lang);
    let desk = Desk {
        signed,
        w: frame.w,
        t: Worklist(signed.lang),
        zone,
        now,
        scored: &list.scored,
        titles: &titles,
        several: filter.roles.len() != 1,
    };
    let (rows, total) = desk.rows(&list.page.rows, above, reach);
    let next = list.page.more.then(|| next_href(asked, &list.page.rows, total)).flatten();
    let filtered = filter.level.is_some() || filter.workflow.is_some() || filter.taken_by.is_some();
    Ok(WorklistPage {
        t: Worklist(signed.lang),
        counts: count_links(frame.w, asked, &filter, &list.counts),
        roles: role_choices(signed, frame.w, asked),
        workflows: workflow_choices(&list.workflows, asked, &titles),
        level: asked.level.clone().unwrap_or_default(),
        taken_me: asked.taken.as_deref() == Some("me"),
        filtered,
        cover,
        next,
        rows,
        search: String::new(),
        page,
        frame,
    })
}

/// What all rows of a page are shown with.
struct Desk<'a> {
    signed: &'a Signed,
    w: Staff,
    t: Worklist,
    zone: TimeZone,
    now: Timestamp,
    /// Workflows whose model is on.
    scored: &'a [String],
    titles: &'a v::Titles,
    /// Whether tasks of more than one owner are listed.
    several: bool,
}

impl Desk<'_> {
    /// The rows, with the line from which on today's minutes do not reach, and the minutes up to their end.
    fn rows(&self, found: &[WorklistRow], above: u32, reach: Option<u32>) -> (Vec<Row>, u32) {
        let mut total = above;
        let mut drawn = reach.is_some_and(|reach| above > reach);
        let rows = found
            .iter()
            .map(|row| {
                let before = total;
                total = total.saturating_add(row.minutes);
                let line = reach.filter(|reach| !drawn && total > *reach).map(|_| before);
                drawn |= line.is_some();
                self.row(row, line)
            })
            .collect();
        (rows, total)
    }

    fn row(&self, row: &WorklistRow, line: Option<u32>) -> Row {
        let overdue = row.respond_by.is_some_and(|by| by <= self.now);
        let short = |by| v::short_instant(self.signed.lang, &self.zone, by, self.now);
        let at_once = row.level == LevelId::RedNow;
        let due = match row.respond_by {
            Some(by) if at_once && overdue => self.t.now_overdue(short(by)),
            _ if at_once => self.t.now().to_owned(),
            Some(by) if overdue => self.t.overdue(short(by)),
            Some(by) => short(by),
            None => self.t.no_deadline().to_owned(),
        };
        Row {
            id: format!("{:032x}", row.id.0),
            name: if row.patient_name.is_empty() {
                self.w.erased().to_owned()
            } else {
                row.patient_name.clone()
            },
            colour: v::level_colour(row.level),
            sign: v::level_sign(row.level),
            level: v::level(self.w, row.level),
            due,
            overdue: overdue || at_once,
            reasons: reasons(self.signed, self.t, row),
            about: self.about(row),
            taken_by: row.taken_by.as_ref().map(|(_, name)| name.clone()),
            mine: row.taken_by.as_ref().is_some_and(|(by, _)| *by == self.signed.staff.id),
            line,
        }
    }

    fn about(&self, row: &WorklistRow) -> String {
        let mut about = row.born.map_or_else(String::new, |year| format!("{}, ", self.t.born_in(year)));
        // That it is an alert its level and reasons say already.
        if row.kind != TaskKind::Alert {
            let _ = write!(about, "{}, ", v::kind(self.w, row.kind));
        }
        if let Some(workflow) = &row.workflow {
            let _ = write!(about, "{}, ", short_title(self.titles, workflow));
        }
        if self.several {
            let _ = write!(about, "{}, ", v::role(self.w, row.role));
        }
        about.push_str(&self.t.minutes(row.minutes));
        let shown = row.workflow.as_ref().is_some_and(|workflow| self.scored.contains(workflow));
        if let Some(ppm) = row.risk_ppm.filter(|_| shown && self.signed.has_any(CLINICAL)) {
            let _ = write!(about, ", {} {}", self.w.risk(), v::percent(ppm));
        }
        if row.rung > 0 {
            let _ = write!(about, ", {}", self.t.escalated());
        }
        about
    }
}

/// A workflow's title as far as a row has room for it.
fn short_title(titles: &v::Titles, name: &str) -> String {
    let title = v::titled(titles, name);
    cut(title.split([',', '，', ':', '：', '(', '（']).next().unwrap_or(&title), TITLE_BYTES)
}

/// Text cut to so many bytes.
fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// The first reasons, cut to a row's length unless it is red; a task without a reason says what to do.
fn reasons(signed: &Signed, t: Worklist, row: &WorklistRow) -> String {
    let red = row.level <= LevelId::Red;
    let cut = |text: &str| if red { text.to_owned() } else { cut(text, REASON_BYTES) };
    let at_most = if red { usize::MAX } else { REASONS_SHOWN };
    // What was answered on several days is one reason here.
    let mut reasons: Vec<&str> = Vec::new();
    for because in &row.because {
        let because = v::text(signed.lang, because);
        if !reasons.contains(&because) {
            reasons.push(because);
        }
    }
    let mut shown: Vec<String> = reasons.iter().take(at_most).map(|because| cut(because)).collect();
    if shown.is_empty() {
        shown.push(cut(v::text(signed.lang, &row.title)));
    }
    let more = reasons.len().saturating_sub(at_most);
    if more > 0 {
        shown.push(t.more_reasons(more));
    }
    shown.join("; ")
}

fn query_of(asked: &Asked, level: Option<&str>) -> String {
    let mut query = String::new();
    let pairs = [
        ("role", asked.role.as_deref()),
        ("level", level),
        ("workflow", asked.workflow.as_deref()),
        ("taken", asked.taken.as_deref()),
    ];
    for (name, value) in pairs {
        // Values were checked to be names of our own.
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = write!(query, "{}{name}={value}", if query.is_empty() { "?" } else { "&" });
        }
    }
    query
}

fn next_href(asked: &Asked, rows: &[WorklistRow], total: u32) -> Option<String> {
    let after = rows.last()?.after;
    let query = query_of(asked, asked.level.as_deref());
    let joint = if query.is_empty() { "?" } else { "&" };
    let (rank, sort, risk, id) = (after.level_rank, after.respond_sort, after.risk_sort, after.id);
    Some(format!("/worklist{query}{joint}after={rank}.{sort}.{risk}.{id}&above={total}"))
}

fn count_links(w: Staff, asked: &Asked, filter: &WorklistFilter, counts: &[QueueCount]) -> Vec<Count> {
    let of = |level: LevelId| -> u64 {
        let counted =
            |c: &&QueueCount| c.level == level && (filter.roles.is_empty() || filter.roles.contains(&c.role));
        counts.iter().filter(counted).map(|c| c.n).sum()
    };
    v::LEVELS
        .into_iter()
        .filter(|level| *level != LevelId::Green || of(*level) > 0)
        .map(|level| Count {
            href: format!("/worklist{}", query_of(asked, Some(v::level_word(level)))),
            label: v::level(w, level),
            sign: v::level_sign(level),
            colour: v::level_colour(level),
            n: of(level),
            current: filter.level == Some(level),
        })
        .collect()
}

fn role_choices(signed: &Signed, w: Staff, asked: &Asked) -> Vec<Choice> {
    if !signed.has_any(CLINICAL) {
        return Vec::new();
    }
    let t = Worklist(signed.lang);
    let current = asked.role.as_deref().unwrap_or_default();
    let choice = |value: &str, label: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        current: value == current,
    };
    let mut all = vec![choice("", t.mine()), choice("all", t.everybody())];
    all.extend(Role::ALL.into_iter().map(|role| choice(v::role_word(role), v::role(w, role))));
    all
}

fn workflow_choices(names: &[Name], asked: &Asked, titles: &v::Titles) -> Vec<Choice> {
    let current = asked.workflow.as_deref().unwrap_or_default();
    let choice = |name: &Name| Choice {
        current: name.as_str() == current,
        label: short_title(titles, name.as_str()),
        value: name.to_string(),
    };
    names.iter().map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::parse_after;

    #[test]
    fn a_place_in_the_list_is_read_or_refused() {
        assert!(parse_after("1.5.-1.0192f0c0-0000-7000-8000-000000000001").is_ok());
        for bad in [
            "",
            "1.5",
            "1.5.9.x",
            "1.5.0192f0c0-0000-7000-8000-000000000001",
            "a.b.c.0192f0c0-0000-7000-8000-000000000001",
        ] {
            assert!(parse_after(bad).is_err(), "{bad}");
        }
    }
}
