//! What can go wrong with a request, and the plain page that says so. Logged once, here, without names or addresses:
//! a route is named by its pattern, never by the address asked for, which may hold a token.

use actix_web::{
    Error, HttpMessage, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::Data,
};
use askama::Template;

use super::{Contact, Lang, Page, Web, words};

/// What went wrong, by who must act.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// There is no such page, or not for this person.
    #[error("no such page")]
    NotFound,
    /// Signed in, but without the right.
    #[error("not allowed")]
    Forbidden,
    /// The form was made for another session, or too long ago.
    #[error("the form belongs to another session")]
    Stale,
    /// More than the limit of this form.
    #[error("more than this form takes")]
    TooLarge,
    /// Not a form that our page could have sent.
    #[error("the form cannot be read")]
    BadForm,
    /// Somebody else was faster.
    #[error("changed in the meantime")]
    Conflict,
    /// Too many tries from one place.
    #[error("too many tries")]
    TooMany,
    /// Another page must be seen first: signing in, the birth date.
    #[error("another page comes first")]
    SeeOther(String),
    /// Our fault. The words are for the log: no names, numbers or answers.
    #[error("{0}")]
    Internal(String),
}

impl WebError {
    /// Our fault, in the words of the error itself.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<askama::Error> for WebError {
    fn from(error: askama::Error) -> Self {
        Self::internal(error)
    }
}

impl ResponseError for WebError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::Stale => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BadForm => StatusCode::BAD_REQUEST,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::SeeOther(_) => StatusCode::SEE_OTHER,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Self::SeeOther(path) = self {
            response.insert_header((header::LOCATION, path.as_str()));
        }
        response.finish()
    }
}

/// The page of an error.
#[derive(Debug, Template)]
#[template(path = "error/page.html")]
pub struct ErrorPage {
    /// Its frame.
    pub page: Page,
    /// Heading.
    pub title: &'static str,
    /// What to do.
    pub advice: &'static str,
    /// To be read out on the phone; only where we are at fault.
    pub reference: Option<String>,
    /// Whom to call.
    pub contact: Contact,
}

/// Puts a page in the person's language where a handler, an extractor or the router only gave a status.
///
/// # Errors
/// None of its own.
pub async fn pages(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let lang = Lang::of_service(&request);
    let response = next.call(request).await?.map_into_boxed_body();
    if !wants_page(&response) {
        return Ok(response);
    }
    let lang = response.request().extensions().get::<Lang>().copied().unwrap_or(lang);
    let Some(web) = response.request().app_data::<Data<Web>>().cloned() else { return Ok(response) };
    let contact = response.request().extensions().get::<Contact>().cloned();
    let reference = log(&response, &web);
    let (title, advice) = words_for(&response, words::Common(lang));
    let contact = contact.unwrap_or_else(|| web.contact());
    let page = ErrorPage { page: Page::unswitched(lang), title, advice, reference, contact };
    let body = page.render().unwrap_or_else(|_| title.to_owned());
    Ok(response.map_body(|head, _| {
        head.headers.remove(header::CONTENT_LENGTH);
        head.headers.insert(header::CONTENT_TYPE, super::respond::HTML);
        BoxBody::new(body)
    }))
}

fn wants_page(response: &ServiceResponse) -> bool {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let said_something =
        response.response().error().is_none() && response.headers().contains_key(header::CONTENT_TYPE);
    failed && !said_something
}

fn words_for(response: &ServiceResponse, w: words::Common) -> (&'static str, &'static str) {
    let stale = response.response().error().and_then(|e| e.as_error::<WebError>());
    match (stale, response.status()) {
        (Some(WebError::Stale), _) => (w.error_title_stale(), w.error_stale()),
        (_, StatusCode::NOT_FOUND) => (w.error_title_not_found(), w.error_not_found()),
        (_, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED) => {
            (w.error_title_forbidden(), w.error_forbidden())
        }
        (_, StatusCode::PAYLOAD_TOO_LARGE) => (w.error_title_too_large(), w.error_too_large()),
        (_, StatusCode::CONFLICT) => (w.error_title_conflict(), w.error_conflict()),
        (_, StatusCode::TOO_MANY_REQUESTS) => (w.error_title_too_many(), w.error_too_many()),
        (_, StatusCode::METHOD_NOT_ALLOWED) => (w.error_title_method(), w.error_method()),
        (_, status) if status.is_server_error() => (w.error_title_internal(), w.error_internal()),
        (_, _) => (w.error_title_bad_form(), w.error_bad_form()),
    }
}

/// Writes our own faults down and gives the reference under which they are found.
fn log(response: &ServiceResponse, web: &Web) -> Option<String> {
    if !response.status().is_server_error() {
        return None;
    }
    let reference = web.reference();
    let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    let what = match response.response().error().and_then(|e| e.as_error::<WebError>()) {
        Some(error) => error.to_string(),
        None => format!("status {}", response.status().as_u16()),
    };
    tracing::error!(reference, route, what, "request {reference} failed: {what}");
    Some(reference)
}

/// Eight characters without those that are mistaken for each other, from the random end of an id.
#[must_use]
pub fn reference_of(id: u128) -> String {
    const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let letter = |at: u32| char::from(LETTERS[((id >> (5 * at)) & 31) as usize]);
    (0..4).map(letter).chain(['-']).chain((4..8).map(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::reference_of;

    #[test]
    fn a_reference_can_be_read_out() {
        assert_eq!(reference_of(0), "2222-2222");
        assert_eq!(reference_of(u128::MAX), "ZZZZ-ZZZZ");
    }
}
