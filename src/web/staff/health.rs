//! How the system does, for those who run it. No names of patients.

use actix_web::{HttpResponse, web::Data};
use askama::Template;

use super::{Frame, Signed, vocabulary as v};
use crate::{
    app::{
        App,
        long_job::{LongKind, LongState},
    },
    store::read::worklist::QueueCount,
    web::{Page, WebError, respond::page, words::Health},
};

/// A sweep that is older than this did not go by.
const SWEEP_LATE: jiff::SignedDuration = jiff::SignedDuration::from_mins(2);
/// Lost patients that are counted at most: one is one too many.
const LOST_MAX: i64 = 100;

#[derive(Debug, Template)]
#[template(path = "staff/health/page.html")]
struct HealthPage {
    page: Page,
    frame: Frame,
    h: Health,
    fine: bool,
    swept: bool,
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
    let zone = app.zone(site);
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
    let sweep = app.last_sweep().await?;
    let swept = sweep.is_some_and(|at| app.wall.now().duration_since(at) < SWEEP_LATE);
    let since =
        |at: Option<jiff::Timestamp>| at.map_or_else(|| w.none().to_owned(), |at| v::instant(&zone, at));
    lines.push((h.last_sweep().to_owned(), since(sweep)));
    let nights = app.store.long_jobs(site, LongKind::Scoring, 20).await?;
    let scored = nights.iter().find(|job| job.state == LongState::Done).and_then(|job| job.finished_at);
    lines.push((h.last_scoring().to_owned(), since(scored)));
    let imports = app.store.long_jobs(site, LongKind::Import, 20).await?;
    let given_up = imports.iter().chain(&nights).filter(|job| job.state == LongState::GivenUp).count();
    lines.push((h.given_up().to_owned(), given_up.to_string()));
    lines.extend(health.lanes.iter().map(|lane| {
        let state = h.lane_state(lane.ready, lane.in_flight, lane.uncertain);
        (h.lane(v::channel(w, lane.channel)), state)
    }));
    page(&HealthPage {
        fine: lost == 0 && same && swept && health.quarantined == 0,
        swept,
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
