//! Why an entry of a patient's history is there: what led to it, what followed, the rule and the line of the file.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use askama::Template;
use tend_engine::{PatientId, fact::Entry, why::why_entry};

use super::{
    Frame, Signed,
    patient::{Known, of_site},
    story::{Teller, Titles as _},
    vocabulary as v,
};
use crate::{
    app::App,
    web::{Page, WebError, respond::page, words::Chart},
};

#[derive(Debug, Template)]
#[template(path = "staff/why/page.html")]
struct WhyPage {
    page: Page,
    frame: Frame,
    c: Chart,
    patient: PatientId,
    name: String,
    sentence: String,
    links: Vec<Link>,
    from: Option<String>,
    line: Option<String>,
}

/// An entry that has to do with it.
#[derive(Debug)]
struct Link {
    seq: u64,
    when: String,
    who: String,
    sentence: String,
    why: Option<String>,
    /// The entry that is explained.
    this: bool,
}

/// `GET /patients/{id}/why/{seq}`
///
/// # Errors
/// [`WebError`].
pub async fn show(
    app: Data<App>,
    signed: Signed,
    path: Path<(String, u64)>,
) -> Result<HttpResponse, WebError> {
    let (id, seq) = path.into_inner();
    let row = of_site(&app, &signed, &id).await?;
    app.viewed(signed.staff.id, row.id, "why").await?;
    let history = app.store.whole_history(row.id).await?;
    let why = why_entry(&history, seq).ok_or(WebError::NotFound)?;
    let (page_, frame) = signed.page(&format!("/patients/{}/why/{seq}", row.id), "");
    let staff = app.store.staff_names(row.site).await?;
    let live = app.live();
    let zone = app.zone(row.site);
    let known = Known { lang: signed.lang, library: &live.library, row: &row, staff: &staff };
    let teller = Teller { lang: signed.lang, zone: &zone, titles: &known };
    let told = |entry: &Entry| {
        let told = teller.tell(&entry.fact);
        Link {
            seq: entry.seq,
            when: v::instant(&zone, entry.occurred_at),
            who: teller.author(entry.author),
            sentence: told.sentence,
            why: told.why,
            this: entry.seq == seq,
        }
    };
    let linked = |entry: &&Entry| why.links.iter().any(|link| link.seq == entry.seq);
    let links: Vec<Link> = history.iter().filter(linked).map(told).collect();
    let person = app.store.demographics(row.id).await?;
    let mut from = None;
    let mut line = None;
    if let Some((workflow, version)) = why.version {
        let title = known.workflow(&workflow);
        let named = why.from.as_ref().map(|name| known.step_named(name));
        let words = Chart(signed.lang).from_version(title, version.short());
        from = Some(named.map_or_else(|| words.clone(), |named| format!("{words}: {named}")));
        if let Some(named) = why.from {
            line = app.line_of(workflow, version, named).await;
        }
    }
    page(&WhyPage {
        c: Chart(signed.lang),
        patient: row.id,
        name: person.map_or_else(|| frame.w.erased().to_owned(), |person| person.name),
        sentence: links.iter().find(|link| link.this).map(|link| link.sentence.clone()).unwrap_or_default(),
        links,
        from,
        line,
        page: page_,
        frame,
    })
}
