//! The worklist and the call screen.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use tend::app::enroll::Course;
use tend::store::read::worklist::{After, WORKLIST_ROWS, WorklistFilter};
use tend_engine::{TaskId, Value, model::Role};

use super::ward::{Ward, between, named};
use crate::support::app::{SITE, on_both_databases};

on_both_databases!(
    tasks_come_worst_first_page_by_page_and_none_is_missed,
    a_workflow_shows_its_own_tasks_and_no_others,
    counts_equal_a_recount,
    the_page_says_who_is_on_duty_and_calls_follow_ups_by_their_titles,
    a_task_is_taken_once_called_and_closed,
    a_clerk_sees_the_clerks_tasks_and_no_answers,
    a_patient_is_found_by_name_and_number_and_no_address_holds_the_name,
);

/// The tasks of the page, in order.
fn tasks(html: &str) -> Vec<String> {
    html.split("<a href=/tasks/")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .map(str::to_owned)
        .collect()
}

async fn tasks_come_worst_first_page_by_page_and_none_is_missed() {
    let ward = Ward::with_nurse().await;
    let patients = u32::try_from(WORKLIST_ROWS + 5).expect("a few");
    for n in 0..patients {
        ward.enrol(&format!("Patient {n}"), n).await;
    }
    ward.days_pass(3).await;
    let filter = WorklistFilter { roles: vec![Role::Nurse], ..WorklistFilter::default() };
    let mut expected = Vec::new();
    let mut after = None;
    loop {
        let filter = WorklistFilter { after, ..filter.clone() };
        let page = ward.pages.app.store.worklist(SITE, &filter).await.expect("rows");
        assert!(page.rows.len() <= WORKLIST_ROWS);
        let place = |after: &After| (after.level_rank, after.respond_sort, after.risk_sort, after.id);
        expected.extend(page.rows.iter().map(|row| place(&row.after)));
        after = page.rows.last().map(|row| row.after);
        if !page.more {
            break;
        }
    }
    assert!(expected.len() > WORKLIST_ROWS, "{} tasks", expected.len());
    assert!(expected.windows(2).all(|two| two[0] < two[1]), "in order, without a repeat");

    let mut seen = Vec::new();
    let mut path = "/worklist?role=nurse".to_owned();
    loop {
        let page = ward.pages.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.len() < 20_000, "{} bytes", page.body.len());
        seen.extend(tasks(page.text()));
        match between(page.text(), "class=\"button quiet\" href=\"", "\"") {
            Some(next) => path = next.replace("&amp;", "&").replace("&#38;", "&"),
            None => break,
        }
    }
    let ids: Vec<String> = expected.iter().map(|(_, _, _, id)| format!("{:032x}", id.0)).collect();
    assert_eq!(seen, ids);
}

/// What `filter` shows, page by page: tasks and the workflows they belong to.
async fn shown(ward: &Ward, filter: &WorklistFilter) -> Vec<(TaskId, Option<String>)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let filter = WorklistFilter { after, ..filter.clone() };
        let page = ward.pages.app.store.worklist(SITE, &filter).await.expect("rows");
        after = page.rows.last().map(|row| row.after);
        all.extend(page.rows.into_iter().map(|row| (row.id, row.workflow)));
        if !page.more {
            return all;
        }
    }
}

async fn a_workflow_shows_its_own_tasks_and_no_others() {
    let ward = Ward::with_nurse().await;
    let day = ward.today();
    let bladder = Course {
        workflow: named("nmibc-surveillance"),
        facts: BTreeMap::from([
            (named("risk_group"), Value::Choice(named("high"))),
            (named("second_turb"), Value::Bool(true)),
        ]),
        anchors: BTreeMap::from([(named("turbt"), day - jiff::Span::new().days(20))]),
    };
    ward.enrol_on(bladder, "Bea Example", 1).await;
    let patients = u32::try_from(WORKLIST_ROWS + 5).expect("a few");
    for n in 2..patients {
        ward.enrol(&format!("Patient {n}"), n).await;
    }
    ward.days_pass(3).await;
    let owners = [vec![], vec![Role::Nurse], vec![Role::Clerk, Role::Nurse], vec![Role::Clinician]];
    let mut found = BTreeMap::<&str, usize>::new();
    for roles in owners {
        let filter = WorklistFilter { roles, ..WorklistFilter::default() };
        let every = shown(&ward, &filter).await;
        for workflow in ["hf-discharge-90d", "nmibc-surveillance"] {
            let expected: Vec<_> =
                every.iter().filter(|(_, of)| of.as_deref() == Some(workflow)).cloned().collect();
            let filter = WorklistFilter { workflow: Some(named(workflow)), ..filter.clone() };
            assert_eq!(shown(&ward, &filter).await, expected, "{workflow} of {:?}", filter.roles);
            *found.entry(workflow).or_default() += expected.len();
        }
    }
    assert!(found.values().all(|n| *n > 0) && found.len() == 2, "{found:?}");
    let page = ward.pages.get("/worklist?role=all&workflow=nmibc-surveillance").await;
    assert!(page.text().contains("Bea Example") && !page.text().contains("Patient 2"), "{}", page.text());
}

async fn the_page_says_who_is_on_duty_and_calls_follow_ups_by_their_titles() {
    let ward = Ward::with_nurse().await;
    ward.enrol("Ann Example", 1).await;
    ward.pages.clock.set("2026-03-03T10:00:00Z".parse().expect("an instant"));
    ward.pages.app.tick().await.expect("a tick");
    let day = ward.pages.get("/worklist").await;
    assert!(day.text().contains("About 480 nurse minutes left today"), "{}", day.text());
    assert!(day.text().contains("Heart failure") && !day.text().contains("> hf-discharge-90d<"));
    ward.pages.clock.set("2026-03-04T03:00:00Z".parse().expect("an instant"));
    let night = ward.pages.get("/worklist").await;
    assert!(night.text().contains("Nobody is on duty now. Cover begins 08:00."), "{}", night.text());
    assert!(!night.text().contains("nurse minutes left"));
    ward.pages.clock.set("2026-03-06T19:00:00Z".parse().expect("an instant"));
    let friday = ward.pages.get("/worklist?lang=zh").await;
    assert!(friday.text().contains("3月9日周一 08:00"), "until Monday: {}", friday.text());
}

async fn counts_equal_a_recount() {
    let ward = Ward::with_nurse().await;
    for n in 0..3 {
        ward.enrol(&format!("Patient {n}"), n).await;
    }
    ward.days_pass(6).await;
    let app = &ward.pages.app;
    let set = |counts: Vec<tend::store::read::worklist::QueueCount>| -> BTreeSet<(Role, String, u64)> {
        counts.into_iter().filter(|c| c.n > 0).map(|c| (c.role, format!("{:?}", c.level), c.n)).collect()
    };
    let kept = set(app.store.queue_counts(SITE).await.expect("counts"));
    assert!(!kept.is_empty());
    assert_eq!(kept, set(app.store.recount_queues(SITE).await.expect("counts")));
}

async fn a_task_is_taken_once_called_and_closed() {
    let ward = Ward::with_nurse().await;
    ward.hire("other", &["nurse"], &[Role::Nurse]).await;
    ward.enrol("Ann <script>alert(1)</script>", 1).await;
    ward.days_pass(3).await;
    let page = ward.pages.get("/worklist").await;
    let ids = tasks(page.text());
    let id = ids.first().expect("a task");
    assert!(!page.text().contains("<script>"), "names are data");

    let taken = ward.submit("/worklist", "/worklist/take", &[("take", id)]).await;
    assert_eq!(taken.status, StatusCode::SEE_OTHER);
    let screen = ward.pages.get(taken.location()).await;
    assert!(screen.text().contains("Give back"), "{}", screen.text());
    assert!(screen.text().contains("tel:+447700900001"));

    let colleague = ward.pages.stranger();
    super::ward::sign_in(&colleague, "other", super::ward::PASSWORD).await;
    let csrf = super::ward::csrf_of(colleague.get("/worklist").await.text());
    let late = colleague.post("/worklist/take", &[("csrf", &csrf), ("take", id)]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(colleague.get("/worklist").await.text().contains("Taken by"));

    let action = format!("{}/outcome", taken.location());
    let nothing =
        ward.submit(taken.location(), &action, &[("outcome", "danced"), ("note", "kept <i>")]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nothing.text().contains("kept &#60;i&#62;") || nothing.text().contains("kept &lt;i&gt;"));
    let closed =
        ward.submit(taken.location(), &action, &[("outcome", "called_advice"), ("note", "all well")]).await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER, "{}", closed.text());
    let after = ward.pages.get(taken.location()).await;
    assert!(after.text().contains("Closed: Called, advice given") && after.text().contains("all well"));
    assert!(!tasks(ward.pages.get("/worklist").await.text()).contains(id));
    let again = ward.submit("/worklist", &action, &[("outcome", "called_advice")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "a task is closed once");
}

async fn a_clerk_sees_the_clerks_tasks_and_no_answers() {
    let ward = Ward::open().await;
    ward.hire("clerk", &["clerk"], &[Role::Clerk]).await;
    ward.hire("nurse", &["nurse"], &[Role::Nurse]).await;
    let patient = ward.enrol("Ann Example", 1).await.patient;
    ward.days_pass(3).await;
    ward.sign_in("nurse").await;
    let of_nurse = tasks(ward.pages.get("/worklist").await.text());
    let id = of_nurse.first().expect("a task of the nurse").clone();
    let clerk = ward.pages.stranger();
    super::ward::sign_in(&clerk, "clerk", super::ward::PASSWORD).await;
    assert!(!tasks(clerk.get("/worklist").await.text()).contains(&id));
    assert_eq!(clerk.get(&format!("/tasks/{id}")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(clerk.get("/risk").await.status, StatusCode::FORBIDDEN);
    let page = clerk.get(&format!("/patients/{patient}")).await;
    assert!(page.text().contains("Answers are shown to nurses and clinicians only."));
    assert!(page.text().contains("+447700900001"), "contact is the clerk's work");
    assert_eq!(clerk.get(&format!("/patients/{patient}/died")).await.status, StatusCode::FORBIDDEN);
}

async fn a_patient_is_found_by_name_and_number_and_no_address_holds_the_name() {
    let ward = Ward::with_nurse().await;
    ward.enrol("王小明", 7).await;
    ward.enrol("Ann Example", 8).await;
    ward.days_pass(3).await;
    for (words, found, not) in [("小明", "王小明", "Ann Example"), ("H8", "Ann Example", "王小明")] {
        let page = ward.submit("/worklist", "/worklist/search", &[("q", words)]).await;
        assert!(page.text().contains(found) && !page.text().contains(not), "{words}");
    }
}
