//! Enrolling a patient: who it is, how to reach and with whose consent, and what the workflow needs to know.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use askama::Template;
use jiff::civil::Date;
use serde::Deserialize;
use tend_engine::{
    Name, PatientId, Value,
    model::{Channel, FactKind, Workflow},
};

use super::{
    CLINICAL, Frame, Signed, StaffForm, Typed, act, form, published::asked_for_risk, vocabulary as v,
};
use crate::{
    app::{
        App,
        enroll::{Course, Newcomer},
        register::{Register, RegisterError},
    },
    store::read::person::{ContactPoint, Demographics, Identifier, Owner},
    web::{
        Lang, Page, WebError,
        respond::{invalid, page, see_other},
        words::{Chart, Enrol, Staff},
    },
};

/// The numbering system of the form's one number field, unless another is typed.
pub const SYSTEM_DEFAULT: &str = "hospital";
/// The earliest year of birth.
const BIRTH_YEAR_MIN: i16 = 1900;

/// A field made from the workflow or the model.
#[derive(Debug)]
pub struct Field {
    /// Its name in the form.
    pub name: String,
    /// Its words.
    pub label: String,
    /// `select`, `date` or `text`.
    pub kind: &'static str,
    /// Options of a select.
    pub options: Vec<(String, String)>,
    /// Whether it is needed.
    pub required: bool,
}

#[derive(Debug, Template)]
#[template(path = "staff/enrol/choose.html")]
struct ChoosePage {
    page: Page,
    frame: Frame,
    e: Enrol,
    choices: Vec<(String, String)>,
}

#[derive(Debug, Template)]
#[template(path = "staff/enrol/page.html")]
struct EnrolPage {
    page: Page,
    frame: Frame,
    e: Enrol,
    workflow: String,
    title: String,
    status: String,
    languages: Vec<(String, String)>,
    anchors: Vec<Field>,
    facts: Vec<Field>,
    features: Vec<Field>,
    typed: Typed,
    duplicates: Vec<(String, String)>,
}

/// Which workflow.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    workflow: Option<String>,
}

/// `GET /enrol`
///
/// # Errors
/// [`WebError`].
pub async fn show(app: Data<App>, signed: Signed, asked: Query<Asked>) -> Result<HttpResponse, WebError> {
    let (page_, frame) = signed.page("/enrol", "/enrol");
    let Some(name) = asked.workflow.as_deref() else {
        let mut choices = Vec::new();
        for (name, hash) in app.store.active_versions(signed.staff.site).await? {
            let title = app.version(&hash).map(|w| v::text(signed.lang, &w.title).to_owned());
            choices.push((name.clone(), title.unwrap_or(name)));
        }
        return page(&ChoosePage { page: page_, frame, e: Enrol(signed.lang), choices });
    };
    let workflow = active(&app, &signed, name).await?;
    let mut typed = Typed::default();
    typed.set("zone", app.site(signed.staff.site).zone);
    typed.set("system", SYSTEM_DEFAULT);
    typed.set("language", signed.lang.code());
    page(&build(&signed, &workflow, typed, Vec::new()))
}

/// `POST /enrol`
///
/// # Errors
/// [`WebError`].
pub async fn submit(app: Data<App>, signed: Signed, form: StaffForm) -> Result<HttpResponse, WebError> {
    let workflow = active(&app, &signed, form.get("workflow")).await?;
    let mut typed = form.typed();
    let today = app.clock.now().to_zoned_datetime(app.zone(signed.staff.site)).date();
    let read = read(&signed, &workflow, &mut typed, today);
    let (Some(register), true) = (read, typed.good()) else {
        return invalid(&build(&signed, &workflow, typed, Vec::new()));
    };
    let who = &register.newcomer.demographics;
    let found = app.same_person(signed.staff.site, who, &register.newcomer.identifiers).await?;
    if !found.is_empty() && !form.ticked("another") {
        typed.wrong("another", Enrol(signed.lang).duplicate());
        let links = links(&app, &signed, &found).await?;
        return invalid(&build(&signed, &workflow, typed, links));
    }
    match app.register(signed.staff.id, register).await {
        Ok(enrolled) => Ok(see_other(&format!("/patients/{}?done=yes", enrolled.patient))),
        Err(error) => {
            let (field, sentence) = mistake(&signed, error)?;
            typed.wrong(&field, sentence);
            invalid(&build(&signed, &workflow, typed, Vec::new()))
        }
    }
}

/// The field and the sentence of what the application refused.
///
/// # Errors
/// What is not the form's fault.
pub fn mistake(signed: &Signed, error: RegisterError) -> Result<(String, String), WebError> {
    use crate::app::enroll::EnrollError as E;
    let w = Staff(signed.lang);
    match error {
        RegisterError::SameNumber => Ok(("number".to_owned(), Enrol(signed.lang).same_number().to_owned())),
        RegisterError::Enroll(error) => match error {
            E::Record(error) => Err(error.into()),
            E::MissingFact(name) => Ok((format!("fact-{name}"), w.err_missing().to_owned())),
            E::WrongFact(name) => Ok((format!("fact-{name}"), w.err_choice().to_owned())),
            E::MissingAnchor(name) => Ok((format!("anchor-{name}"), w.err_missing().to_owned())),
            E::UnknownAnchor(name) => Ok((format!("anchor-{name}"), w.err_choice().to_owned())),
            E::Language(_) => Ok(("language".to_owned(), w.err_choice().to_owned())),
            E::Zone(_) => Ok(("zone".to_owned(), w.err_choice().to_owned())),
            E::NotPublished(_) | E::TooMany => Err(WebError::Conflict),
        },
        RegisterError::Score(error) => Err(WebError::internal(error)),
        RegisterError::Store(error) => Err(error.into()),
    }
}

async fn links(app: &App, signed: &Signed, found: &[PatientId]) -> Result<Vec<(String, String)>, WebError> {
    let people = app.store.demographics_of(found).await?;
    let w = Staff(signed.lang);
    let one = |id: &PatientId| {
        let label = people.get(id).map(|p| format!("{}, {}", p.name, p.birth_date));
        (format!("/patients/{id}"), label.unwrap_or_else(|| w.erased().to_owned()))
    };
    Ok(found.iter().map(one).collect())
}

async fn active(app: &App, signed: &Signed, name: &str) -> Result<std::sync::Arc<Workflow>, WebError> {
    let active = app.store.active_versions(signed.staff.site).await?;
    let hash = active.get(name).ok_or(WebError::NotFound)?;
    app.version(hash).ok_or(WebError::NotFound)
}

fn build(signed: &Signed, workflow: &Workflow, typed: Typed, duplicates: Vec<(String, String)>) -> EnrolPage {
    let frame = Frame::of(signed, "/enrol");
    let say = |text| v::text(signed.lang, text).to_owned();
    let anchors = workflow.anchors.iter().enumerate().map(|(at, anchor)| Field {
        name: format!("anchor-{}", anchor.id),
        label: say(&anchor.label),
        kind: "date",
        options: Vec::new(),
        required: at == 0,
    });
    let facts = workflow.facts.iter().map(|fact| Field {
        name: format!("fact-{}", fact.id),
        label: labelled(say(&fact.label), &fact.kind),
        kind: input_kind(&fact.kind),
        options: options(signed, &fact.kind),
        required: fact.required && fact.default.is_none(),
    });
    let status = &workflow.status;
    EnrolPage {
        page: Page::unswitched(signed.lang),
        e: Enrol(signed.lang),
        workflow: workflow.id.to_string(),
        title: say(&workflow.title),
        status: if status == "example, not approved" {
            frame.w.not_approved().to_owned()
        } else {
            status.clone()
        },
        languages: workflow
            .languages
            .iter()
            .map(|lang| {
                let code = lang.to_string();
                let own = Lang::parse(&code).map_or_else(|| code.clone(), |lang| lang.own_name().to_owned());
                (code, own)
            })
            .collect(),
        anchors: anchors.collect(),
        facts: facts.collect(),
        features: if signed.has_any(CLINICAL) { features(signed) } else { Vec::new() },
        typed,
        duplicates,
        frame,
    }
}

fn features(signed: &Signed) -> Vec<Field> {
    asked_for_risk(signed.lang)
        .into_iter()
        .map(|feature| Field {
            name: format!("risk-{}", feature.name),
            label: labelled(feature.label, &feature.kind),
            kind: input_kind(&feature.kind),
            options: options(signed, &feature.kind),
            required: feature.required,
        })
        .collect()
}

/// The label with the range, unless its own words name the range.
fn labelled(label: String, kind: &FactKind) -> String {
    match kind {
        FactKind::Quantity { min, max, .. }
            if label.contains(&min.to_string()) && label.contains(&max.to_string()) =>
        {
            label
        }
        FactKind::Quantity { unit, min, max } => format!("{label} ({min}–{max} {unit})"),
        FactKind::Whole { min, max } => format!("{label} ({min}–{max})"),
        FactKind::Boolean | FactKind::Choice(_) | FactKind::Date => label,
    }
}

fn input_kind(kind: &FactKind) -> &'static str {
    match kind {
        FactKind::Boolean | FactKind::Choice(_) => "select",
        FactKind::Whole { .. } | FactKind::Quantity { .. } => "text",
        FactKind::Date => "date",
    }
}

fn options(signed: &Signed, kind: &FactKind) -> Vec<(String, String)> {
    let w = Staff(signed.lang);
    let mut all = vec![(String::new(), "–".to_owned())];
    match kind {
        FactKind::Boolean => {
            all.extend([("yes".to_owned(), w.yes().to_owned()), ("no".to_owned(), w.no().to_owned())]);
        }
        FactKind::Choice(options) => all.extend(
            options.iter().map(|(id, label)| (id.to_string(), v::text(signed.lang, label).to_owned())),
        ),
        FactKind::Whole { .. } | FactKind::Quantity { .. } | FactKind::Date => all.clear(),
    }
    all
}

/// Reads a form or a line of an import; mistakes are noted in `typed`.
pub fn read(signed: &Signed, workflow: &Workflow, typed: &mut Typed, today: Date) -> Option<Register> {
    let (w, e) = (Staff(signed.lang), Enrol(signed.lang));
    let name = typed.line(w, "name");
    let birth_date = typed.date(w, "birth_date");
    if birth_date.is_some_and(|date| date > today) {
        typed.wrong("birth_date", e.err_future());
    }
    if birth_date.is_some_and(|date| date.year() < BIRTH_YEAR_MIN) {
        typed.wrong("birth_date", e.err_old());
    }
    let sex = Some(typed.optional_line(w, "sex")).filter(|sex| !sex.is_empty());
    let number = typed.optional_line(w, "number");
    let system = Some(typed.optional_line(w, "system")).filter(|s| !s.is_empty());
    let identifiers = if number.is_empty() {
        Vec::new()
    } else {
        vec![Identifier { system: system.unwrap_or_else(|| SYSTEM_DEFAULT.to_owned()), value: number }]
    };
    let zone = typed.line(w, "zone");
    if jiff::tz::TimeZone::get(&zone).is_err() {
        typed.wrong("zone", w.err_choice());
    }
    let language = typed.line(w, "language");
    if !workflow.languages.iter().any(|known| known.to_string() == language) {
        typed.wrong("language", w.err_choice());
    }
    let contact_points = contacts(signed, typed);
    let consented = consents(signed, typed, &contact_points);
    let anchors = anchors(w, workflow, typed);
    let facts = facts(w, workflow, typed);
    let features = feature_values(signed, typed);
    let birth_date = birth_date.filter(|_| typed.good())?;
    Some(Register {
        newcomer: Newcomer {
            site: signed.staff.site,
            team: signed.staff.team,
            demographics: Demographics { name, birth_date, sex },
            identifiers,
            contact_points,
            consents: Vec::new(),
            language,
            zone,
            preferred: v::channel_of(typed.value("preferred")),
            daily_consent: yes(typed, "consent_daily"),
            course: Course { workflow: workflow.id.clone(), facts, anchors },
        },
        consented,
        wording: act::CONSENT_WORDING.to_owned(),
        features,
    })
}

fn yes(typed: &Typed, name: &str) -> bool {
    matches!(typed.value(name).trim().to_lowercase().as_str(), "yes" | "on" | "1" | "true" | "是")
}

fn contacts(signed: &Signed, typed: &mut Typed) -> Vec<ContactPoint> {
    let (w, c) = (Staff(signed.lang), Chart(signed.lang));
    let fields = [
        ("phone", Channel::Sms, Owner::Own),
        ("email", Channel::Email, Owner::Own),
        ("carer_phone", Channel::Sms, Owner::Carer),
    ];
    let mut found = Vec::new();
    for (name, channel, owner) in fields {
        let raw = typed.optional_line(w, name);
        if raw.is_empty() {
            continue;
        }
        match act::address(channel, &raw) {
            Some(address) => found.push(ContactPoint { channel, address, owner }),
            None if channel == Channel::Sms => typed.wrong(name, c.err_phone()),
            None => typed.wrong(name, c.err_email()),
        }
    }
    found
}

/// The channels that are consented to. An address without any consent is a form that was not finished.
fn consents(signed: &Signed, typed: &mut Typed, contacts: &[ContactPoint]) -> Vec<Channel> {
    let mut consented = Vec::new();
    for (name, channel) in [("consent_sms", Channel::Sms), ("consent_email", Channel::Email)] {
        if yes(typed, name) && contacts.iter().any(|contact| contact.channel == channel) {
            consented.push(channel);
        }
    }
    if consented.is_empty() && !contacts.is_empty() {
        typed.wrong("consent_sms", Enrol(signed.lang).consent_needed());
    }
    consented
}

fn anchors(w: Staff, workflow: &Workflow, typed: &mut Typed) -> BTreeMap<Name, Date> {
    let mut dates = BTreeMap::new();
    for (at, anchor) in workflow.anchors.iter().enumerate() {
        let name = format!("anchor-{}", anchor.id);
        let date = if at == 0 { typed.date(w, &name) } else { typed.optional_date(w, &name) };
        if let Some(date) = date {
            dates.insert(anchor.id.clone(), date);
        }
    }
    dates
}

fn facts(w: Staff, workflow: &Workflow, typed: &mut Typed) -> BTreeMap<Name, Value> {
    let mut values = BTreeMap::new();
    for fact in &workflow.facts {
        let name = format!("fact-{}", fact.id);
        match typed.fact(w, &name, &fact.kind) {
            Some(value) => _ = values.insert(fact.id.clone(), value),
            None if fact.required && fact.default.is_none() => typed.wrong(&name, w.err_missing()),
            None => {}
        }
    }
    values
}

fn feature_values(signed: &Signed, typed: &mut Typed) -> BTreeMap<Name, Value> {
    let w = Staff(signed.lang);
    let mut values = BTreeMap::new();
    for feature in asked_for_risk(signed.lang) {
        let field = format!("risk-{}", feature.name);
        if let (Some(value), Ok(name)) = (typed.fact(w, &field, &feature.kind), form::name(&feature.name)) {
            values.insert(name, value);
        }
    }
    values
}
