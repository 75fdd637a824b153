//! A new version of a workflow, before anybody is moved: who changes, what each gets and no longer gets, and the choices.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tend_engine::{
    EnrollmentId, Name, PatientId, VersionHash, compare::Line, migration::Ambiguous, model::Workflow,
};

use super::{Frame, Signed, StaffForm, WARD, vocabulary as v};
use crate::{
    app::{
        App,
        long_job::{LongJob, LongKind, LongState},
        population::{Ahead, Chosen, Followup, Place, Population, Tally},
        publish::PublishError,
        version_move::{How, MoveAll, MoveError},
    },
    store::read::staff::AccountRole,
    web::{
        Lang, Page, WebError,
        respond::{invalid, page, see_other},
        words::{Versions, Workflows},
    },
};

/// Patients on one page.
const SHOWN: usize = 50;
/// Follow-ups that the figures of the first page are of: a quarter of a second's work.
const LOOKED_MAX: usize = 1_000;
/// Lines of one patient.
const LINES_SHOWN: usize = 4;
/// Moves that are shown.
const JOBS_SHOWN: i64 = 5;
/// Most patients an hour that can be asked for.
const PER_HOUR_MAX: u32 = 100_000;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    done: Option<String>,
    /// Where the page before ended: version, patient, enrollment.
    after: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "staff/versions/page.html")]
struct VersionsPage {
    page: Page,
    frame: Frame,
    f: Versions,
    id: Name,
    title: String,
    version: String,
    short: String,
    published: bool,
    author: bool,
    may_move: bool,
    open: Vec<(String, Vec<String>)>,
    /// Counts of everybody.
    counts: Vec<(&'static str, usize)>,
    /// Of whom it was looked at what a move changes, and what was found.
    looked: String,
    found: Vec<(&'static str, usize)>,
    jobs: Vec<String>,
    followups: Vec<Shown>,
    moved: Vec<Moved>,
    /// How many more were moved.
    moved_more: usize,
    next: Option<String>,
    pace: String,
    done: bool,
    error: Option<String>,
}

/// A follow-up as the page shows it.
#[derive(Debug)]
struct Shown {
    name: String,
    href: Option<String>,
    patient: PatientId,
    enrollment: EnrollmentId,
    remarks: Vec<String>,
    lists: Vec<(String, Vec<String>)>,
    movable: bool,
    waits: bool,
}

/// A follow-up that a move brought to the version.
#[derive(Debug)]
struct Moved {
    name: String,
    patient: PatientId,
    enrollment: EnrollmentId,
}

/// `GET /workflows/{id}/versions`
///
/// # Errors
/// [`WebError`].
pub async fn show(
    app: Data<App>,
    signed: Signed,
    id: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, WebError> {
    let name = super::form::name(&id)?;
    let after = asked.after.as_deref().map(place).transpose()?;
    let mut shown = build(&app, &signed, &name, after).await?;
    shown.done = asked.done.is_some();
    page(&shown)
}

/// `POST /workflows/{id}/versions`: publishes the version if it is not yet, and does what was chosen.
///
/// # Errors
/// [`WebError::Conflict`] when the version is not the one that the page showed.
pub async fn submit(
    app: Data<App>,
    signed: Signed,
    id: Path<String>,
    form: StaffForm,
) -> Result<HttpResponse, WebError> {
    let name = super::form::name(&id)?;
    let target = Target::of(&app, &signed, &name).await?;
    let to = target.workflow.version();
    if to.0 != form.get("version") {
        return Err(WebError::Conflict);
    }
    let how = match form.get("how") {
        "stay" => How::Stay,
        "now" => How::Now,
        "quiet" => How::WhenQuiet,
        "back" => How::Back,
        _ => return Err(WebError::NotFound),
    };
    let again = |error: String| async {
        let mut shown = build(&app, &signed, &name, None).await?;
        form.get("per_hour").clone_into(&mut shown.pace);
        shown.error = Some(error);
        invalid(&shown)
    };
    let f = Versions(signed.lang);
    let per_hour = match form.get("per_hour") {
        "" => None,
        text => match text.parse::<u32>().ok().filter(|pace| (1..=PER_HOUR_MAX).contains(pace)) {
            Some(pace) => Some(pace),
            None => return again(f.bad_pace().to_owned()).await,
        },
    };
    if !target.published {
        if !signed.has_any(&[AccountRole::Author]) {
            return Err(WebError::NotFound);
        }
        let published = app.publish(signed.staff.site, &target.workflow, Some(signed.staff.id)).await;
        match published {
            Ok(_) => {}
            Err(PublishError::NobodyThere(roles)) => {
                let w = crate::web::words::Staff(signed.lang);
                let roles: Vec<&str> = roles.into_iter().map(|role| v::role(w, role)).collect();
                return again(Workflows(signed.lang).refused_roles(roles.join(", "))).await;
            }
            Err(PublishError::Store(error)) => return Err(error.into()),
        }
    }
    let done = format!("/workflows/{name}/versions?done=yes");
    if form.get("patient").is_empty() {
        if !signed.has_any(&[AccountRole::Author]) {
            return Err(WebError::NotFound);
        }
        if how != How::Stay {
            let all = MoveAll { workflow: name.clone(), to, how, per_hour };
            app.move_everybody(signed.staff.site, &all, Some(signed.staff.id)).await?;
        }
        return Ok(see_other(&done));
    }
    let patient = PatientId::parse(form.get("patient")).map_err(|_| WebError::NotFound)?;
    let enrollment = EnrollmentId::parse(form.get("enrollment")).map_err(|_| WebError::NotFound)?;
    let row = app.store.patient(patient).await?.ok_or(WebError::NotFound)?;
    if row.site != signed.staff.site {
        return Err(WebError::NotFound);
    }
    match app.move_followup(patient, enrollment, &to, how, signed.staff.id).await {
        Ok(()) => Ok(see_other(&done)),
        Err(MoveError::Ambiguous(open)) => again(in_words(&open).join(" ")).await,
        Err(MoveError::Nothing) => again(f.nothing_done().to_owned()).await,
        Err(MoveError::Record(error)) => Err(error.into()),
    }
}

/// The version that is looked at: the folder's where it is another one and the reader is an author, else the one in use.
struct Target {
    workflow: Arc<Workflow>,
    published: bool,
}

impl Target {
    async fn of(app: &App, signed: &Signed, name: &Name) -> Result<Self, WebError> {
        let versions = app.store.versions(signed.staff.site).await?;
        let active = versions.iter().find(|row| row.workflow == *name && row.active).map(|row| &row.hash);
        if signed.has_any(&[AccountRole::Author]) {
            let drafts = app.publishable().await;
            let draft = drafts.workflows.into_iter().find(|workflow| workflow.id == *name);
            if let Some(draft) = draft.filter(|draft| Some(&draft.version()) != active) {
                return Ok(Self { workflow: Arc::new(draft), published: false });
            }
        }
        let workflow = active.and_then(|hash| app.version(hash)).ok_or(WebError::NotFound)?;
        Ok(Self { workflow, published: true })
    }
}

fn in_words(open: &[Ambiguous]) -> Vec<String> {
    open.iter().map(ToString::to_string).collect()
}

fn place(text: &str) -> Result<Place, WebError> {
    let mut parts = text.split('.');
    let (Some(version), Some(patient), Some(enrollment), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(WebError::NotFound);
    };
    Ok(Place {
        version: VersionHash(version.to_owned()),
        patient: PatientId::parse(patient).map_err(|_| WebError::NotFound)?,
        enrollment: EnrollmentId::parse(enrollment).map_err(|_| WebError::NotFound)?,
    })
}

async fn build(
    app: &App,
    signed: &Signed,
    name: &Name,
    after: Option<Place>,
) -> Result<VersionsPage, WebError> {
    let target = Target::of(app, signed, name).await?;
    let site = signed.staff.site;
    let population = app.population(site, &target.workflow).await?;
    let most = if after.is_some() { SHOWN } else { LOOKED_MAX };
    let Ahead { mut followups, next } =
        app.look_ahead(site, &target.workflow, &population, after.as_ref(), most).await?;
    let tally: Tally = followups.iter().collect();
    let more = followups.len() > SHOWN;
    followups.truncate(SHOWN);
    let next = followups.last().filter(|_| more).map(Followup::place).or(next);
    let f = Versions(signed.lang);
    let (page_, frame) = signed.page(&format!("/workflows/{name}/versions"), "/workflows");
    let to = target.workflow.version();
    let moved = match population.moved {
        0 => Vec::new(),
        _ => app.store.moved_to(site, name, &to, None, SHOWN).await?,
    };
    let shown = followups.iter().map(|one| one.patient);
    let ids: BTreeSet<PatientId> = shown.chain(moved.iter().map(|(patient, _)| *patient)).collect();
    let ids: Vec<PatientId> = ids.into_iter().collect();
    let ward = signed.has_any(WARD);
    let names: BTreeMap<PatientId, String> = if ward {
        app.store.demographics_of(&ids).await?.into_iter().map(|(id, who)| (id, who.name)).collect()
    } else {
        BTreeMap::new()
    };
    let called = |patient: PatientId| {
        let short = || format!("{} {}", f.patient(), &patient.to_string()[..8]);
        names.get(&patient).cloned().unwrap_or_else(short)
    };
    let zone = app.zone(site);
    let reader = Reader { lang: signed.lang, f, zone: &zone, app, to: &target.workflow };
    let mut jobs = Vec::new();
    for job in app.store.long_jobs(site, LongKind::Moving, JOBS_SHOWN).await? {
        jobs.extend(reader.job(&job, name));
    }
    Ok(VersionsPage {
        title: f.title(v::text(signed.lang, &target.workflow.title)),
        short: to.short().to_owned(),
        version: to.0,
        published: target.published,
        author: signed.has_any(&[AccountRole::Author]),
        may_move: signed.has_any(&[AccountRole::Author, AccountRole::Clinician]),
        open: reader.open(&population),
        counts: reader.counts(&population),
        looked: f.looked(tally.looked, population.elsewhere()),
        found: if tally.looked > 0 { reader.found(&tally) } else { Vec::new() },
        jobs,
        followups: followups.iter().map(|one| reader.followup(one, called(one.patient), ward)).collect(),
        moved_more: population.moved.saturating_sub(moved.len()),
        moved: moved
            .into_iter()
            .map(|(patient, enrollment)| Moved { name: called(patient), patient, enrollment })
            .collect(),
        next: next.map(|last| format!("{}.{}.{}", last.version.0, last.patient, last.enrollment)),
        pace: String::new(),
        done: false,
        error: None,
        id: name.clone(),
        f,
        page: page_,
        frame,
    })
}

/// Reads a population out in words.
struct Reader<'a> {
    lang: Lang,
    f: Versions,
    zone: &'a TimeZone,
    app: &'a App,
    to: &'a Workflow,
}

impl Reader<'_> {
    fn open(&self, population: &Population) -> Vec<(String, Vec<String>)> {
        let versions = population.versions.iter().filter(|on| !on.open.is_empty());
        versions.map(|on| (self.f.from_version(on.version.short(), on.count), in_words(&on.open))).collect()
    }

    fn counts(&self, population: &Population) -> Vec<(&'static str, usize)> {
        let f = self.f;
        vec![
            (f.elsewhere(), population.elsewhere()),
            (f.chosen_stay(), population.stay),
            (f.chosen_wait(), population.wait),
            (f.there(), population.there),
            (f.moved(), population.moved),
        ]
    }

    fn found(&self, tally: &Tally) -> Vec<(&'static str, usize)> {
        let f = self.f;
        vec![
            (f.changing(), tally.changing),
            (f.waiting(), tally.waiting),
            (f.today(), tally.today.0),
            (f.today_moved(), tally.today.1),
            (f.broken(), tally.broken),
        ]
    }

    fn job(&self, job: &LongJob, workflow: &Name) -> Option<String> {
        let all: MoveAll = serde_json::from_str(&job.body).ok()?;
        let f = self.f;
        let what = match all.how {
            How::Stay => f.stay(),
            How::Now => f.now(),
            How::WhenQuiet => f.quiet(),
            How::Back => f.back(),
        };
        let stands = match job.state {
            LongState::Waiting => f.job_waiting(),
            LongState::Done => f.job_done(),
            LongState::GivenUp => f.job_given_up(),
        };
        let line = f.job(v::instant(self.zone, job.asked_at), what, job.done);
        (all.workflow == *workflow).then(|| format!("{line}, {stands} ({})", all.to.short()))
    }

    fn followup(&self, one: &Followup, name: String, ward: bool) -> Shown {
        let f = self.f;
        let mut remarks = vec![f.from_version_short(one.from.short())];
        match one.chosen {
            Some(Chosen::Stays) => remarks.push(f.chosen_stays().to_owned()),
            Some(Chosen::Waits) => remarks.push(f.chosen_waits().to_owned()),
            None => {}
        }
        let mut lists = Vec::new();
        match &one.difference {
            Err(why) => remarks.push(why.clone()),
            Ok(found) => {
                if found.waits {
                    remarks.push(f.waits().to_owned());
                }
                if found.is_empty() {
                    remarks.push(f.same().to_owned());
                }
                let (now, then) = (found.today.0.len(), found.today.1.len());
                if now != then {
                    remarks.push(f.messages(now, then));
                }
                if found.ends.0 != found.ends.1 {
                    let day = |day: Option<jiff::civil::Date>| {
                        day.map_or_else(|| f.for_life().to_owned(), |day| day.to_string())
                    };
                    remarks.push(f.ends(day(found.ends.0), day(found.ends.1)));
                }
                if !found.gets.is_empty() {
                    lists.push((f.gets(found.gets.len()), self.lines(&found.gets, &one.from)));
                }
                if !found.loses.is_empty() {
                    lists.push((f.loses(found.loses.len()), self.lines(&found.loses, &one.from)));
                }
            }
        }
        Shown {
            name,
            href: ward.then(|| format!("/patients/{}", one.patient)),
            patient: one.patient,
            enrollment: one.enrollment,
            remarks,
            lists,
            movable: one.difference.is_ok(),
            waits: one.chosen == Some(Chosen::Waits),
        }
    }

    fn lines(&self, lines: &[Line], from: &VersionHash) -> Vec<String> {
        let old = self.app.version(from);
        let title = |step: &Name| {
            let found = self.to.step(step).or_else(|| old.as_ref().and_then(|old| old.step(step)));
            found.map_or_else(|| step.to_string(), |step| v::text(self.lang, &step.title).to_owned())
        };
        let line = |line: &Line| format!("{} {}", v::instant(self.zone, line.due), title(&line.step));
        let mut said: Vec<String> = lines.iter().take(LINES_SHOWN).map(line).collect();
        if lines.len() > LINES_SHOWN {
            said.push(self.f.more(lines.len() - LINES_SHOWN));
        }
        said
    }
}
