//! Who is signed in, and what that account may do. The routes' table says which roles a route asks for; it is looked up
//! here, in one place, so that a handler cannot forget it.

use actix_web::{
    FromRequest, HttpRequest,
    cookie::{Cookie, SameSite},
    dev::Payload,
    web::Data,
};
use tend_engine::{fact::Author, model::Role};

use crate::{
    app::App,
    store::read::staff::{AccountRole, StaffMember},
    web::{
        Lang, WebError,
        routes::{self, Who},
    },
};

/// The cookie of a session.
pub const COOKIE: &str = "session";

/// A member of staff with a live session and a role that the route asks for.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Who.
    pub staff: StaffMember,
    /// The language of pages.
    pub lang: Lang,
    /// The session's secret, for the forms' token.
    pub secret: String,
}

impl Signed {
    /// Whether the account has one of these roles.
    #[must_use]
    pub fn has_any(&self, roles: &[AccountRole]) -> bool {
        self.staff.account_roles.iter().any(|role| roles.contains(role))
    }

    /// Refuses an account without one of these roles.
    ///
    /// # Errors
    /// [`WebError::Forbidden`].
    pub fn needs(&self, roles: &[AccountRole]) -> Result<(), WebError> {
        if self.has_any(roles) { Ok(()) } else { Err(WebError::Forbidden) }
    }

    /// Whether this person owns tasks of that role.
    #[must_use]
    pub fn on_duty_as(&self, role: Role) -> bool {
        self.staff.duty_roles.contains(&role)
    }

    /// In histories and the audit log.
    #[must_use]
    pub fn author(&self) -> Author {
        Author::Staff(self.staff.id)
    }
}

impl FromRequest for Signed {
    type Error = WebError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, WebError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { signed(&request).await })
    }
}

async fn signed(request: &HttpRequest) -> Result<Signed, WebError> {
    let app =
        request.app_data::<Data<App>>().ok_or_else(|| WebError::internal("the application is not wired"))?;
    let sign_in = || WebError::SeeOther("/sign-in".to_owned());
    let cookie = request.cookie(COOKIE).filter(|cookie| !cookie.value().is_empty());
    let secret = cookie.ok_or_else(sign_in)?.value().to_owned();
    let idle = || WebError::SeeOther("/sign-in?why=idle".to_owned());
    let staff = app.session(&secret).await.map_err(WebError::internal)?.ok_or_else(idle)?;
    let signed = Signed { staff, lang: Lang::of(request), secret };
    allowed(request, &signed)?;
    Ok(signed)
}

/// The table's roles of the route at hand.
fn allowed(request: &HttpRequest, signed: &Signed) -> Result<(), WebError> {
    let pattern = request.match_pattern().unwrap_or_default();
    let who = routes::who(request.method(), &pattern);
    match who {
        Some(Who::Staff(roles)) => {
            let has = signed.staff.account_roles.iter().any(|role| roles.contains(&role.word()));
            if has { Ok(()) } else { Err(WebError::Forbidden) }
        }
        Some(Who::Anyone | Who::Patient | Who::Carrier) | None => Err(WebError::Forbidden),
    }
}

/// The cookie of a new session.
#[must_use]
pub fn cookie(token: &str, secure: bool) -> Cookie<'static> {
    Cookie::build(COOKIE, token.to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .finish()
}

/// Removes the cookie.
#[must_use]
pub fn no_cookie(secure: bool) -> Cookie<'static> {
    let mut cookie = cookie("", secure);
    cookie.make_removal();
    cookie
}
