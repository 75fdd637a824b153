//! The languages of the product's own words, and which of them a person reads.

use actix_web::{
    Error, HttpRequest,
    body::MessageBody,
    cookie::{Cookie, SameSite, time::Duration},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderValue},
    middleware::Next,
    web::Data,
};

use super::Web;

/// A language in which every page is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

/// The cookie in which a person's choice of language is kept.
pub const COOKIE: &str = "lang";
/// The field of an address that chooses a language.
pub const FIELD: &str = "lang";

impl Lang {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// As workflows name it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// As HTML names it.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-Hans",
        }
    }

    /// Its own name in itself.
    #[must_use]
    pub fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Zh => "中文",
        }
    }

    /// The other one, for the switch.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::En => Self::Zh,
            Self::Zh => Self::En,
        }
    }

    /// From a tag such as `zh`, `zh-CN` or `en-GB`.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_', ';']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|lang| lang.code().eq_ignore_ascii_case(primary))
    }

    /// What the person chose by the switch: in the address, else earlier, kept in the cookie.
    #[must_use]
    pub fn chosen(request: &HttpRequest) -> Option<Self> {
        in_query(request.query_string())
            .or_else(|| request.cookie(COOKIE).and_then(|cookie| Self::parse(cookie.value())))
    }

    /// The choice, else the first language of the browser that we have.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        Self::chosen(request).unwrap_or_else(|| of_browser(request.headers()))
    }

    /// The same before a request has found its handler.
    #[must_use]
    pub fn of_service(request: &ServiceRequest) -> Self {
        in_query(request.query_string())
            .or_else(|| request.cookie(COOKIE).and_then(|cookie| Self::parse(cookie.value())))
            .unwrap_or_else(|| of_browser(request.headers()))
    }
}

/// Keeps a choice of language that stands in the address.
///
/// # Errors
/// Those of the page.
pub async fn remember(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let chosen = in_query(request.query_string());
    let secure = request.app_data::<Data<Web>>().is_some_and(|web| web.settings.behind_tls_proxy);
    let mut response = next.call(request).await?;
    if let Some(lang) = chosen {
        let cookie = Cookie::build(COOKIE, lang.code())
            .path("/")
            .max_age(Duration::days(365))
            .same_site(SameSite::Lax)
            .http_only(true)
            .secure(secure)
            .finish();
        if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    Ok(response)
}

/// The language that the address itself asks for.
#[must_use]
pub fn in_query(query: &str) -> Option<Lang> {
    query.split('&').find_map(|pair| pair.strip_prefix("lang=").and_then(Lang::parse))
}

fn of_browser(headers: &HeaderMap) -> Lang {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').find_map(Lang::parse).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use actix_web::{cookie::Cookie, test::TestRequest};

    use super::*;

    #[test]
    fn the_address_goes_before_the_cookie_before_the_browser() {
        let browser = || TestRequest::get().insert_header(("Accept-Language", "fr, zh-CN;q=0.9, en;q=0.5"));
        assert_eq!(Lang::of(&browser().to_http_request()), Lang::Zh);
        let cookie = browser().cookie(Cookie::new(COOKIE, "en"));
        assert_eq!(Lang::of(&cookie.to_http_request()), Lang::En);
        let address = browser().cookie(Cookie::new(COOKIE, "en")).uri("/x?a=1&lang=zh");
        assert_eq!(Lang::of(&address.to_http_request()), Lang::Zh);
    }

    #[test]
    fn nothing_usable_is_english() {
        let request = TestRequest::get().insert_header(("Accept-Language", "fr")).uri("/?lang=xx");
        assert_eq!(Lang::of(&request.to_http_request()), Lang::En);
    }
}
