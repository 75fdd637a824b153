//! How handlers answer.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header, header::HeaderValue},
};
use askama::Template;

use super::WebError;

/// The type of every page.
pub const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// A page.
///
/// # Errors
/// [`WebError::Internal`] when the template cannot be rendered.
pub fn page(template: &impl Template) -> Result<HttpResponse, WebError> {
    page_with(HttpResponse::Ok(), template)
}

/// A page with another status or with headers and cookies of its own.
///
/// # Errors
/// [`WebError::Internal`] when the template cannot be rendered.
pub fn page_with(
    mut response: HttpResponseBuilder,
    template: &impl Template,
) -> Result<HttpResponse, WebError> {
    let body = template.render()?;
    Ok(response.insert_header((header::CONTENT_TYPE, HTML)).body(body))
}

/// A form with mistakes: shown again with what was typed.
///
/// # Errors
/// [`WebError::Internal`] when the template cannot be rendered.
pub fn invalid(template: &impl Template) -> Result<HttpResponse, WebError> {
    page_with(HttpResponse::build(StatusCode::UNPROCESSABLE_ENTITY), template)
}

/// After a form was taken: the page to look at next.
#[must_use]
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}
