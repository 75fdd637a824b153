//! Who stands behind a request: the link, the date of birth that was given, the language.

use std::collections::BTreeMap;

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
};

use super::gone;
use crate::{
    app::{
        link::{Gone, LinkError, Opened, Visit},
        visitor::{SESSION_MINUTES, Visitor},
    },
    store::read::LinkRow,
    web::{Contact, Lang, Page, Web, WebError, respond, words},
};

/// The cookie of who gave the date of birth.
pub const COOKIE: &str = "visit";
/// What the cookies of chosen units begin with; an item's name follows.
pub const UNIT_COOKIE: &str = "unit-";
/// Letters of a token: 128 bits in base64url.
const TOKEN_LETTERS: usize = 22;

impl From<LinkError> for WebError {
    fn from(error: LinkError) -> Self {
        Self::internal(error)
    }
}

/// The link of a request, and the words for it.
pub struct Front {
    /// The token.
    pub token: String,
    /// Where it leads.
    pub opened: Opened,
    /// The language of the page.
    pub lang: Lang,
    /// Whom to call.
    pub contact: Contact,
}

/// A visitor behind the guard.
pub struct Guest {
    /// The link's token, for addresses of the same form.
    pub token: String,
    /// The form.
    pub visit: Visit,
    /// Who.
    pub visitor: Visitor,
    /// The language of the page.
    pub lang: Lang,
    /// Whom to call.
    pub contact: Contact,
    /// The token of forms.
    pub csrf: String,
    /// The units that this device answered in, by item.
    pub units: BTreeMap<String, String>,
}

/// A guest who is in, or the page that comes first.
pub enum Door {
    /// In.
    Open(Box<Guest>),
    /// Another page comes first.
    Shut(HttpResponse),
}

/// Opens the link of a request. The page's language and numbers are kept for an error page, should there be one.
///
/// # Errors
/// [`WebError::Internal`].
pub async fn front(web: &Web, request: &HttpRequest) -> Result<Front, WebError> {
    let token = request.match_info().get("token").unwrap_or_default().to_owned();
    let opened = if is_token(&token) { web.app.open_link(&token).await? } else { Opened::Unknown };
    let (contact, own) = match &opened {
        Opened::Unknown => (web.contact(), None),
        Opened::Gone(closed) => (Contact::of(&closed.site), Lang::parse(&closed.state.language)),
        Opened::Here(visit) => (Contact::of(&visit.site), Lang::parse(&visit.state.language)),
    };
    let lang = Lang::chosen(request).or(own).unwrap_or_else(|| Lang::of(request));
    request.extensions_mut().insert(lang);
    request.extensions_mut().insert(contact.clone());
    Ok(Front { token, opened, lang, contact })
}

/// Lets a guest in who has given the date of birth.
///
/// # Errors
/// [`WebError::Internal`].
pub async fn enter(web: &Web, request: &HttpRequest) -> Result<Door, WebError> {
    let Front { token, opened, lang, contact } = front(web, request).await?;
    match opened {
        Opened::Unknown => Ok(Door::Shut(gone::unknown(lang, contact)?)),
        Opened::Gone(closed)
            if closed.why == Gone::Answered && recognise(web, request, &closed.link).is_some() =>
        {
            Ok(Door::Shut(respond::see_other(&format!("/c/{token}/done"))))
        }
        Opened::Gone(closed) => Ok(Door::Shut(gone::page(closed.why, &token, lang, contact)?)),
        Opened::Here(visit) => {
            let Some(visitor) = recognise(web, request, &visit.link) else {
                return Ok(Door::Shut(respond::see_other(&format!("/c/{token}"))));
            };
            let mut guest = Guest::new(web, token, *visit, visitor, lang, contact);
            guest.units = units(request);
            Ok(Door::Open(Box::new(guest)))
        }
    }
}

fn units(request: &HttpRequest) -> BTreeMap<String, String> {
    let Ok(cookies) = request.cookies() else { return BTreeMap::new() };
    let unit = |cookie: &Cookie<'_>| {
        Some((cookie.name().strip_prefix(UNIT_COOKIE)?.to_owned(), cookie.value().to_owned()))
    };
    cookies.iter().filter_map(unit).collect()
}

/// Who shows the cookie of this link.
pub fn recognise(web: &Web, request: &HttpRequest, link: &LinkRow) -> Option<Visitor> {
    request.cookie(COOKIE).and_then(|cookie| web.app.recognise(link, cookie.value()))
}

/// Lets the visitor in, or stay for another while.
pub fn admit(
    web: &Web,
    mut response: HttpResponse,
    token: &str,
    link: &LinkRow,
    visitor: Visitor,
) -> HttpResponse {
    let cookie = Cookie::build(COOKIE, web.app.admit(link, visitor))
        .path(format!("/c/{token}"))
        .max_age(Duration::minutes(SESSION_MINUTES))
        .same_site(SameSite::Strict)
        .http_only(true)
        .secure(web.settings.behind_tls_proxy)
        .finish();
    // Only a cookie that cannot be written is refused, and this one has plain letters.
    let _ = response.add_cookie(&cookie);
    response
}

impl Guest {
    /// A visitor who is in.
    pub fn new(
        web: &Web,
        token: String,
        visit: Visit,
        visitor: Visitor,
        lang: Lang,
        contact: Contact,
    ) -> Self {
        let csrf = web.app.form_token(&visit.link);
        Self { token, visit, visitor, lang, contact, csrf, units: BTreeMap::new() }
    }

    /// Refuses a form that was made elsewhere.
    ///
    /// # Errors
    /// [`WebError::Stale`].
    pub fn check(&self, web: &Web, csrf: &str) -> Result<(), WebError> {
        if web.app.is_form_token(&self.visit.link, csrf) { Ok(()) } else { Err(WebError::Stale) }
    }

    /// The frame of a page of this form.
    pub fn page(&self, rest: &str) -> Page {
        Page::at(self.lang, &format!("/c/{}{rest}", self.token))
    }

    /// Words of the pages.
    pub fn words(&self) -> words::Patient {
        words::Patient(self.lang)
    }

    /// Languages in which texts are looked for.
    pub fn languages(&self) -> [&str; 2] {
        [self.lang.code(), &self.visit.state.language]
    }

    /// The address of what comes next: the first open question, else the answers once more.
    pub fn next(&self) -> String {
        match self.visit.form.open_question() {
            Some(question) => format!("/c/{}/q/{}/{}", self.token, question.part, question.item.id),
            None => format!("/c/{}/check", self.token),
        }
    }

    /// Answers with the guest's time extended.
    pub fn stay(&self, web: &Web, response: HttpResponse) -> HttpResponse {
        admit(web, response, &self.token, &self.visit.link, self.visitor)
    }
}

fn is_token(token: &str) -> bool {
    token.len() == TOKEN_LETTERS && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
