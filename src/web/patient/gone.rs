//! Links behind which nothing can be answered: one plain page each, with the telephone number and nothing else.

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;

use crate::{
    app::link::Gone,
    web::{Contact, Lang, Page, WebError, respond, words},
};

/// The page.
#[derive(Debug, Template)]
#[template(path = "patient/gone.html")]
pub struct GonePage {
    /// Its frame.
    pub page: Page,
    /// Whom to call.
    pub contact: Contact,
    /// Heading.
    pub heading: &'static str,
    /// What to do.
    pub body: &'static str,
}

/// There is no such link.
///
/// # Errors
/// [`WebError::Internal`].
pub fn unknown(lang: Lang, contact: Contact) -> Result<HttpResponse, WebError> {
    let w = words::Patient(lang);
    let page = Page::unswitched(lang);
    let page = GonePage { page, contact, heading: w.unknown_heading(), body: w.unknown_body() };
    respond::page_with(HttpResponse::NotFound(), &page)
}

/// There was one.
///
/// # Errors
/// [`WebError::Internal`].
pub fn page(why: Gone, token: &str, lang: Lang, contact: Contact) -> Result<HttpResponse, WebError> {
    let w = words::Patient(lang);
    let (status, heading, body) = match why {
        Gone::Expired => (StatusCode::GONE, w.expired_heading(), w.expired_body()),
        Gone::Answered => (StatusCode::OK, w.used_heading(), w.used_body()),
        Gone::Withdrawn => (StatusCode::GONE, w.withdrawn_heading(), w.withdrawn_body()),
        Gone::Locked => (StatusCode::FORBIDDEN, w.locked_heading(), w.locked_body()),
    };
    let page = GonePage { page: Page::at(lang, &format!("/c/{token}")), contact, heading, body };
    respond::page_with(HttpResponse::build(status), &page)
}
