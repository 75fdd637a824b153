//! Workflows as people read them: steps, rules, levels, facts, and where each comes from.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use askama::Template;
use serde::Deserialize;
use tend_engine::{
    Name,
    model::{
        Action, Counting, Does, Level, Questionnaire, Respond, Rhythm, Rule, Schedule, Segment, Source, Span,
        Step, Strength, Translation, Workflow, schedule::Window,
    },
};

use super::{Frame, Signed, StaffForm, vocabulary as v};
use crate::{
    app::{App, drafts::Drafts, publish::PublishError},
    store::read::staff::AccountRole,
    web::{
        Lang, Page, WebError,
        contact::day_name,
        respond::{invalid, page, see_other},
        words::{Staff, Workflows},
    },
};

/// A workflow of the list.
#[derive(Debug)]
struct Listed {
    /// Its page; none before it was published.
    href: Option<String>,
    title: String,
    id: String,
    versions: Vec<(String, String, bool)>,
    draft: Option<Draft>,
}

/// What the folder has of a workflow.
#[derive(Debug)]
struct Draft {
    /// The whole hash.
    version: String,
    short: String,
    /// It is the one in use.
    same: bool,
}

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    done: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "staff/workflows/page.html")]
struct ListPage {
    page: Page,
    frame: Frame,
    f: Workflows,
    listed: Vec<Listed>,
    done: bool,
    error: Option<String>,
    /// Problems in the folder; only an author sees the folder.
    problems: Option<String>,
    /// Whether the reader sees what a version would change.
    looks: bool,
}

/// A heading with lines and sources.
#[derive(Debug)]
struct Part {
    name: String,
    title: String,
    lines: Vec<String>,
    sources: String,
}

#[derive(Debug, Template)]
#[template(path = "staff/workflows/one.html")]
struct OnePage {
    page: Page,
    frame: Frame,
    f: Workflows,
    title: String,
    status: String,
    version: String,
    trust: Vec<String>,
    instruments: Vec<Part>,
    facts: Vec<(String, String)>,
    steps: Vec<Part>,
    rules: Vec<Part>,
    levels: Vec<Part>,
    sources: Vec<(String, &'static str)>,
}

#[derive(Debug, Template)]
#[template(path = "staff/workflows/check.html")]
struct CheckPage {
    page: Page,
    frame: Frame,
    f: Workflows,
    drafts: Drafts,
}

/// Reads a model out in words.
struct Reader {
    lang: Lang,
    w: Staff,
    f: Workflows,
}

/// `GET /workflows`
///
/// # Errors
/// [`WebError`].
pub async fn list(app: Data<App>, signed: Signed, asked: Query<Asked>) -> Result<HttpResponse, WebError> {
    page(&ListPage { done: asked.done.is_some(), ..build(&app, &signed).await? })
}

/// `POST /workflows/{id}/publish`: puts the folder's version in use, if it is the one that the page showed.
///
/// # Errors
/// [`WebError::Conflict`] when the folder has changed since.
pub async fn publish(
    app: Data<App>,
    signed: Signed,
    id: Path<String>,
    form: StaffForm,
) -> Result<HttpResponse, WebError> {
    let name = super::form::name(&id)?;
    let drafts = app.publishable().await;
    let draft = drafts.workflows.iter().find(|workflow| workflow.id == name).ok_or(WebError::NotFound)?;
    if draft.version().0 != form.get("version") {
        return Err(WebError::Conflict);
    }
    match app.publish(signed.staff.site, draft, Some(signed.staff.id)).await {
        Ok(_) => Ok(see_other("/workflows?done=yes")),
        Err(PublishError::NobodyThere(roles)) => {
            let mut shown = build(&app, &signed).await?;
            let roles: Vec<&str> = roles.into_iter().map(|role| v::role(shown.frame.w, role)).collect();
            shown.error = Some(shown.f.refused_roles(roles.join(", ")));
            invalid(&shown)
        }
        Err(PublishError::Store(error)) => Err(error.into()),
    }
}

async fn build(app: &App, signed: &Signed) -> Result<ListPage, WebError> {
    let (page_, frame) = signed.page("/workflows", "/workflows");
    let f = Workflows(signed.lang);
    let zone = app.zone(signed.staff.site);
    let mut listed: Vec<Listed> = Vec::new();
    for row in app.store.versions(signed.staff.site).await? {
        let published = f.published(v::instant(&zone, row.published_at));
        let line = (row.hash.short().to_owned(), published, row.active);
        if let Some(last) = listed.last_mut().filter(|last| row.workflow == *last.id.as_str()) {
            last.versions.push(line);
            continue;
        }
        let title = app.version(&row.hash).map(|workflow| v::text(signed.lang, &workflow.title).to_owned());
        listed.push(Listed {
            href: Some(format!("/workflows/{}", row.workflow)),
            draft: None,
            title: title.unwrap_or_else(|| row.workflow.to_string()),
            id: row.workflow.to_string(),
            versions: vec![line],
        });
    }
    let mut problems = None;
    if signed.has_any(&[AccountRole::Author]) {
        let drafts = app.publishable().await;
        problems = (drafts.problems > 0).then(|| f.draft_problems(drafts.problems));
        for workflow in drafts.workflows {
            add_draft(signed, &mut listed, &workflow);
        }
    }
    let looks = signed.has_any(&[AccountRole::Nurse, AccountRole::Clinician, AccountRole::Author]);
    Ok(ListPage { page: page_, frame, f, listed, done: false, error: None, problems, looks })
}

fn add_draft(signed: &Signed, listed: &mut Vec<Listed>, workflow: &Workflow) {
    let version = workflow.version();
    let short = version.short().to_owned();
    let of = |one: &Listed| one.id == workflow.id.as_str();
    if let Some(one) = listed.iter_mut().find(|one| of(one)) {
        let same = one.versions.iter().any(|(hash, _, active)| *active && *hash == short);
        one.draft = Some(Draft { version: version.0, short, same });
        return;
    }
    listed.push(Listed {
        href: None,
        title: v::text(signed.lang, &workflow.title).to_owned(),
        id: workflow.id.to_string(),
        versions: Vec::new(),
        draft: Some(Draft { version: version.0, short, same: false }),
    });
}

/// `GET /workflows/check`: what `tend check` says of the files in the folder.
///
/// # Errors
/// [`WebError`].
pub async fn check(app: Data<App>, signed: Signed) -> Result<HttpResponse, WebError> {
    let (page_, frame) = signed.page("/workflows/check", "/workflows");
    // Reading and playing takes a while, and others wait for this thread.
    let looked = app.clone();
    let drafts = actix_web::web::block(move || looked.drafts()).await.unwrap_or_default();
    page(&CheckPage { f: Workflows(signed.lang), drafts, page: page_, frame })
}

/// `GET /workflows/{id}`: the active version.
///
/// # Errors
/// [`WebError`].
pub async fn one(app: Data<App>, signed: Signed, id: Path<String>) -> Result<HttpResponse, WebError> {
    let name = super::form::name(&id)?;
    let versions = app.store.versions(signed.staff.site).await?;
    let active = versions.iter().find(|row| row.workflow == name && row.active).ok_or(WebError::NotFound)?;
    let workflow = app.version(&active.hash).ok_or(WebError::NotFound)?;
    let (page_, frame) = signed.page(&format!("/workflows/{name}"), "/workflows");
    let reader = Reader { lang: signed.lang, w: frame.w, f: Workflows(signed.lang) };
    page(&OnePage {
        f: reader.f,
        title: v::text(signed.lang, &workflow.title).to_owned(),
        status: reader.status(&workflow.status),
        version: active.hash.short().to_owned(),
        trust: reader.trust(&workflow.translations),
        instruments: workflow.questionnaires.values().map(|one| reader.instrument(one)).collect(),
        facts: workflow.facts.iter().map(|fact| reader.fact(fact)).collect(),
        steps: workflow.steps.iter().map(|step| reader.step(&workflow, step)).collect(),
        rules: workflow.rules.iter().map(|rule| reader.rule(&workflow, rule)).collect(),
        levels: workflow.levels.iter().map(|level| reader.level(level)).collect(),
        sources: workflow.sources.iter().map(|source| reader.source(source)).collect(),
        page: page_,
        frame,
    })
}

impl Reader {
    fn status(&self, status: &str) -> String {
        if status == "example, not approved" { self.w.not_approved().to_owned() } else { status.to_owned() }
    }

    fn fact(&self, fact: &tend_engine::model::FactDef) -> (String, String) {
        (v::text(self.lang, &fact.label).to_owned(), fact.id.to_string())
    }

    /// The sources of a step or rule, each with how far it can be relied on.
    fn sources(&self, workflow: &Workflow, names: &[Name]) -> String {
        let of = |name: &Name| match workflow.sources.iter().find(|source| source.id == *name) {
            Some(source) => format!("{name} ({})", self.strength(source.strength)),
            None => name.to_string(),
        };
        names.iter().map(of).collect::<Vec<_>>().join(", ")
    }

    fn strength(&self, strength: Strength) -> &'static str {
        match strength {
            Strength::Read => self.f.strength_read(),
            Strength::Knowledge => self.f.strength_knowledge(),
            Strength::Local => self.f.strength_local(),
        }
    }

    fn source(&self, source: &Source) -> (String, &'static str) {
        (format!("{}: {}", source.id, source.title), self.strength(source.strength))
    }

    fn step(&self, workflow: &Workflow, step: &Step) -> Part {
        let mut lines = self.schedule(workflow, &step.schedule);
        lines.push(self.does(workflow, &step.does));
        lines.extend(step.timing.only_if.as_ref().map(|_| self.f.only_if().to_owned()));
        lines.extend(step.timing.until.as_ref().map(|_| self.f.until().to_owned()));
        Part {
            name: step.id.to_string(),
            title: v::text(self.lang, &step.title).to_owned(),
            lines,
            sources: self.sources(workflow, &step.sources),
        }
    }

    fn does(&self, workflow: &Workflow, does: &Does) -> String {
        match does {
            Does::Ask { questionnaire, .. } => {
                let asked = workflow.questionnaires.get(questionnaire);
                let title = asked.map_or(questionnaire.as_str(), |asked| v::text(self.lang, &asked.title));
                self.f.asks(title)
            }
            Does::Tell { words } => format!("{}: {}", self.f.tells(), v::text(self.lang, words)),
            Does::Task { kind, role, minutes, .. } => {
                self.f.task(v::kind(self.w, *kind), v::role(self.w, *role), minutes)
            }
            Does::Score { model } => self.f.scores(model),
        }
    }

    fn schedule(&self, workflow: &Workflow, schedule: &Schedule) -> Vec<String> {
        match schedule {
            Schedule::Plan { anchor, segments } => self.segments(workflow, anchor, segments),
            Schedule::ByFact { anchor, cases, .. } => cases
                .iter()
                .flat_map(|(options, segments)| {
                    let options: Vec<String> = options.iter().map(|o| self.option(workflow, o)).collect();
                    let lead = self.f.for_fact(options.join(", "));
                    self.segments(workflow, anchor, segments)
                        .into_iter()
                        .map(move |line| format!("{lead}: {line}"))
                })
                .collect(),
            Schedule::Around { step, offset, window } => {
                vec![self.windowed(self.f.around(self.span(*offset), step), window)]
            }
            Schedule::AfterOutcome { step, offset, window, .. } => {
                vec![self.windowed(self.f.after_outcome(self.span(*offset), step), window)]
            }
            Schedule::Started { window, offset: None } => {
                vec![self.windowed(self.f.started().to_owned(), window)]
            }
            Schedule::Started { window, offset: Some(offset) } => {
                vec![self.windowed(self.f.started_after(self.span(*offset)), window)]
            }
            Schedule::Chain { anchor, first, then, window } => {
                let anchor = self.anchor(workflow, anchor);
                let first = self.windowed(self.f.chain_first(self.span(*first), anchor), window);
                let next = then.iter().map(|next| match &next.when {
                    Some(_) => self.f.chain_if(self.span(next.after)),
                    None => self.f.chain_next(self.span(next.after)),
                });
                std::iter::once(first).chain(next).collect()
            }
        }
    }

    /// The words of an option of any choice fact.
    fn option(&self, workflow: &Workflow, id: &Name) -> String {
        let kinds = workflow.facts.iter().map(|fact| &fact.kind);
        let options = kinds.filter_map(|kind| match kind {
            tend_engine::model::FactKind::Choice(options) => Some(options),
            _ => None,
        });
        let found = options.flatten().find(|(option, _)| option == id);
        found.map_or_else(|| id.to_string(), |(_, label)| v::text(self.lang, label).to_owned())
    }

    fn segments(&self, workflow: &Workflow, anchor: &Name, segments: &[Segment]) -> Vec<String> {
        let anchor = self.anchor(workflow, anchor);
        segments
            .iter()
            .map(|segment| self.windowed(self.rhythm(&anchor, &segment.rhythm), &segment.window))
            .collect()
    }

    fn anchor(&self, workflow: &Workflow, anchor: &Name) -> String {
        let label = workflow.anchors.iter().find(|a| a.id == *anchor);
        label.map_or_else(|| anchor.to_string(), |a| v::text(self.lang, &a.label).to_owned())
    }

    fn rhythm(&self, anchor: &str, rhythm: &Rhythm) -> String {
        let list = |spans: &[Span]| spans.iter().map(|span| self.span(*span)).collect::<Vec<_>>().join(", ");
        match rhythm {
            Rhythm::At(spans) => self.f.at(list(spans), anchor),
            Rhythm::Every { every, from, to: Some(to) } => {
                self.f.every(self.span(*every), self.span(*from), self.span(*to))
            }
            Rhythm::Every { every, from, to: None } => self.f.every_open(self.span(*every), self.span(*from)),
            Rhythm::Weekdays { days, from, to } => {
                let names: Vec<&str> = days.iter().map(|day| day_name(*day, self.lang)).collect();
                let to = to.map_or_else(|| "…".to_owned(), |to| self.span(to));
                self.f.weekdays(names.join(", "), self.span(*from), to)
            }
        }
    }

    fn windowed(&self, line: String, window: &Window) -> String {
        if window.before_days == 0 && window.after_days == 0 {
            return line;
        }
        format!("{line} ({})", self.f.window(window.before_days, window.after_days))
    }

    fn span(&self, span: Span) -> String {
        match span {
            Span::Minutes(n) => self.f.mins(n),
            Span::Hours(n) => self.f.hours(n),
            Span::Days(n) => self.f.days(n),
            Span::Weeks(n) => self.f.weeks(n),
            Span::Months(n) => self.f.months(n),
            Span::Years(n) => self.f.years(n),
        }
    }

    fn rule(&self, workflow: &Workflow, rule: &Rule) -> Part {
        let mut lines: Vec<String> =
            rule.alternatives.iter().map(|one| v::text(self.lang, &one.because).to_owned()).collect();
        if rule.at_once {
            lines.push(self.f.at_once().to_owned());
        }
        lines.extend(rule.then.iter().map(|action| format!("→ {}", self.action(workflow, action))));
        // A questionnaire brings the sources of its own rules.
        let own: Vec<String> = rule
            .own_sources
            .iter()
            .map(|source| format!("{} ({})", self.source(source).0, self.strength(source.strength)))
            .collect();
        let sources = if own.is_empty() { self.sources(workflow, &rule.sources) } else { own.join("; ") };
        Part { name: rule.id.to_string(), title: String::new(), lines, sources }
    }

    fn action(&self, workflow: &Workflow, action: &Action) -> String {
        match action {
            Action::Alert(level) => self.f.alert(v::level(self.w, *level)),
            Action::AlertWithin { level, respond } => {
                self.f.alert_within(v::level(self.w, *level), self.respond(*respond))
            }
            Action::Task { title, .. } => self.f.opens_task(v::text(self.lang, title)),
            Action::Start(step) => {
                let title = workflow.step(step).map_or(step.as_str(), |step| v::text(self.lang, &step.title));
                self.f.starts(title)
            }
            Action::Set(name, _) => self.f.sets(name),
            Action::Pause { .. } => self.f.pauses().to_owned(),
            Action::Stop { .. } => self.f.stops().to_owned(),
        }
    }

    fn respond(&self, respond: Respond) -> String {
        match respond {
            Respond::Within { minutes, counting: Counting::Wall } => self.f.respond_minutes(minutes),
            Respond::Within { minutes, counting: Counting::Covered } => self.f.respond_covered(minutes),
            Respond::SameDay { .. } => self.f.respond_same_day().to_owned(),
            Respond::WorkingDays(days) => self.f.respond_working(days),
            Respond::Never => self.f.respond_never().to_owned(),
        }
    }

    fn trust(&self, translations: &[(tend_engine::model::Lang, Translation)]) -> Vec<String> {
        let said = |translation: Translation| match translation {
            Translation::Original => self.f.original(),
            Translation::Official => self.f.official(),
            Translation::Reviewed => self.f.reviewed(),
            Translation::ConfirmAtSite => self.f.confirm_at_site(),
            Translation::NeedsReview => self.f.needs_review(),
        };
        translations.iter().map(|(language, one)| self.f.words_in(language, said(*one))).collect()
    }

    fn instrument(&self, questionnaire: &Questionnaire) -> Part {
        let mut lines = vec![self.f.licence(&questionnaire.licence)];
        lines.extend(questionnaire.credit.clone());
        lines.extend(questionnaire.loinc.as_ref().map(|code| format!("LOINC {code}")));
        lines.extend(self.trust(&questionnaire.translations));
        let title = v::text(self.lang, &questionnaire.title).to_owned();
        Part { name: questionnaire.id.to_string(), title, lines, sources: String::new() }
    }

    fn level(&self, level: &Level) -> Part {
        let respond = self.respond(level.respond);
        let mut lines = vec![format!("{}: {respond}", v::role(self.w, level.owner))];
        lines.extend(
            level.ladder.iter().map(|rung| self.f.then_role(v::role(self.w, rung.role), rung.minutes)),
        );
        let title = format!("{} {}", v::level_sign(level.id), v::level(self.w, level.id));
        Part { name: v::level_colour(level.id).to_owned(), title, lines, sources: String::new() }
    }
}
