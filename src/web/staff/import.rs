//! Importing patients from CSV: one line a patient, read exactly as the enrol form is. What was read is stored, a long job
//! enrols it, and its page shows how far it is and reports every refused line with its number, its column and what is wrong.

use actix_multipart::Multipart;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path},
};
use askama::Template;
use futures_util::StreamExt as _;
use tend_engine::model::Workflow;

use super::{
    Frame, Signed, csv::safe_line, enrol, form, published::asked_for_risk, session::COOKIE, vocabulary as v,
};
use crate::{
    app::{
        App,
        import::{ImportLine, ImportStands, LineRefusal, Why},
        long_job::{self, LongKind, LongState},
        register::Register,
    },
    web::{
        Page, WebError, csrf,
        respond::{invalid, page, see_other},
        words::{Enrol, Staff},
    },
};

/// Largest file, in kB.
pub const FILE_KB_MAX: usize = 512;
/// Most lines of a file.
pub const LINES_MAX: usize = 1_000;
/// Earlier imports that are listed.
const EARLIER_SHOWN: i64 = 10;
/// After so many seconds the page of a running import is asked for again.
const ASK_AGAIN_SECONDS: &str = "2";
/// Longest other field of the form, in bytes.
const FIELD_BYTES_MAX: usize = 200;

/// Columns of every workflow.
const COLUMNS: [&str; 14] = [
    "name",
    "birth_date",
    "sex",
    "number",
    "system",
    "language",
    "zone",
    "phone",
    "email",
    "carer_phone",
    "preferred",
    "consent_sms",
    "consent_email",
    "consent_daily",
];

/// A refused line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// From 1, the heading included, as editors count.
    pub line: u32,
    /// The column; empty for the whole line.
    pub column: String,
    /// What is wrong.
    pub why: String,
}

/// An import of the list.
#[derive(Debug)]
struct Earlier {
    link: String,
    when: String,
    stands: String,
}

#[derive(Debug, Template)]
#[template(path = "staff/import/job.html")]
struct JobPage {
    page: Page,
    frame: Frame,
    e: Enrol,
    title: String,
    id: String,
    stands: String,
    working: bool,
    gave_up: bool,
    done: u32,
    total: u32,
    refused: Vec<Refused>,
}

#[derive(Debug, Template)]
#[template(path = "staff/import/page.html")]
struct ImportPage {
    page: Page,
    frame: Frame,
    e: Enrol,
    choices: Vec<(String, String)>,
    chosen: String,
    error: Option<String>,
    earlier: Vec<Earlier>,
    columns: Vec<(String, String, String)>,
}

/// `GET /import`
///
/// # Errors
/// [`WebError`].
pub async fn show(app: Data<App>, signed: Signed) -> Result<HttpResponse, WebError> {
    page(&build(&app, &signed, "").await?)
}

async fn build(app: &App, signed: &Signed, chosen: &str) -> Result<ImportPage, WebError> {
    let (page_, frame) = signed.page("/import", "/import");
    let mut choices = Vec::new();
    let mut columns = Vec::new();
    for (name, hash) in app.store.active_versions(signed.staff.site).await? {
        if let Some(workflow) = app.version(&hash) {
            let title = v::text(signed.lang, &workflow.title).to_owned();
            columns.push((name.clone(), title.clone(), known_columns(signed, &workflow).join(", ")));
            choices.push((name, title));
        }
    }
    let zone = app.zone(signed.staff.site);
    let mut earlier = Vec::new();
    for job in app.store.long_jobs(signed.staff.site, LongKind::Import, EARLIER_SHOWN).await? {
        let Some(import) = app.import_stands(signed.staff.site, job.id).await? else { continue };
        earlier.push(Earlier {
            link: format!("/import/{}", long_job::uuid(job.id)),
            when: v::instant(&zone, job.asked_at),
            stands: stands(Enrol(signed.lang), &import),
        });
    }
    Ok(ImportPage {
        e: Enrol(signed.lang),
        choices,
        chosen: chosen.to_owned(),
        error: None,
        earlier,
        columns,
        page: page_,
        frame,
    })
}

/// `POST /import`: the form with the file.
///
/// # Errors
/// [`WebError`].
pub async fn submit(
    request: HttpRequest,
    app: Data<App>,
    signed: Signed,
    parts: Multipart,
) -> Result<HttpResponse, WebError> {
    let upload = upload(parts).await?;
    let secret = request.cookie(COOKIE).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
    csrf::check(&secret, &upload.csrf)?;
    let mut shown = build(&app, &signed, &upload.workflow).await?;
    let e = shown.e;
    let active = app.store.active_versions(signed.staff.site).await?;
    let workflow =
        active.get(&upload.workflow).and_then(|hash| app.version(hash)).ok_or(WebError::NotFound)?;
    let Some(file) = upload.file else {
        shown.error = Some(e.import_too_large(FILE_KB_MAX));
        return invalid(&shown);
    };
    if file.is_empty() {
        shown.error = Some(e.import_empty().to_owned());
        return invalid(&shown);
    }
    match read_file(&app, &signed, &workflow, &file) {
        Ok(lines) => {
            let job = app.start_import(signed.staff.site, signed.staff.id, &workflow.id, &lines).await?;
            Ok(see_other(&format!("/import/{}", long_job::uuid(job))))
        }
        Err(sentence) => {
            shown.error = Some(sentence);
            invalid(&shown)
        }
    }
}

/// `GET /import/{id}`: how far an import is, and every refused line.
///
/// # Errors
/// [`WebError`].
pub async fn one(app: Data<App>, signed: Signed, id: Path<String>) -> Result<HttpResponse, WebError> {
    let (import, refused) = found(&app, &signed, &id).await?;
    let e = Enrol(signed.lang);
    let (page_, frame) = signed.page(&format!("/import/{id}"), "/import");
    let shown = JobPage {
        title: workflow_title(&app, &signed, &import.job.body).await?,
        id: id.to_string(),
        stands: stands(e, &import),
        working: import.job.state == LongState::Waiting,
        gave_up: import.job.state == LongState::GivenUp,
        done: import.enrolled + import.refused,
        total: import.enrolled + import.refused + import.waiting,
        refused,
        e,
        page: page_,
        frame,
    };
    let mut answer = page(&shown)?;
    if shown.working {
        // Without scripts: the browser asks again.
        answer.headers_mut().insert(
            header::HeaderName::from_static("refresh"),
            header::HeaderValue::from_static(ASK_AGAIN_SECONDS),
        );
    }
    Ok(answer)
}

/// `GET /import/{id}/report`: the refused lines as a file.
///
/// # Errors
/// [`WebError`].
pub async fn report(app: Data<App>, signed: Signed, id: Path<String>) -> Result<HttpResponse, WebError> {
    let (_, refused) = found(&app, &signed, &id).await?;
    let mut csv = safe_line(&["line", "column", "problem"]);
    for one in refused {
        csv.push_str(&safe_line(&[&one.line.to_string(), &one.column, &one.why]));
    }
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"refused-lines.csv\""))
        .body(csv))
}

async fn found(app: &App, signed: &Signed, id: &str) -> Result<(ImportStands, Vec<Refused>), WebError> {
    let id = long_job::parse_id(id).ok_or(WebError::NotFound)?;
    let import = app.import_stands(signed.staff.site, id).await?.ok_or(WebError::NotFound)?;
    let e = Enrol(signed.lang);
    let mut refused = Vec::new();
    for (line, refusals) in app.import_refused(id).await? {
        let said = |one: LineRefusal| Refused { line, why: why(signed, e, &one.why), column: one.column };
        refused.extend(refusals.into_iter().map(said));
    }
    Ok((import, refused))
}

async fn workflow_title(app: &App, signed: &Signed, name: &str) -> Result<String, WebError> {
    let active = app.store.active_versions(signed.staff.site).await?;
    let workflow = active.get(name).and_then(|hash| app.version(hash));
    Ok(workflow.map_or_else(|| name.to_owned(), |workflow| v::text(signed.lang, &workflow.title).to_owned()))
}

fn stands(e: Enrol, import: &ImportStands) -> String {
    let total = import.enrolled + import.refused + import.waiting;
    match import.job.state {
        LongState::Waiting => e.import_working(import.enrolled + import.refused, total),
        LongState::Done | LongState::GivenUp => e.import_done(import.enrolled, import.refused),
    }
}

fn why(signed: &Signed, e: Enrol, why: &Why) -> String {
    let w = Staff(signed.lang);
    match why {
        Why::Said(sentence) => sentence.clone(),
        Why::Here => e.import_duplicate().to_owned(),
        Why::SameNumber => e.same_number().to_owned(),
        Why::Missing => w.err_missing().to_owned(),
        Why::NotAllowed => w.err_choice().to_owned(),
        Why::NotPublished => e.import_not_published().to_owned(),
        Why::Engine => e.import_engine().to_owned(),
        Why::NotTried => e.import_not_tried().to_owned(),
    }
}

/// The fields of the upload.
#[derive(Default)]
struct Upload {
    csrf: String,
    workflow: String,
    /// `None` when it was larger than allowed.
    file: Option<Vec<u8>>,
}

async fn upload(mut parts: Multipart) -> Result<Upload, WebError> {
    let mut upload = Upload { file: Some(Vec::new()), ..Upload::default() };
    while let Some(part) = parts.next().await {
        let mut field = part.map_err(|_| WebError::BadForm)?;
        let name = field.name().unwrap_or_default().to_owned();
        let max = if name == "file" { FILE_KB_MAX * 1024 } else { FIELD_BYTES_MAX };
        let mut bytes = Vec::new();
        let mut whole = true;
        while let Some(chunk) = field.next().await {
            let chunk = chunk.map_err(|_| WebError::BadForm)?;
            whole &= bytes.len() + chunk.len() <= max;
            if whole {
                bytes.extend_from_slice(&chunk);
            }
        }
        match name.as_str() {
            "file" => upload.file = whole.then_some(bytes),
            "csrf" => upload.csrf = String::from_utf8(bytes).map_err(|_| WebError::BadForm)?,
            "workflow" => upload.workflow = String::from_utf8(bytes).map_err(|_| WebError::BadForm)?,
            _ => {}
        }
    }
    Ok(upload)
}

fn known_columns(signed: &Signed, workflow: &Workflow) -> Vec<String> {
    let mut all: Vec<String> = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
    all.extend(workflow.anchors.iter().map(|anchor| format!("anchor-{}", anchor.id)));
    all.extend(workflow.facts.iter().map(|fact| format!("fact-{}", fact.id)));
    all.extend(asked_for_risk(signed.lang).into_iter().map(|feature| format!("risk-{}", feature.name)));
    all
}

/// Reads line by line; a sentence when the file as a whole cannot be read.
fn read_file(
    app: &App,
    signed: &Signed,
    workflow: &Workflow,
    file: &[u8],
) -> Result<Vec<ImportLine>, String> {
    let e = Enrol(signed.lang);
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut reader = ::csv::ReaderBuilder::new().flexible(false).from_reader(file);
    let headings: Vec<String> = match reader.headers() {
        Ok(headings) => headings.iter().map(|heading| heading.trim().to_lowercase()).collect(),
        Err(_) => return Err(e.import_not_csv().to_owned()),
    };
    let known = known_columns(signed, workflow);
    if let Some(unknown) = headings.iter().find(|heading| !known.contains(heading)) {
        return Err(e.import_unknown_column(unknown));
    }
    if let Some(missing) = ["name", "birth_date"].iter().find(|name| !headings.iter().any(|h| h == *name)) {
        return Err(e.import_no_column(missing));
    }
    let today = app.clock.now().to_zoned_datetime(app.zone(signed.staff.site)).date();
    let mut lines = Vec::new();
    for (number, record) in (2_u32..).zip(reader.byte_records()) {
        let whole =
            |why: &str| Err(vec![LineRefusal { column: String::new(), why: Why::Said(why.to_owned()) }]);
        if lines.len() == LINES_MAX {
            lines.push(ImportLine { number, read: whole(&e.import_too_many(LINES_MAX)) });
            break;
        }
        let read = match record.map(::csv::StringRecord::from_byte_record) {
            Ok(Ok(record)) => read_line(app, signed, workflow, &headings, &record, today),
            Ok(Err(_)) => whole(e.import_not_utf8()),
            Err(_) => whole(e.import_not_csv()),
        };
        lines.push(ImportLine { number, read });
    }
    Ok(lines)
}

fn read_line(
    app: &App,
    signed: &Signed,
    workflow: &Workflow,
    headings: &[String],
    record: &::csv::StringRecord,
    today: jiff::civil::Date,
) -> Result<Register, Vec<LineRefusal>> {
    let mut typed = form::Typed::default();
    typed.set("zone", app.site(signed.staff.site).zone);
    typed.set("language", workflow.languages.first().map_or_else(String::new, ToString::to_string));
    for (heading, value) in headings.iter().zip(record) {
        if !value.trim().is_empty() {
            typed.set(heading, value.trim());
        }
    }
    match enrol::read(signed, workflow, &mut typed, today) {
        Some(register) if typed.good() => Ok(register),
        _ => {
            let one = |(column, why): (&str, &str)| LineRefusal {
                column: column.to_owned(),
                why: Why::Said(why.to_owned()),
            };
            Err(typed.errors().into_iter().map(one).collect())
        }
    }
}
