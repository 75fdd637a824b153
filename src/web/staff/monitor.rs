//! How the model in use does at this site: the control chart, drift, parts of the patients, the challenger, and what a
//! clinician can do about it.

use actix_web::{HttpResponse, web::Data};
use askama::Template;

use super::{
    Frame, Signed, StaffForm, Typed, control,
    switches::{self, Switch},
    vocabulary as v,
};
use crate::{
    app::{
        App,
        score::{
            self, LIMIT, LifeError, Signal,
            watch::{Ratio, Watch},
        },
    },
    store::read::staff::AccountRole,
    web::{
        Lang, Page, WebError,
        respond::{invalid, page, see_other},
        words::{Monitor, Risk},
    },
};

/// Inputs that are listed, those that moved most first.
const DRIFT_SHOWN: usize = 12;

/// A month as shown.
#[derive(Debug)]
struct Month {
    name: String,
    scored: usize,
    known: usize,
    seen: String,
    expected: String,
    errors: String,
    verdict: &'static str,
    alarm: bool,
}

#[derive(Debug, Template)]
#[template(path = "staff/risk/monitor.html")]
struct MonitorPage {
    page: Page,
    frame: Frame,
    m: Monitor,
    in_use: String,
    /// Who moved the model in use, if it was.
    moved: Option<String>,
    notice: (&'static str, &'static str),
    looked_at: String,
    chart: String,
    months: Vec<Month>,
    drift: Vec<[String; 4]>,
    parts: Vec<[String; 4]>,
    challenger: Option<String>,
    sides: Vec<[String; 4]>,
    compared: String,
    may_move: bool,
    switches: Vec<Switch>,
    r: Risk,
    queue: &'static str,
    typed: Typed,
}

/// `GET /risk/monitor`
///
/// # Errors
/// [`WebError`].
pub async fn show(app: Data<App>, signed: Signed) -> Result<HttpResponse, WebError> {
    page(&build(&app, &signed, Typed::default()).await?)
}

/// `POST /risk/monitor`: a clinician recalibrates, tries the model that looks back, lets the challenger take over, gives
/// it up, or goes back.
///
/// # Errors
/// [`WebError`].
pub async fn submit(app: Data<App>, signed: Signed, form: StaffForm) -> Result<HttpResponse, WebError> {
    let (w, m) = (crate::web::words::Staff(signed.lang), Monitor(signed.lang));
    let (site, by) = (signed.staff.site, signed.staff.id);
    let mut typed = form.typed();
    let done = match form.get("do") {
        "recalibrate" => match typed.date(w, "since") {
            Some(since) => app.recalibrate(site, since, by).await.map(|_| ()),
            None => return invalid(&build(&app, &signed, typed).await?),
        },
        "history" => app.try_with_history(site, by).await,
        "adopt" => app.adopt_challenger(site, by).await,
        "discard" => app.drop_challenger(site, by).await,
        "shipped" => app.use_shipped(site, by).await,
        _ => return Err(WebError::BadForm),
    };
    match done {
        Ok(()) => return Ok(see_other("/risk/monitor")),
        Err(LifeError::Store(error)) => return Err(WebError::internal(error)),
        Err(LifeError::NoChallenger) => typed.wrong("since", m.no_challenger()),
        Err(LifeError::Evaluate(_) | LifeError::NoModel) => typed.wrong("since", m.not_moved()),
    }
    invalid(&build(&app, &signed, typed).await?)
}

async fn build(app: &App, signed: &Signed, mut typed: Typed) -> Result<MonitorPage, WebError> {
    let (page, frame) = signed.page("/risk/monitor", "/risk");
    let m = Monitor(signed.lang);
    let site = signed.staff.site;
    let zone = app.zone(site);
    let models = app.site_models(site).await?;
    // The models in use may be newer than the last look.
    let look = match app.last_look(site).await?.filter(|look| look.watch.is_of(&models)) {
        Some(look) => look,
        None => app.look_at_model(site).await?,
    };
    let watch = look.watch;
    let locals = app.store.model_locals(site, score::MODEL).await?;
    let moved = locals.iter().find(|local| local.state == "champion" && local.model_version == watch.version);
    let challenger = models.challenger_version();
    if typed.value("since").is_empty() {
        let first = watch.signalled().or_else(|| watch.months.first().map(|month| month.first));
        typed.set("since", first.map_or_else(String::new, |day| day.to_string()));
    }
    let counted: Vec<_> = watch.months.iter().filter_map(|month| Some((month.first, month.z?))).collect();
    let own = |label: &(String, String)| match signed.lang {
        Lang::En => label.0.clone(),
        Lang::Zh => label.1.clone(),
    };
    let share = |share: f64| format!("{:.1}%", 100.0 * share);
    Ok(MonitorPage {
        switches: switches::of(app, signed, models.champion_version()).await?,
        r: Risk(signed.lang),
        in_use: m.in_use(score::MODEL, &watch.version),
        moved: moved.map(|local| m.moved_by(&local.by, v::instant(&zone, local.at))),
        notice: notice(m, &watch),
        looked_at: m.looked_at(v::instant(&zone, look.at)),
        chart: control::svg(m.chart(), &counted, LIMIT),
        months: watch.months.iter().rev().map(|month| shown(m, month)).collect(),
        drift: watch
            .drift
            .iter()
            .take(DRIFT_SHOWN)
            .map(|d| [own(&d.label), format!("{:.3}", d.index), share(d.missing), share(d.missing_then)])
            .collect(),
        parts: watch
            .parts
            .iter()
            .map(|p| [own(&p.label), p.rows.to_string(), format!("{:.0}", p.observed), ratio(p.ratio)])
            .collect(),
        challenger: (!challenger.is_empty()).then(|| m.challenger_is(challenger)),
        sides: watch
            .sides
            .iter()
            .filter(|_| watch.compared > 0)
            .map(|s| [s.version.clone(), figure(s.auroc), figure(s.brier), ratio(s.ratio)])
            .collect(),
        compared: m.compared(watch.compared),
        may_move: signed.has_any(&[AccountRole::Clinician]),
        queue: Risk(signed.lang).title(),
        typed,
        m,
        page,
        frame,
    })
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

fn ratio(ratio: Option<Ratio>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |(value, low, high)| format!("{value:.2} ({low:.2}–{high:.2})"))
}

/// What the last month that counts says, and in which tone.
fn notice(m: Monitor, watch: &Watch) -> (&'static str, &'static str) {
    match watch.signal() {
        Signal::StepBack => ("red", m.alarm_back()),
        Signal::Look => ("amber", m.alarm_look()),
        Signal::Quiet if watch.counts() => ("green", m.quiet_now()),
        Signal::Quiet => ("amber", m.nothing_yet()),
    }
}

fn shown(m: Monitor, month: &score::watch::Month) -> Month {
    let verdict = match month.signal {
        Some(Signal::Quiet) => m.quiet(),
        Some(Signal::Look) => m.look(),
        Some(Signal::StepBack) => m.step_back(),
        None => m.waits(),
    };
    Month {
        name: month.first.strftime("%Y-%m").to_string(),
        scored: month.scored,
        known: month.known,
        seen: format!("{:.0}", month.observed),
        expected: format!("{:.1}", month.expected),
        errors: month.z.map_or_else(|| "–".to_owned(), |z| format!("{z:+.2}")),
        verdict,
        alarm: matches!(month.signal, Some(Signal::Look | Signal::StepBack)),
    }
}
