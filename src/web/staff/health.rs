//! How the system does, for those who run it. No names of patients.

use actix_web::{HttpResponse, web::Data};
use askama::Template;

use super::{Frame, Signed, vocabulary as v};
use crate::{
    app::App,
    store::read::worklist::QueueCount,
    web::{Page, WebError, respond::page, words::Health},
};

/// Lost patients that are counted at most: one is one too many.
const LOST_MAX: i64 = 100;

#[derive(Debug, Template)]
#[template(path = "staff/health/page.html")]
struct HealthPage {
    page: Page,
    frame: Frame,
    h: Health,
    fine: bool,
    lost: usize,
    lines: Vec<(String, String)>,
    same: bool,
}

/// `GET /health`
///
/// # Errors
/// [`WebError`].
pub async fn show(app: Data<App>, signed: Signed) -> Result<HttpResponse, WebError> {
    let (page_, frame) = signed.page("/health", "/health");
    let (h, w) = (Health(signed.lang), frame.w);
    let now = app.clock.now();
    let site = signed.staff.site;
    let zone = v::zone(&app.site(site).zone);
    let health = app.store.health(now).await?;
    let lost = app.store.lost_patients(site, LOST_MAX).await?.len();
    let kept = app.store.queue_counts(site).await?;
    let recounted = app.store.recount_queues(site).await?;
    let same = sorted(kept) == sorted(recounted);
    let mut lines = vec![
        (h.clock().to_owned(), v::instant(&zone, now)),
        (h.database().to_owned(), if app.store.is_postgres() { "PostgreSQL" } else { "SQLite" }.to_owned()),
        (h.due_now().to_owned(), health.due.to_string()),
        (
            h.oldest_due().to_owned(),
            health.oldest_due.map_or_else(|| w.none().to_owned(), |at| v::instant(&zone, at)),
        ),
        (h.quarantined().to_owned(), health.quarantined.to_string()),
    ];
    lines.extend(health.lanes.iter().map(|lane| {
        let state = h.lane_state(lane.ready, lane.in_flight, lane.uncertain);
        (h.lane(v::channel(w, lane.channel)), state)
    }));
    page(&HealthPage {
        fine: lost == 0 && same && health.quarantined == 0,
        lost,
        lines,
        same,
        page: page_,
        frame,
        h,
    })
}

/// Counts that are not zero, in a fixed order.
fn sorted(mut counts: Vec<QueueCount>) -> Vec<(tend_engine::model::Role, tend_engine::model::LevelId, u64)> {
    counts.retain(|count| count.n > 0);
    let mut all: Vec<_> = counts.into_iter().map(|count| (count.role, count.level, count.n)).collect();
    all.sort();
    all
}
