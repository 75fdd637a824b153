//! Every route of the product, in one table that tests walk through.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse,
    http::Method,
    web::{self, Data, ServiceConfig},
};

use super::{Web, assets, demo, gateway, patient, staff};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody.
    Anyone,
    /// Who holds a link, after the birth date where the page shows anything.
    Patient,
    /// Staff who signed in, with one of these account roles.
    Staff(&'static [&'static str]),
    /// A carrier that knows the shared secret.
    Carrier,
}

/// A route as documented and tested.
#[derive(Debug, Clone)]
pub struct Route {
    /// Method.
    pub method: Method,
    /// Pattern.
    pub pattern: &'static str,
    /// Who may.
    pub who: Who,
}

impl Route {
    /// A line of the table.
    #[must_use]
    pub const fn new(method: Method, pattern: &'static str, who: Who) -> Self {
        Self { method, pattern, who }
    }
}

const BASE: [Route; 3] = [
    Route::new(Method::GET, "/healthz", Who::Anyone),
    Route::new(Method::GET, "/readyz", Who::Anyone),
    Route::new(Method::GET, "/static/{file}", Who::Anyone),
];

/// Not found unless the process is a demo.
const DEMO: [Route; 3] = [
    Route::new(Method::GET, "/demo", Who::Anyone),
    Route::new(Method::POST, "/demo/clock", Who::Anyone),
    Route::new(Method::POST, "/demo/reply", Who::Anyone),
];

/// What the SMS gateway calls, by GET.
const GATEWAY: [Route; 2] = [
    Route::new(Method::GET, "/gateway/{secret}/receipt", Who::Carrier),
    Route::new(Method::GET, "/gateway/{secret}/inbound", Who::Carrier),
];

/// All routes.
#[must_use]
pub fn all() -> Vec<Route> {
    [BASE.as_slice(), DEMO.as_slice(), GATEWAY.as_slice(), patient::ROUTES.as_slice(), staff::routes::ROUTES]
        .concat()
}

/// Who may use the route of that pattern; `None` when it is not in the table, and then nobody may.
#[must_use]
pub fn who(method: &Method, pattern: &str) -> Option<Who> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    static ALL: LazyLock<Vec<Route>> = LazyLock::new(all);
    ALL.iter().find(|route| route.method == *method && route.pattern == pattern).map(|route| route.who)
}

/// Puts the handlers behind the routes.
pub fn register(config: &mut ServiceConfig) {
    config
        .route("/healthz", web::get().to(healthz))
        .route("/readyz", web::get().to(readyz))
        .route("/static/{file}", web::get().to(assets::get))
        .route("/demo", web::get().to(demo::mailbox))
        .route("/demo/clock", web::post().to(demo::move_clock))
        .route("/demo/reply", web::post().to(demo::reply))
        .route("/gateway/{secret}/receipt", web::get().to(gateway::receipt))
        .route("/gateway/{secret}/inbound", web::get().to(gateway::inbound))
        .configure(patient::register)
        .configure(staff::routes::register);
}

/// The process answers.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// The process can do its work: the database answers.
async fn readyz(web: Data<Web>) -> HttpResponse {
    match web.probe.ready().await {
        Ok(()) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"),
        Err(why) => {
            tracing::warn!(why, "not ready: {why}");
            HttpResponse::ServiceUnavailable().content_type("text/plain; charset=utf-8").body("not ready\n")
        }
    }
}
