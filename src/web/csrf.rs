//! Forms come from our own pages: a token made from the session's secret, and no posts from other sites.

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::WebError;

/// The name of the hidden field.
pub const FIELD: &str = "csrf";

/// The token of a session's forms. It can be made only by who knows the secret, and tells nothing of it.
#[must_use]
pub fn token(session_secret: &str) -> String {
    let digest = Sha256::new().chain_update("csrf\0").chain_update(session_secret).finalize();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses a form without the session's token.
///
/// # Errors
/// [`WebError::Stale`]: the page was made for another session.
pub fn check(session_secret: &str, given: &str) -> Result<(), WebError> {
    let expected = token(session_secret);
    if bool::from(expected.as_bytes().ct_eq(given.as_bytes())) { Ok(()) } else { Err(WebError::Stale) }
}

/// Refuses what a browser says was sent by another site's page, whatever it carries.
///
/// # Errors
/// Those of the page.
pub async fn same_site(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let from = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if changes && matches!(from, Some("cross-site" | "same-site")) {
        let (request, _) = request.into_parts();
        return Ok(ServiceResponse::new(request, HttpResponse::from_error(WebError::Stale)));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_session() {
        assert!(check("one", &token("one")).is_ok());
        assert!(check("one", &token("two")).is_err());
        assert!(check("one", "").is_err());
    }
}
