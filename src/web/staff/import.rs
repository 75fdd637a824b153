//! Importing patients from CSV: one line a patient, read exactly as the enrol form is; every refused line is reported with its
//! number, its column and what is wrong.

use actix_multipart::Multipart;
use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use askama::Template;
use futures_util::StreamExt as _;
use tend_engine::model::Workflow;

use super::{Frame, Signed, StaffForm, csv::safe_line, enrol, form, session::COOKIE};
use crate::{
    app::{App, register::risk_features},
    web::{
        Page, WebError, csrf,
        respond::{invalid, page},
        words::Enrol,
    },
};

/// Largest file, in kB.
pub const FILE_KB_MAX: usize = 512;
/// Most lines of a file.
pub const LINES_MAX: usize = 1_000;
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
    pub line: u64,
    /// The column; empty for the whole line.
    pub column: String,
    /// What is wrong.
    pub why: String,
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
    done: Option<String>,
    refused: Vec<Refused>,
    columns: Vec<(String, String)>,
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
            columns.push((name.clone(), known_columns(signed, &workflow).join(", ")));
            choices.push((name, super::vocabulary::text(signed.lang, &workflow.title).to_owned()));
        }
    }
    Ok(ImportPage {
        e: Enrol(signed.lang),
        choices,
        chosen: chosen.to_owned(),
        error: None,
        done: None,
        refused: Vec::new(),
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
    match import(&app, &signed, &workflow, &file).await? {
        Ok((taken, refused)) => {
            shown.done = Some(e.import_done(
                taken,
                refused.iter().map(|r| r.line).collect::<std::collections::BTreeSet<_>>().len(),
            ));
            shown.refused = refused;
            page(&shown)
        }
        Err(sentence) => {
            shown.error = Some(sentence);
            invalid(&shown)
        }
    }
}

/// `POST /import/report`: the refused lines as a file. Nothing was kept, so the page sends them along.
///
/// # Errors
/// [`WebError`].
pub async fn report(_signed: Signed, form: StaffForm) -> Result<HttpResponse, WebError> {
    let mut csv = safe_line(&["line", "column", "problem"]);
    for ((line, column), why) in form.all("line").zip(form.all("column")).zip(form.all("why")) {
        csv.push_str(&safe_line(&[line, column, why]));
    }
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"refused-lines.csv\""))
        .body(csv))
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
    all.extend(risk_features(signed.lang.code()).into_iter().map(|feature| format!("risk-{}", feature.name)));
    all
}

/// Enrols line by line; a sentence when the file as a whole cannot be read.
async fn import(
    app: &App,
    signed: &Signed,
    workflow: &Workflow,
    file: &[u8],
) -> Result<Result<(usize, Vec<Refused>), String>, WebError> {
    let e = Enrol(signed.lang);
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut reader = ::csv::ReaderBuilder::new().flexible(false).from_reader(file);
    let headings: Vec<String> = match reader.headers() {
        Ok(headings) => headings.iter().map(|heading| heading.trim().to_lowercase()).collect(),
        Err(_) => return Ok(Err(e.import_not_csv().to_owned())),
    };
    let known = known_columns(signed, workflow);
    if let Some(unknown) = headings.iter().find(|heading| !known.contains(heading)) {
        return Ok(Err(e.import_unknown_column(unknown)));
    }
    if let Some(missing) = ["name", "birth_date"].iter().find(|name| !headings.iter().any(|h| h == *name)) {
        return Ok(Err(e.import_no_column(missing)));
    }
    let today =
        app.clock.now().to_zoned_datetime(super::vocabulary::zone(&app.site(signed.staff.site).zone)).date();
    let (mut taken, mut refused) = (0, Vec::new());
    for (at, record) in reader.byte_records().enumerate() {
        let line = at as u64 + 2;
        if at == LINES_MAX {
            refused.push(Refused { line, column: String::new(), why: e.import_too_many(LINES_MAX) });
            break;
        }
        let whole = |why: &str| Refused { line, column: String::new(), why: why.to_owned() };
        let Ok(record) = record else {
            refused.push(whole(e.import_not_csv()));
            continue;
        };
        let Ok(record) = ::csv::StringRecord::from_byte_record(record) else {
            refused.push(whole(e.import_not_utf8()));
            continue;
        };
        match enrol_line(app, signed, workflow, &headings, &record, today).await? {
            Ok(()) => taken += 1,
            Err(mistakes) => {
                refused.extend(mistakes.into_iter().map(|(column, why)| Refused { line, column, why }))
            }
        }
    }
    Ok(Ok((taken, refused)))
}

async fn enrol_line(
    app: &App,
    signed: &Signed,
    workflow: &Workflow,
    headings: &[String],
    record: &::csv::StringRecord,
    today: jiff::civil::Date,
) -> Result<Result<(), Vec<(String, String)>>, WebError> {
    let mut typed = form::Typed::default();
    typed.set("zone", app.site(signed.staff.site).zone);
    typed.set("language", workflow.languages.first().map_or_else(String::new, ToString::to_string));
    for (heading, value) in headings.iter().zip(record) {
        if !value.trim().is_empty() {
            typed.set(heading, value.trim());
        }
    }
    let read = enrol::read(signed, workflow, &mut typed, today);
    let wrong = |typed: &form::Typed| {
        typed.errors().into_iter().map(|(name, why)| (name.to_owned(), why.to_owned())).collect::<Vec<_>>()
    };
    let (Some(register), true) = (read, typed.good()) else { return Ok(Err(wrong(&typed))) };
    let who = &register.newcomer.demographics;
    if !app.same_person(signed.staff.site, who, &register.newcomer.identifiers).await?.is_empty() {
        return Ok(Err(vec![("name".to_owned(), Enrol(signed.lang).import_duplicate().to_owned())]));
    }
    match app.register(signed.staff.id, register).await {
        Ok(_) => Ok(Ok(())),
        Err(error) => Ok(Err(vec![enrol::mistake(signed, error)?])),
    }
}
