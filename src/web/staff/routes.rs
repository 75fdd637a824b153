//! The addresses of staff's pages, with who may use them. The extractor of a session looks its roles up here.

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};

use super::{
    act, answer, became, enrol, health, import, messages, monitor, patient, risk, sign_in, task, versions,
    why, workflows, worklist,
};
use crate::web::routes::{Route, Who};

/// Who works on tasks and patients.
const WARD: Who = Who::Staff(&["clerk", "nurse", "clinician"]);
/// Who sees what is clinical.
const CLINICAL: Who = Who::Staff(&["nurse", "clinician"]);
/// Who looks at what a new version changes, and who moves patients to it; only an author moves everybody.
const VERSIONS: Who = Who::Staff(&["nurse", "clinician", "author"]);
const MOVERS: Who = Who::Staff(&["clinician", "author"]);
const AUTHOR: Who = Who::Staff(&["author"]);
const CLINICIAN: Who = Who::Staff(&["clinician"]);
const WATCH: Who = Who::Staff(&["nurse", "clinician", "admin"]);
const EVERYONE: Who = Who::Staff(&["clerk", "nurse", "clinician", "author", "admin"]);

/// The table.
pub const ROUTES: &[Route] = &[
    Route::new(Method::GET, "/", EVERYONE),
    Route::new(Method::GET, "/sign-in", Who::Anyone),
    Route::new(Method::POST, "/sign-in", Who::Anyone),
    Route::new(Method::POST, "/sign-out", EVERYONE),
    Route::new(Method::GET, "/worklist", WARD),
    Route::new(Method::POST, "/worklist/search", WARD),
    Route::new(Method::POST, "/worklist/take", WARD),
    Route::new(Method::GET, "/tasks/{id}", WARD),
    Route::new(Method::POST, "/tasks/{id}/outcome", WARD),
    Route::new(Method::POST, "/tasks/{id}/note", WARD),
    Route::new(Method::GET, "/answers/{enrollment}/{step}/{generation}/{ordinal}", CLINICAL),
    Route::new(Method::POST, "/answers/{enrollment}/{step}/{generation}/{ordinal}", CLINICAL),
    Route::new(Method::GET, "/patients/{id}", WARD),
    Route::new(Method::POST, "/patients/{id}/take-back", CLINICAL),
    Route::new(Method::GET, "/patients/{id}/why/{seq}", CLINICAL),
    Route::new(Method::GET, "/patients/{id}/{act}", WARD),
    Route::new(Method::POST, "/patients/{id}/{act}", WARD),
    Route::new(Method::GET, "/enrol", WARD),
    Route::new(Method::POST, "/enrol", WARD),
    Route::new(Method::GET, "/import", WARD),
    Route::new(Method::POST, "/import", WARD),
    Route::new(Method::GET, "/import/{id}", WARD),
    Route::new(Method::GET, "/import/{id}/report", WARD),
    Route::new(Method::GET, "/risk", CLINICAL),
    Route::new(Method::GET, "/risk/model", CLINICAL),
    Route::new(Method::POST, "/risk/switch", CLINICIAN),
    Route::new(Method::GET, "/risk/monitor", CLINICAL),
    Route::new(Method::POST, "/risk/monitor", CLINICIAN),
    Route::new(Method::GET, "/risk/outcome/{patient}/{enrollment}", CLINICAL),
    Route::new(Method::POST, "/risk/outcome/{patient}/{enrollment}", CLINICAL),
    Route::new(Method::GET, "/messages", WARD),
    Route::new(Method::GET, "/messages/{id}", WARD),
    Route::new(Method::POST, "/messages/{id}", WARD),
    Route::new(Method::GET, "/workflows", EVERYONE),
    Route::new(Method::GET, "/workflows/check", EVERYONE),
    Route::new(Method::GET, "/workflows/{id}", EVERYONE),
    Route::new(Method::POST, "/workflows/{id}/publish", AUTHOR),
    Route::new(Method::GET, "/workflows/{id}/versions", VERSIONS),
    Route::new(Method::POST, "/workflows/{id}/versions", MOVERS),
    Route::new(Method::GET, "/health", WATCH),
];

/// Puts the handlers behind the addresses.
pub fn register(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(sign_in::home))
        .route("/sign-in", web::get().to(sign_in::show))
        .route("/sign-in", web::post().to(sign_in::submit))
        .route("/sign-out", web::post().to(sign_in::sign_out))
        .route("/worklist", web::get().to(worklist::show))
        .route("/worklist/search", web::post().to(worklist::search))
        .route("/worklist/take", web::post().to(worklist::take))
        .route("/tasks/{id}", web::get().to(task::show))
        .route("/tasks/{id}/outcome", web::post().to(task::outcome))
        .route("/tasks/{id}/note", web::post().to(task::note))
        .route("/answers/{enrollment}/{step}/{generation}/{ordinal}", web::get().to(answer::show))
        .route("/answers/{enrollment}/{step}/{generation}/{ordinal}", web::post().to(answer::submit))
        .route("/patients/{id}", web::get().to(patient::show))
        .route("/patients/{id}/take-back", web::post().to(patient::take_back))
        .route("/patients/{id}/why/{seq}", web::get().to(why::show))
        .route("/patients/{id}/{act}", web::get().to(act::show))
        .route("/patients/{id}/{act}", web::post().to(act::submit))
        .route("/enrol", web::get().to(enrol::show))
        .route("/enrol", web::post().to(enrol::submit))
        .route("/import", web::get().to(import::show))
        .route("/import", web::post().to(import::submit))
        .route("/import/{id}", web::get().to(import::one))
        .route("/import/{id}/report", web::get().to(import::report))
        .route("/risk", web::get().to(risk::show))
        .route("/risk/model", web::get().to(risk::card))
        .route("/risk/switch", web::post().to(risk::switch_model))
        .route("/risk/monitor", web::get().to(monitor::show))
        .route("/risk/monitor", web::post().to(monitor::submit))
        .route("/risk/outcome/{patient}/{enrollment}", web::get().to(became::show))
        .route("/risk/outcome/{patient}/{enrollment}", web::post().to(became::submit))
        .route("/messages", web::get().to(messages::show))
        .route("/messages/{id}", web::get().to(messages::one))
        .route("/messages/{id}", web::post().to(messages::decide))
        .route("/workflows", web::get().to(workflows::list))
        .route("/workflows/check", web::get().to(workflows::check))
        .route("/workflows/{id}", web::get().to(workflows::one))
        .route("/workflows/{id}/publish", web::post().to(workflows::publish))
        .route("/workflows/{id}/versions", web::get().to(versions::show))
        .route("/workflows/{id}/versions", web::post().to(versions::submit))
        .route("/health", web::get().to(health::show));
}
