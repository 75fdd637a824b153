//! Patients' pages: a link, the date of birth, one question per page, the answers once more, and what happens next.
//!
//! No account, no script. A `GET` changes nothing: programs that preview links open them too. Nothing that a stranger
//! could see before the date of birth tells more than the hospital's name and telephone number.

mod advice;
mod check;
mod done;
mod gone;
mod guard;
mod question;
pub mod say;
mod session;

use actix_web::{
    http::Method,
    middleware::from_fn,
    web::{self, ServiceConfig},
};

use super::{
    headers,
    routes::{Route, Who},
};

pub use advice::{AdvicePage, Alarm};
pub use check::{CheckPage, CheckRow};
pub use done::DonePage;
pub use gone::GonePage;
pub use guard::{BirthForm, GuardPage};
pub use question::{Control, DoubtPage, OptionRow, QuestionPage};

/// The routes of this page.
pub const ROUTES: [Route; 8] = [
    Route::new(Method::GET, "/c/{token}", Who::Patient),
    Route::new(Method::POST, "/c/{token}", Who::Patient),
    Route::new(Method::GET, "/c/{token}/q/{part}/{item}", Who::Patient),
    Route::new(Method::POST, "/c/{token}/q/{part}/{item}", Who::Patient),
    Route::new(Method::GET, "/c/{token}/advice/{part}/{rules}", Who::Patient),
    Route::new(Method::GET, "/c/{token}/check", Who::Patient),
    Route::new(Method::POST, "/c/{token}/check", Who::Patient),
    Route::new(Method::GET, "/c/{token}/done", Who::Patient),
];

/// Puts the handlers behind the routes.
pub fn register(config: &mut ServiceConfig) {
    config.service(
        web::scope("/c/{token}")
            .wrap(from_fn(headers::without_scripts))
            .route("", web::get().to(guard::show))
            .route("", web::post().to(guard::prove))
            .route("/q/{part}/{item}", web::get().to(question::show))
            .route("/q/{part}/{item}", web::post().to(question::keep))
            .route("/advice/{part}/{rules}", web::get().to(advice::show))
            .route("/check", web::get().to(check::show))
            .route("/check", web::post().to(check::submit))
            .route("/done", web::get().to(done::show)),
    );
}
