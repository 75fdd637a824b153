//! A changed workflow: looked at while nothing is sent, then moved with exactly the difference that was announced.

use std::collections::BTreeSet;
use std::path::Path;

use actix_web::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use tend::app::enroll::Enrolled;
use tend::app::link::{Gone, Opened};
use tend::app::population::{Chosen, Followup};
use tend::app::version_move::How;
use tend::app::visitor::Visitor;
use tend_engine::compare::Line;
use tend_engine::model::{Role, Workflow};
use tend_engine::{Name, VersionHash, preview};

use super::ward::{Ward, between, named};
use crate::support::app::{SITE, on_both_databases};

on_both_databases!(
    a_new_version_is_looked_at_and_then_moved_as_announced,
    moves_are_staggered_and_taken_back,
    late_answers_to_renamed_and_removed_steps_are_kept_and_shown,
    what_is_left_open_is_refused,
);

const PAGE: &str = "/workflows/hf-discharge-90d/versions";
const ALL: [Role; 5] = [Role::Clerk, Role::Nurse, Role::NurseLead, Role::Clinician, Role::Pharmacist];

/// The shipped files with the daily check at another hour.
pub fn drafts(folder: &Path, changes: &str) {
    let later = |text: &str| {
        let (before, check) = text.split_once("  daily-check:").expect("the check");
        let check = check.replacen("time: \"09:00\"", "time: \"11:00\"", 1);
        format!("{before}  daily-check:{check}\n{changes}")
    };
    drafts_with(folder, &later);
}

/// The shipped files, with the heart failure workflow as `change` makes it.
pub fn drafts_with(folder: &Path, change: &dyn Fn(&str) -> String) {
    let library = tend::library::built_in();
    for (path, text) in &library.files {
        if path.contains("/cases/") {
            continue;
        }
        let mut text = String::from_utf8(text.clone()).expect("text");
        if path.ends_with("hf-discharge-90d/workflow.yaml") {
            text = change(&text);
        }
        let path = folder.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
}

/// What became of the daily check.
pub const STATED: &str = "changes:\n  retimed: [daily-check]\n";

async fn ward(changes: &str) -> (Ward, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    drafts(folder.path(), changes);
    ward_on(folder).await
}

async fn ward_on(folder: tempfile::TempDir) -> (Ward, tempfile::TempDir) {
    let ward = Ward::open_with_drafts(Some(folder.path().to_owned())).await;
    ward.hire("writer", &["author", "nurse", "clinician"], &ALL).await;
    ward.sign_in("writer").await;
    (ward, folder)
}

async fn draft(ward: &Ward) -> Workflow {
    let drafts = ward.pages.app.publishable().await;
    assert_eq!(drafts.problems, 0, "the changed files are fine");
    drafts.workflows.into_iter().find(|workflow| workflow.id == *"hf-discharge-90d").expect("there")
}

/// Everything that a patient has before her, open or to come.
async fn ahead(ward: &Ward, who: Enrolled, until: Timestamp) -> Vec<(Name, Timestamp)> {
    let app = &ward.pages.app;
    let row = app.store.patient(who.patient).await.expect("read").expect("there");
    let live = app.live();
    let coming = preview::preview(&live.library, &app.site(SITE), &row.state, who.enrollment, until);
    let mut all: Vec<(Name, Timestamp)> =
        coming.expect("drawn").into_iter().map(|line| (line.step, line.due)).collect();
    for (step, state) in &row.state.enrollments[&who.enrollment].steps {
        let open = state.open.iter().filter(|open| open.closed.is_none());
        all.extend(open.map(|open| (step.clone(), open.due)));
    }
    all
}

async fn version(ward: &Ward, who: Enrolled) -> VersionHash {
    let row = ward.pages.app.store.patient(who.patient).await.expect("read").expect("there");
    row.state.enrollments[&who.enrollment].version.clone()
}

/// Everybody on another version, looked at two at a time.
async fn looked_at(ward: &Ward, draft: &Workflow) -> Vec<Followup> {
    let app = &ward.pages.app;
    let population = app.population(SITE, draft).await.expect("counted");
    let (mut all, mut place) = (Vec::new(), None);
    loop {
        let ahead = app.look_ahead(SITE, draft, &population, place.as_ref(), 2).await.expect("looked at");
        assert!(ahead.followups.len() <= 2);
        all.extend(ahead.followups);
        place = ahead.next;
        if place.is_none() {
            assert_eq!(all.len(), population.elsewhere(), "each once");
            return all;
        }
    }
}

fn of(followups: &[Followup], who: Enrolled) -> &Followup {
    followups.iter().find(|one| one.enrollment == who.enrollment).expect("looked at")
}

async fn events(ward: &Ward, all: &[Enrolled]) -> usize {
    let mut count = 0;
    for who in all {
        count += ward.pages.app.store.history(who.patient, 0, 10_000).await.expect("read").len();
    }
    count
}

async fn run_jobs(ward: &Ward) {
    let app = &ward.pages.app;
    for job in app.long_jobs_due().await.expect("a look") {
        app.run_long_job(job, &|| false).await.expect("a run");
    }
}

async fn histories_are_kept(ward: &Ward) {
    let app = &ward.pages.app;
    let compared = app.store.rebuild(&app.live().library, None, 1000).await.expect("compared");
    assert_eq!(compared.differences, Vec::<String>::new());
}

/// Three patients in the morning of their third day, before anything of that day has gone out.
async fn third_morning(ward: &Ward) -> [Enrolled; 3] {
    let mut all = Vec::new();
    for (name, number) in [("Anna Ash", 1), ("Bert Birch", 2), ("Cora Cedar", 3)] {
        all.push(ward.enrol(name, number).await);
    }
    let start = ward.pages.app.clock.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let day = tend_engine::calendar::plus_days(start, 3);
    let morning = tend_engine::calendar::at(&jiff::tz::TimeZone::UTC, day, jiff::civil::time(7, 30, 0, 0));
    ward.pages.tick_to(morning).await;
    all.try_into().expect("three")
}

async fn a_new_version_is_looked_at_and_then_moved_as_announced() {
    let (ward, _folder) = ward(STATED).await;
    let all = third_morning(&ward).await;
    let [anna, bert, cora] = all;
    let app = ward.pages.app.clone();
    let (written, sent) = (events(&ward, &all).await, ward.pages.sent.borrow().len());
    assert!(sent > 0, "the days before were asked about");

    // Looking changes nothing and sends nothing.
    let draft = draft(&ward).await;
    let to = draft.version();
    let page = ward.pages.get(PAGE).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    for text in ["Anna Ash", "Bert Birch", "Cora Cedar", "No longer gets", "Publish and do this"] {
        assert!(page.text().contains(text), "{text}: {}", page.text());
    }
    ward.pages.deliver().await;
    assert_eq!((events(&ward, &all).await, ward.pages.sent.borrow().len()), (written, sent), "only looked");

    // Published, and everybody stays.
    let shown = between(page.text(), "name=\"version\" value=\"", "\"").expect("a version");
    assert_eq!(shown, to.0);
    let form = [("version", to.0.as_str()), ("how", "stay")];
    let done = ward.submit(PAGE, PAGE, &form).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    run_jobs(&ward).await;
    assert_ne!(version(&ward, anna).await, to);

    // One now, one who stays, one when no window is open.
    let announced = looked_at(&ward, &draft).await;
    let until = app.clock.now() + SignedDuration::from_hours(24 * 14);
    let before = ahead(&ward, anna, until).await;
    let one = |who: Enrolled, how: &'static str| {
        let (patient, enrollment) = (who.patient.to_string(), who.enrollment.to_string());
        let version = to.0.clone();
        let ward = &ward;
        async move {
            let form = [
                ("version", version.as_str()),
                ("how", how),
                ("patient", &patient),
                ("enrollment", &enrollment),
            ];
            ward.submit(PAGE, PAGE, &form).await.status
        }
    };
    assert_eq!(one(anna, "now").await, StatusCode::SEE_OTHER);
    assert_eq!(one(anna, "now").await, StatusCode::UNPROCESSABLE_ENTITY, "she is there already");
    assert_eq!(one(bert, "stay").await, StatusCode::SEE_OTHER);
    assert_eq!(version(&ward, anna).await, to);
    let after = ahead(&ward, anna, until).await;
    let announced = of(&announced, anna).difference.as_ref().expect("movable");
    let set = |lines: &[Line]| -> BTreeSet<(Name, Timestamp)> {
        let near = lines.iter().filter(|line| line.due < until);
        near.map(|line| (line.step.clone(), line.due)).collect()
    };
    let only = |these: &[(Name, Timestamp)], those: &[(Name, Timestamp)]| -> BTreeSet<(Name, Timestamp)> {
        these.iter().filter(|one| !those.contains(one)).cloned().collect()
    };
    assert_eq!(only(&after, &before), set(&announced.gets));
    assert_eq!(only(&before, &after), set(&announced.loses));
    assert!(announced.gets.iter().all(|line| line.step == named("daily-check")), "{announced:?}");
    assert!(!announced.gets.is_empty());

    // Everybody else: who was to stay stays.
    let everybody = ward.submit(PAGE, PAGE, &[("version", to.0.as_str()), ("how", "now")]).await;
    assert_eq!(everybody.status, StatusCode::SEE_OTHER);
    run_jobs(&ward).await;
    assert_eq!(version(&ward, cora).await, to);
    assert_ne!(version(&ward, bert).await, to);

    // What goes out is what was announced: at nine to who stayed, at eleven to who was moved.
    assert_eq!(ward.pages.sent.borrow().len(), sent, "moving sends nothing");
    ward.pages.pass_hours(2).await;
    assert_eq!(ward.pages.sent.borrow().len(), sent + 1);
    ward.pages.pass_hours(2).await;
    assert_eq!(ward.pages.sent.borrow().len(), sent + 3);
    histories_are_kept(&ward).await;

    // The timeline says so, and the version's page shows whom a move brought there.
    let chart = ward.pages.get(&format!("/patients/{}", anna.patient)).await;
    assert!(chart.text().contains("Moved from version"), "{}", chart.text());
    let page = ward.pages.get(PAGE).await;
    assert!(
        page.text().contains("Moved follow-ups") && page.text().contains("Chosen: stays"),
        "{}",
        page.text()
    );
}

async fn moves_are_staggered_and_taken_back() {
    let (ward, _folder) = ward(STATED).await;
    let all = third_morning(&ward).await;
    let before = version(&ward, all[0]).await;
    let draft = draft(&ward).await;
    let to = draft.version();
    let form = [("version", to.0.as_str()), ("how", "now"), ("per_hour", "12")];
    assert_eq!(ward.submit(PAGE, PAGE, &form).await.status, StatusCode::SEE_OTHER);
    run_jobs(&ward).await;
    let mut there = 0;
    for who in all {
        there += usize::from(version(&ward, who).await == to);
    }
    assert_eq!(there, 1, "one in five minutes");
    run_jobs(&ward).await;
    let wrong = [("version", to.0.as_str()), ("how", "now"), ("per_hour", "many")];
    assert_eq!(ward.submit(PAGE, PAGE, &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    // The others when no window is open: the tasks of the first days are.
    let form = [("version", to.0.as_str()), ("how", "quiet")];
    assert_eq!(ward.submit(PAGE, PAGE, &form).await.status, StatusCode::SEE_OTHER);
    run_jobs(&ward).await;
    let waiting = looked_at(&ward, &draft).await;
    assert!(waiting.iter().all(|one| one.chosen.is_some() || one.difference.is_err()));
    let counted = ward.pages.app.population(SITE, &draft).await.expect("counted");
    assert_eq!(counted.wait, waiting.iter().filter(|one| one.chosen == Some(Chosen::Waits)).count());
    assert_eq!((counted.there + counted.elsewhere(), counted.moved), (3, counted.there));

    // All of it is taken back.
    let form = [("version", to.0.as_str()), ("how", "back")];
    assert_eq!(ward.submit(PAGE, PAGE, &form).await.status, StatusCode::SEE_OTHER);
    run_jobs(&ward).await;
    for who in all {
        assert_eq!(version(&ward, who).await, before);
    }
    assert!(looked_at(&ward, &draft).await.iter().all(|one| one.chosen.is_none()));
    let left = ward.pages.app.population(SITE, &draft).await.expect("counted");
    assert_eq!((left.elsewhere(), left.there, left.moved, left.wait, left.stay), (3, 0, 0, 0, 0));
    ward.pages.pass_hours(24 * 3).await;
    for who in all {
        assert_eq!(version(&ward, who).await, before, "nobody waits any more");
    }
    histories_are_kept(&ward).await;
}

/// The daily check by another name, and no check of medicines.
fn renamed_and_removed(text: &str) -> String {
    let without = |text: &str, name: &str| {
        let (before, rest) = text.split_once(&format!("\n  {name}:\n")).expect("there");
        let (_, after) = rest.split_once("\n\n").expect("followed by others");
        format!("{before}\n{after}")
    };
    let text = without(&without(text, "medicines"), "silent-medicines").replace("daily-check", "daily-look");
    format!("{text}\nchanges:\n  renamed: {{daily-check: daily-look}}\n  removed: [medicines]\n")
}

async fn late_answers_to_renamed_and_removed_steps_are_kept_and_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    drafts_with(folder.path(), &renamed_and_removed);
    let (ward, _folder) = ward_on(folder).await;
    let app = ward.pages.app.clone();
    let who = ward.enrol("Dora Dale", 4).await;
    let start = app.clock.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let day = tend_engine::calendar::plus_days(start, 7);
    let at = tend_engine::calendar::at(&jiff::tz::TimeZone::UTC, day, jiff::civil::time(10, 0, 0, 0));
    ward.pages.tick_to(at).await;
    // One message about both.
    let text = ward.pages.sent.borrow().last().expect("asked").text.clone();
    let token =
        text.split("/c/").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a link").to_owned();
    let draft = draft(&ward).await;
    app.publish(SITE, &draft, None).await.expect("published");
    let by = ward.hire("mover", &["author"], &[]).await;
    app.move_followup(who.patient, who.enrollment, &draft.version(), How::Now, by).await.expect("moved");
    ward.pages.pass_hours(24).await;

    let Opened::Here(visit) = app.open_link(&token).await.expect("a look") else {
        panic!("the link is dead")
    };
    let asked: Vec<&str> = visit.form.parts.iter().map(|part| part.questionnaire.as_str()).collect();
    assert_eq!(asked, ["heart-failure-check", "medicine-check"]);
    app.submit(&visit, Visitor { proxy: false }, "en").await.expect("submitted");
    let again = app.open_link(&token).await.expect("a look");
    assert!(matches!(again, Opened::Gone(closed) if closed.why == Gone::Answered));
    let row = app.store.patient(who.patient).await.expect("read").expect("there");
    let of = &row.state.enrollments[&who.enrollment];
    assert_eq!((of.steps[&named("daily-look")].answers, of.steps[&named("medicines")].answers), (1, 1));
    assert!(!of.steps.contains_key(&named("daily-check")));
    let chart = ward.pages.get(&format!("/patients/{}", who.patient)).await;
    for text in ["the new version does not ask any more", "Answered Medicine-taking check", "/why/"] {
        assert!(chart.text().contains(text), "{text}: {}", chart.text());
    }
    histories_are_kept(&ward).await;
}

async fn what_is_left_open_is_refused() {
    let (ward, _folder) = ward("").await;
    let all = third_morning(&ward).await;
    let page = ward.pages.get(PAGE).await;
    assert!(page.text().contains("is planned at other times than before"), "{}", page.text());
    assert!(!page.text().contains("value=\"now\""), "no move is offered");
    let to = draft(&ward).await.version();
    // Asked for all the same, it publishes and moves nobody.
    assert_eq!(
        ward.submit(PAGE, PAGE, &[("version", &to.0), ("how", "now")]).await.status,
        StatusCode::SEE_OTHER
    );
    run_jobs(&ward).await;
    for who in all {
        assert_ne!(version(&ward, who).await, to);
    }
    // Nobody else than an author moves everybody, and a clerk sees none of it.
    ward.hire("doctor", &["clinician"], &[]).await;
    ward.sign_in("doctor").await;
    assert_eq!(
        ward.submit(PAGE, PAGE, &[("version", &to.0), ("how", "now")]).await.status,
        StatusCode::NOT_FOUND
    );
    ward.hire("clerk", &["clerk"], &[]).await;
    ward.sign_in("clerk").await;
    assert_eq!(ward.pages.get(PAGE).await.status, StatusCode::FORBIDDEN);
}
