//! Signing in and out.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Form, Query},
};
use askama::Template;
use serde::Deserialize;

use super::{StaffForm, session};
use crate::{
    app::{App, sign_in::SignIn},
    store::read::staff::AccountRole,
    web::{
        Lang, Page, Web, WebError,
        respond::{page, page_with, see_other},
        words::Staff,
    },
};

#[derive(Debug, Template)]
#[template(path = "staff/sign_in/page.html")]
struct SignInPage {
    page: Page,
    w: Staff,
    login: String,
    error: Option<String>,
    notice: Option<&'static str>,
}

impl SignInPage {
    fn new(lang: Lang) -> Self {
        Self {
            page: Page::at(lang, "/sign-in"),
            w: Staff(lang),
            login: String::new(),
            error: None,
            notice: None,
        }
    }
}

/// Why the page is shown.
#[derive(Debug, Deserialize)]
pub struct Why {
    why: Option<String>,
}

/// The form.
#[derive(Debug, Deserialize)]
pub struct Credentials {
    login: String,
    password: String,
}

/// `GET /sign-in`
///
/// # Errors
/// [`WebError`].
pub async fn show(request: HttpRequest, why: Query<Why>) -> Result<HttpResponse, WebError> {
    let mut shown = SignInPage::new(Lang::of(&request));
    shown.notice = match why.why.as_deref() {
        Some("idle") => Some(shown.w.sign_in_idle()),
        Some("out") => Some(shown.w.signed_out()),
        _ => None,
    };
    page(&shown)
}

/// `POST /sign-in`. There is no session yet, so no token: browsers that post for another site are refused by their headers,
/// and signing somebody in under a stranger's name gains nothing that the stranger does not see.
///
/// # Errors
/// [`WebError`].
pub async fn submit(
    request: HttpRequest,
    app: Data<App>,
    web: Data<Web>,
    form: Form<Credentials>,
) -> Result<HttpResponse, WebError> {
    let mut shown = SignInPage::new(Lang::of(&request));
    let address = address(&request, web.settings.behind_tls_proxy);
    let outcome = app.sign_in(&form.login, &form.password, &address).await.map_err(WebError::internal)?;
    let (status, error) = match outcome {
        SignIn::Welcome { token, staff } => {
            let mut answer = see_other(first_page(&staff.account_roles));
            answer
                .add_cookie(&session::cookie(&token, web.settings.behind_tls_proxy))
                .map_err(WebError::internal)?;
            return Ok(answer);
        }
        SignIn::Wrong => (HttpResponse::UnprocessableEntity(), shown.w.sign_in_wrong().to_owned()),
        SignIn::Limited { minutes } => (HttpResponse::TooManyRequests(), shown.w.sign_in_limited(minutes)),
    };
    shown.login = form.login.chars().take(80).collect();
    shown.error = Some(error);
    page_with(status, &shown)
}

/// `POST /sign-out`
///
/// # Errors
/// [`WebError`].
pub async fn sign_out(
    request: HttpRequest,
    app: Data<App>,
    web: Data<Web>,
    _form: StaffForm,
) -> Result<HttpResponse, WebError> {
    if let Some(cookie) = request.cookie(session::COOKIE) {
        app.sign_out(cookie.value()).await.map_err(WebError::internal)?;
    }
    let mut answer = see_other("/sign-in?why=out");
    answer.add_cookie(&session::no_cookie(web.settings.behind_tls_proxy)).map_err(WebError::internal)?;
    Ok(answer)
}

/// `GET /`: the first page of this account.
///
/// # Errors
/// [`WebError`].
pub async fn home(signed: super::Signed) -> Result<HttpResponse, WebError> {
    Ok(see_other(first_page(&signed.staff.account_roles)))
}

fn first_page(roles: &[AccountRole]) -> &'static str {
    if roles.iter().any(|role| super::WARD.contains(role)) { "/worklist" } else { "/workflows" }
}

/// Where a request comes from, for the limit on tries. A forwarded address is believed only behind our own proxy.
fn address(request: &HttpRequest, behind_proxy: bool) -> String {
    let info = request.connection_info();
    let forwarded = if behind_proxy { info.realip_remote_addr() } else { info.peer_addr() };
    forwarded.unwrap_or("unknown").chars().take(80).collect()
}
