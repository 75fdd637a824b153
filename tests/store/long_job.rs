//! Imports and nightly scoring: cut off anywhere, asked for twice, their job tables emptied at any moment, they do everything
//! once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tend::app::import::{ImportLine, LineRefusal, Why};
use tend::app::long_job::{ATTEMPTS_MAX, LongKind, LongState, RunEnd};
use tend::app::register::{Register, risk_features};
use tend::jobs::{self, Roles};
use tend_engine::model::{Channel, FactKind};
use tend_engine::{StaffId, Value};

use super::world::{SITE, World, newcomer, on_both, word};

on_both!(
    an_import_enrols_each_good_line_and_reports_each_bad_one,
    an_import_that_is_cut_off_anywhere_repeats_nothing,
    two_runs_at_once_do_each_line_once,
    emptied_job_tables_lose_nothing_and_repeat_nothing,
    a_job_of_a_killed_worker_is_run_by_the_next,
    a_job_that_ends_the_process_is_given_up,
    a_failed_job_waits_before_it_is_tried_again,
    a_night_is_planned_once_and_scores_what_changed,
    a_night_that_is_cut_off_repeats_nothing,
    a_score_that_is_wanted_is_made_once,
);

const BY: StaffId = StaffId(77);

fn register(world: &World, n: u32) -> Register {
    use tend::ports::Clock;
    let mut newcomer = newcomer(&format!("Line {n}"), &format!("+4477009{n:05}"), world.clock.now());
    newcomer.consents.clear();
    let wording = "1".to_owned();
    Register { newcomer, consented: vec![Channel::Sms], wording, features: features() }
}

/// What the shipped model needs, and no more.
fn features() -> std::collections::BTreeMap<tend_engine::Name, Value> {
    let required = risk_features("en").into_iter().filter(|feature| feature.required);
    let value = |kind: FactKind| match kind {
        FactKind::Boolean => Value::Bool(true),
        FactKind::Choice(options) => Value::Choice(options[0].0.clone()),
        FactKind::Whole { min, .. } => Value::Number(tend_engine::Decimal::whole(min)),
        FactKind::Quantity { min, .. } => Value::Number(min),
        FactKind::Date => panic!("no model asks for a date"),
    };
    required.map(|feature| (word(&feature.name), value(feature.kind))).collect()
}

pub(super) async fn upload(world: &World, lines: u32) -> u128 {
    upload_from(world, 1, lines).await
}

/// An import of so many people from that one on.
pub(super) async fn upload_from(world: &World, first: u32, lines: u32) -> u128 {
    let line = |n| ImportLine { number: n + 1, read: Ok(register(world, n)) };
    let lines: Vec<ImportLine> = (first..first + lines).map(line).collect();
    world.app.start_import(SITE, BY, &word("hf-discharge-90d"), &lines).await.expect("stored")
}

pub(super) async fn run(world: &World, job: u128) -> RunEnd {
    world.app.run_long_job(job, &|| false).await.expect("the database is there")
}

/// A run that was cut off may have sent its last commit: the database then hears of its lease a little later.
async fn run_to_the_end(world: &World, job: u128) {
    for _ in 0..50 {
        run(world, job).await;
        let found = world.app.store.long_job(job).await.expect("a look").expect("the job");
        if found.state == LongState::Done {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        forget_run(world).await;
    }
    panic!("the job does not end");
}

/// As if the process that is at it had died.
async fn forget_lease(world: &World) {
    world.sql("update long_job set lease_until = 0").await;
}

/// The same, of a process that had got on: on a slow machine none of several runs that are cut off early may have.
async fn forget_run(world: &World) {
    world.sql("update long_job set lease_until = 0, attempts = 1").await;
}

async fn each_line_once(world: &World, job: u128, lines: u32) {
    each_line_of_all_once(world, job, lines, lines).await;
}

/// The same where `all` lines were uploaded in several jobs.
pub(super) async fn each_line_of_all_once(world: &World, job: u128, lines: u32, all: u32) {
    let stands = world.app.import_stands(SITE, job).await.expect("a look").expect("the job");
    assert_eq!((stands.waiting, stands.enrolled, stands.refused), (0, lines, 0));
    assert_eq!(stands.job.state, LongState::Done);
    let lines = i64::from(all);
    assert_eq!(world.number("select count(*) from patient").await, lines);
    assert_eq!(world.number("select count(*) from enrollment").await, lines);
    assert_eq!(world.number("select count(distinct patient) from import_line").await, lines);
    assert_eq!(world.number("select count(*) from import_line where sealed is not null").await, 0);
    world.is_sound().await;
}

async fn an_import_enrols_each_good_line_and_reports_each_bad_one(world: World) {
    let said = LineRefusal { column: "birth_date".into(), why: Why::Said("not a date".into()) };
    let mut same_number = register(&world, 4);
    same_number.newcomer.demographics.name = "Somebody Else".into();
    same_number.newcomer.identifiers = register(&world, 1).newcomer.identifiers;
    let mut no_weight = register(&world, 5);
    no_weight.newcomer.course.facts.clear();
    let lines = [
        ImportLine { number: 2, read: Ok(register(&world, 1)) },
        ImportLine { number: 3, read: Err(vec![said.clone()]) },
        ImportLine { number: 4, read: Ok(register(&world, 1)) },
        ImportLine { number: 5, read: Ok(same_number) },
        ImportLine { number: 6, read: Ok(no_weight) },
        ImportLine { number: 7, read: Ok(register(&world, 2)) },
    ];
    let job = world.app.start_import(SITE, BY, &word("hf-discharge-90d"), &lines).await.expect("stored");
    // What waits is sealed; what was refused at once is reported at once.
    let plain = world.number("select count(*) from import_line where report like '%Line%'").await;
    assert_eq!(plain, 0);
    assert_eq!(world.app.import_refused(job).await.expect("a look"), [(3, vec![said.clone()])]);
    assert_eq!(run(&world, job).await, RunEnd::Done);
    assert_eq!(run(&world, job).await, RunEnd::NotMine, "it is over");
    let refused = world.app.import_refused(job).await.expect("a look");
    let whys: Vec<(u32, &str, &Why)> =
        refused.iter().map(|(line, all)| (*line, all[0].column.as_str(), &all[0].why)).collect();
    assert_eq!(
        whys,
        [
            (3, "birth_date", &said.why),
            (4, "name", &Why::Here),
            (5, "name", &Why::Here),
            (6, "fact-dry_weight", &Why::Missing),
        ]
    );
    assert_eq!(world.number("select count(*) from patient").await, 2);
    assert_eq!(world.number("select count(*) from consent where purpose = 'follow_up'").await, 2);
    assert_eq!(world.number("select count(*) from consent where purpose = 'daily_messages'").await, 2);
    world.is_sound().await;
}

async fn an_import_that_is_cut_off_anywhere_repeats_nothing(world: World) {
    const LINES: u32 = 24;
    let job = upload(&world, LINES).await;
    // Stopped between lines.
    let looks = AtomicU32::new(0);
    let stop = || looks.fetch_add(1, Ordering::SeqCst) >= 5;
    assert_eq!(world.app.run_long_job(job, &stop).await.expect("a run"), RunEnd::Stopped);
    assert_eq!(world.number("select count(*) from patient").await, 5);
    // Cut off in the middle of whatever it was doing.
    for micros in [200, 1_500, 3_000, 7_000, 11_000, 17_000] {
        let app = world.app.clone();
        let running = tokio::spawn(async move { app.run_long_job(job, &|| false).await });
        tokio::time::sleep(Duration::from_micros(micros)).await;
        running.abort();
        let _ = running.await;
        forget_run(&world).await;
    }
    run_to_the_end(&world, job).await;
    each_line_once(&world, job, LINES).await;
}

async fn two_runs_at_once_do_each_line_once(world: World) {
    const LINES: u32 = 30;
    let job = upload(&world, LINES).await;
    let world = Arc::new(world);
    let one = |app: Arc<tend::app::App>| tokio::spawn(async move { app.run_long_job(job, &|| false).await });
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(one(world.app.clone()));
        tokio::time::sleep(Duration::from_millis(15)).await;
        // The one that has it is thought dead, but goes on.
        forget_run(&world).await;
    }
    let mut ends = Vec::new();
    for run in runs {
        ends.push(run.await.expect("no panic").expect("the database is there"));
    }
    let done = ends.iter().filter(|end| **end == RunEnd::Done).count();
    assert!(done <= 1, "{ends:?}");
    if done == 0 {
        run_to_the_end(&world, job).await;
    }
    each_line_once(&world, job, LINES).await;
}

/// Runs the workers while `during` goes on, and until the job is over.
pub(super) async fn with_workers(world: &World, job: u128, during: impl AsyncFn()) {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let workers = tokio::spawn(jobs::run(world.app.clone(), Vec::new(), Roles::default(), async {
        let _ = stopped.await;
    }));
    during().await;
    let begin = Instant::now();
    loop {
        let found = world.app.store.long_job(job).await.expect("a look").expect("the job");
        if found.state != LongState::Waiting {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(240), "not done: {found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(stop);
    tokio::time::timeout(Duration::from_secs(60), workers).await.expect("they stop").expect("no panic");
}

pub(super) fn job_tables(world: &World) -> (&'static str, &'static str) {
    if world.app.store.is_postgres() { ("apalis.jobs", "apalis.workers") } else { ("Jobs", "Workers") }
}

pub(super) async fn table_is_there(world: &World, table: &str) -> bool {
    let query = if world.app.store.is_postgres() {
        format!("select count(*) from pg_tables where schemaname || '.' || tablename = '{table}'")
    } else {
        format!("select count(*) from sqlite_master where name = '{table}'")
    };
    world.number(&query).await > 0
}

async fn emptied_job_tables_lose_nothing_and_repeat_nothing(world: World) {
    const LINES: u32 = 60;
    let job = upload(&world, LINES).await;
    let (jobs, workers) = job_tables(&world);
    let emptied = AtomicU32::new(0);
    let saboteur = async || {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(3) {
            if table_is_there(&world, workers).await {
                world.sql(&format!("delete from {jobs}")).await;
                // A worker may take a job in between; then its row stays for now.
                let others = format!(
                    "delete from {workers} where id not in (select coalesce(lock_by, '') from {jobs})"
                );
                world.sql(&others).await;
                emptied.fetch_add(1, Ordering::SeqCst);
            }
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
    };
    with_workers(&world, job, saboteur).await;
    assert!(emptied.load(Ordering::SeqCst) > 20, "{emptied:?} times");
    each_line_once(&world, job, LINES).await;
    // The scorer may not have come to all of them when the workers were stopped.
    while world.app.score_wanted().await.expect("scored") > 0 {}
    assert_eq!(world.number("select count(*) from score").await, i64::from(LINES), "each was scored once");
    assert_eq!(world.number("select count(*) from enrollment where score_wanted_at is not null").await, 0);
    if !world.app.store.is_postgres() {
        // Making the job tables left every connection durable.
        assert_eq!(world.app.store.writer_synchronous().await.expect("a pragma"), 2);
        let tend::store::JobPool::Sqlite(pool) = world.app.store.job_pool() else { panic!("a file") };
        let mut held = Vec::new();
        for _ in 0..pool.options().get_max_connections() {
            let mut connection = pool.acquire().await.expect("a connection");
            let synchronous: i64 =
                sqlx::query_scalar("pragma synchronous").fetch_one(&mut *connection).await.expect("a pragma");
            assert_eq!(synchronous, 2);
            held.push(connection);
        }
    }
}

async fn a_job_of_a_killed_worker_is_run_by_the_next(world: World) {
    let first = upload(&world, 2).await;
    with_workers(&world, first, async || {}).await;
    let (jobs, workers) = job_tables(&world);
    let done = world.texts(&format!("select id from {workers}")).await;
    // A process died while it had a job: its rows say that it still runs.
    let second = upload(&world, 4).await;
    let id = tend::app::long_job::uuid(second);
    let (last_seen, bytes) = if world.app.store.is_postgres() {
        ("now()", format!("convert_to('{{\"job\":\"{id}\"}}', 'UTF8')"))
    } else {
        ("unixepoch()", format!("cast('{{\"job\":\"{id}\"}}' as blob)"))
    };
    world.sql(&format!("insert into {workers} (id, worker_type, storage_name, layers, last_seen) values ('long-dead', 'tend::long', 'x', '', {last_seen})")).await;
    world.sql(&format!("insert into {jobs} (job, id, job_type, status, lock_by) values ({bytes}, '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'tend::long', 'Running', 'long-dead')")).await;
    world.sql("update long_job set pushed_at = 0 where state = 'waiting'").await;
    with_workers(&world, second, async || {}).await;
    let names = world.texts(&format!("select id from {workers}")).await;
    assert!(names.len() > done.len() + 1, "every start has names of its own: {names:?}");
    assert_eq!(
        world.number("select count(*) from import_line where state = 'enrolled'").await,
        4,
        "Line 1 and 2 are here"
    );
    assert_eq!(world.number("select count(*) from patient").await, 4);
}

async fn a_job_that_ends_the_process_is_given_up(world: World) {
    let job = upload(&world, 3).await;
    for _ in 0..ATTEMPTS_MAX {
        // Taken, and then the process was gone.
        assert!(world.app.store.take_long_job(job).await.expect("a look").is_some());
        forget_lease(&world).await;
    }
    assert_eq!(run(&world, job).await, RunEnd::GivenUp);
    assert_eq!(run(&world, job).await, RunEnd::NotMine);
    let refused = world.app.import_refused(job).await.expect("a look");
    assert_eq!(refused.len(), 3);
    assert!(refused.iter().all(|(_, all)| all[0].why == Why::NotTried), "{refused:?}");
    assert_eq!(world.number("select count(*) from patient").await, 0);
    assert_eq!(world.app.store.due_long_jobs().await.expect("a look"), Vec::<u128>::new());
}

async fn a_failed_job_waits_before_it_is_tried_again(world: World) {
    let job = upload(&world, 2).await;
    assert_eq!(world.app.store.due_long_jobs().await.expect("a look"), [job]);
    assert_eq!(
        world.app.store.due_long_jobs().await.expect("a look"),
        Vec::<u128>::new(),
        "handed out already"
    );
    let broken = if world.app.store.is_postgres() { "'\\x00'" } else { "x'00'" };
    world.sql(&format!("update import_line set sealed = {broken} where line = 3")).await;
    assert_eq!(run(&world, job).await, RunEnd::Failed);
    assert_eq!(run(&world, job).await, RunEnd::NotMine, "not at once");
    assert_eq!(world.app.store.due_long_jobs().await.expect("a look"), Vec::<u128>::new());
    let found = world.app.store.long_job(job).await.expect("a look").expect("the job");
    assert!(found.problem.is_some_and(|why| why.contains("import line")), "says why");
    // The lines before it were enrolled, whatever becomes of the others.
    assert_eq!(found.state, LongState::Waiting);
    world.sql("update long_job set next_attempt_at = 0").await;
    assert_eq!(world.app.store.due_long_jobs().await.expect("a look"), [job]);
}

pub(super) async fn turn_on(world: &World) {
    use tend::app::score::SwitchState;
    world
        .app
        .switch_model(SITE, &word("hf-discharge-90d"), SwitchState::On, Some(BY))
        .await
        .expect("switched");
    // What the switch asked for is not what these stories are about.
    world.sql("update long_job set state = 'done' where kind = 'scoring'").await;
}

async fn a_night_is_planned_once_and_scores_what_changed(world: World) {
    let job = upload(&world, 20).await;
    run(&world, job).await;
    world.enroll("Without facts", "+447700800001").await;
    turn_on(&world).await;
    world.clock.set("2026-03-03T01:59:00Z".parse().expect("an instant"));
    world.app.plan_nights().await.expect("planned");
    let waiting = "select count(*) from long_job where kind = 'scoring' and state = 'waiting'";
    assert_eq!(world.number(waiting).await, 0);
    world.clock.set("2026-03-03T02:00:00Z".parse().expect("an instant"));
    let other = world.another_node().await;
    for _ in 0..3 {
        world.app.plan_nights().await.expect("planned");
        other.plan_nights().await.expect("planned");
    }
    assert_eq!(world.number(waiting).await, 1);
    let night = world.app.store.long_jobs(SITE, LongKind::Scoring, 10).await.expect("a look");
    let night = night.iter().find(|job| job.state == LongState::Waiting).expect("tonight").id;
    assert_eq!(run(&world, night).await, RunEnd::Done);
    let facts = "select count(*) from event where kind = 'scored'";
    assert_eq!(world.number("select count(*) from score").await, 21);
    assert_eq!(world.number("select count(*) from score where ppm is null").await, 1, "abstained");
    assert_eq!(world.number(facts).await, 21);
    assert_eq!(world.number("select count(*) from enrollment where risk_ppm is not null").await, 20);
    // The night after nothing has changed: nothing is added to any history.
    world.clock.set("2026-03-04T03:00:00Z".parse().expect("an instant"));
    world.app.plan_nights().await.expect("planned");
    let night = world.app.store.long_jobs(SITE, LongKind::Scoring, 1).await.expect("a look")[0].id;
    assert_eq!(run(&world, night).await, RunEnd::Done);
    assert_eq!(world.number(facts).await, 21);
    assert_eq!(world.number("select count(*) from score").await, 21);
    // The model is switched off: what was shown is taken back.
    use tend::app::score::SwitchState;
    world
        .app
        .switch_model(SITE, &word("hf-discharge-90d"), SwitchState::Off, Some(BY))
        .await
        .expect("switched");
    let asked = world.app.store.due_long_jobs().await.expect("a look");
    assert_eq!(asked.len(), 1);
    assert_eq!(run(&world, asked[0]).await, RunEnd::Done);
    assert_eq!(world.number("select count(*) from enrollment where risk_ppm is not null").await, 0);
    world.is_sound().await;
}

async fn a_night_that_is_cut_off_repeats_nothing(world: World) {
    const PATIENTS: u32 = 60;
    let job = upload(&world, PATIENTS).await;
    run(&world, job).await;
    turn_on(&world).await;
    world.clock.set("2026-03-03T02:30:00Z".parse().expect("an instant"));
    world.app.plan_nights().await.expect("planned");
    let night = world.app.store.due_long_jobs().await.expect("a look")[0];
    for millis in [1, 4, 9, 16] {
        let app = world.app.clone();
        let running = tokio::spawn(async move { app.run_long_job(night, &|| false).await });
        tokio::time::sleep(Duration::from_millis(millis)).await;
        running.abort();
        let _ = running.await;
        forget_lease(&world).await;
    }
    run_to_the_end(&world, night).await;
    let patients = i64::from(PATIENTS);
    assert_eq!(world.number("select count(*) from score").await, patients);
    assert_eq!(world.number("select count(*) from event where kind = 'scored'").await, patients);
    world.is_sound().await;
}

/// The nice values of this process's threads of that name.
fn nice_of(thread: &str) -> Vec<i32> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let of = |task: std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
        // The name in brackets may hold blanks; nice is the nineteenth field, the seventeenth after it.
        let (_, fields) = stat.rsplit_once(')')?;
        let nice = fields.split_whitespace().nth(16)?.parse().ok()?;
        (name.trim() == thread).then_some(nice)
    };
    tasks.filter_map(Result::ok).filter_map(of).collect()
}

async fn a_score_that_is_wanted_is_made_once(world: World) {
    turn_on(&world).await;
    let job = upload(&world, 3).await;
    run(&world, job).await;
    assert_eq!(world.app.score_wanted().await.expect("scored"), 3);
    // The threads that the model's library starts from it are called the same.
    let nice = nice_of("scoring");
    assert!(!nice.is_empty() && nice.iter().all(|nice| *nice == 19), "behind everything else: {nice:?}");
    assert_eq!(world.app.score_wanted().await.expect("scored"), 0);
    let facts = "select count(*) from event where kind = 'scored'";
    assert_eq!(world.number(facts).await, 3);
    // A fact changes: one more, of that patient.
    let patient = world.app.store.running_patients(Some(SITE), None, 1).await.expect("a look")[0];
    let (_, state) = world.app.store.states(&[patient]).await.expect("a look").remove(0);
    let enrollment = *state.enrollments.keys().next().expect("an enrollment");
    let feature = risk_features("en").into_iter().find(|f| matches!(f.kind, FactKind::Whole { .. }));
    let feature = feature.expect("a count");
    let FactKind::Whole { min, .. } = feature.kind else { unreachable!("just looked") };
    let value = Value::Number(tend_engine::Decimal::whole(min + 1));
    let fact = tend_engine::fact::Fact::FactSet { name: word(&feature.name), value };
    use tend::ports::Clock;
    let fact =
        tend::app::record::just_now(tend::app::Actor::System, world.clock.now(), Some(enrollment), fact);
    world
        .app
        .record(tend::app::Actor::System, "set fact", patient, vec![fact], &tend::store::FreeText::new())
        .await
        .expect("recorded");
    assert_eq!(world.app.score_wanted().await.expect("scored"), 1);
    assert_eq!(world.app.score_wanted().await.expect("scored"), 0);
    assert_eq!(world.number("select count(*) from score").await, 4);
    // Somebody who was set aside is not looked at for ever.
    world.sql("update enrollment set score_wanted_at = 1").await;
    world.sql("update patient set quarantined = 'test'").await;
    let stuck = AtomicBool::new(true);
    for _ in 0..3 {
        if world.app.score_wanted().await.expect("scored") == 0 {
            stuck.store(false, Ordering::SeqCst);
        }
    }
    assert!(!stuck.load(Ordering::SeqCst));
}
