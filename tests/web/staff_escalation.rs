//! An alert that nobody answers climbs its ladder by covered hours, as each person's worklist shows.

use jiff::Timestamp;
use tend::ports::Clock as _;
use tend_engine::model::Role;

use super::ward::{PASSWORD, Ward, sign_in};
use crate::support::app::TestApp;

/// Monday to Friday, 08:00 to 18:00 in London; in March that is UTC.
const FRIDAY_EVENING: &str = "2026-03-06T17:50:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The emergency on somebody's list, as one line of text.
async fn emergency(of: &TestApp) -> Option<String> {
    let page = of.get("/worklist").await;
    let rows = page.text().split("<li class=").skip(1);
    let mut found = rows.filter(|row| row.contains("Emergency</b>") && row.contains("Ann Example"));
    let row = found.next().map(str::to_owned);
    assert!(found.next().is_none(), "one alert is one task");
    row
}

struct Team {
    ward: Ward,
    lead: TestApp,
    doctor: TestApp,
}

impl Team {
    /// A patient who is breathless at rest on a Friday, ten minutes before the ward closes.
    async fn on_friday() -> Team {
        let ward = Ward::with_nurse().await;
        ward.hire("lead", &["nurse"], &[Role::NurseLead]).await;
        ward.hire("doctor", &["clinician"], &[Role::Clinician]).await;
        let (lead, doctor) = (ward.pages.stranger(), ward.pages.stranger());
        sign_in(&lead, "lead", PASSWORD).await;
        sign_in(&doctor, "doctor", PASSWORD).await;
        ward.pages.clock.set(at("2026-03-05T10:00:00Z"));
        ward.enrol("Ann Example", 1).await;
        ward.pages.tick_to(at(FRIDAY_EVENING)).await;
        let (link, phone) = (ward.pages.newest_link(), ward.pages.stranger());
        phone.give_birth_date(&link, jiff::civil::date(1948, 5, 17)).await;
        phone.answer(&format!("{link}/q/0/weight"), &[("answer", "78.2"), ("unit", "kg")]).await;
        phone.answer(&format!("{link}/q/0/breathing"), &[("answer", "at_rest")]).await;
        Team { ward, lead, doctor }
    }

    async fn until(&self, instant: &str) {
        assert!(at(instant) > self.ward.pages.clock.now());
        self.ward.pages.tick_to(at(instant)).await;
    }

    /// Whose list has it: nurse, nurse lead, clinician.
    async fn who_has_it(&self) -> [bool; 3] {
        let [nurse, lead, doctor] =
            [emergency(&self.ward.pages).await, emergency(&self.lead).await, emergency(&self.doctor).await];
        for row in [&lead, &doctor].into_iter().flatten() {
            assert!(row.contains("escalated") && row.contains("Nobody responded in time"), "{row}");
        }
        [nurse.is_some(), lead.is_some(), doctor.is_some()]
    }
}

const NURSE: [bool; 3] = [true, false, false];
const LEAD: [bool; 3] = [false, true, false];
const DOCTOR: [bool; 3] = [false, false, true];

#[actix_web::test]
async fn the_weekend_does_not_count() {
    let team = Team::on_friday().await;
    assert_eq!(team.who_has_it().await, NURSE);
    for (instant, whose) in [
        ("2026-03-06T18:30:00Z", NURSE),
        ("2026-03-08T12:00:00Z", NURSE),
        ("2026-03-09T08:04:59Z", NURSE),
        ("2026-03-09T08:05:00Z", LEAD), // ten minutes on Friday, five on Monday
        ("2026-03-09T08:19:59Z", LEAD),
        ("2026-03-09T08:20:00Z", DOCTOR),
        ("2026-03-09T12:00:00Z", DOCTOR),
    ] {
        team.until(instant).await;
        assert_eq!(team.who_has_it().await, whose, "{instant}");
    }
}

#[actix_web::test]
async fn who_took_it_has_half_an_hour_and_an_outcome_ends_it() {
    let team = Team::on_friday().await;
    team.until("2026-03-09T08:05:00Z").await;
    let row = emergency(&team.lead).await.expect("it is the lead's");
    let id = super::ward::between(&row, "<a href=/tasks/", ">").expect("a task");
    let csrf = super::ward::csrf_of(team.lead.get("/worklist").await.text());
    let taken = team.lead.post("/worklist/take", &[("csrf", &csrf), ("take", &id)]).await;
    assert!(taken.location().starts_with("/tasks/"), "{}", taken.text());
    team.until("2026-03-09T08:34:59Z").await;
    assert_eq!(team.who_has_it().await, LEAD, "taken at 08:05, theirs until 08:35");
    team.until("2026-03-09T08:35:00Z").await;
    assert_eq!(team.who_has_it().await, DOCTOR, "taken is not answered");

    let row = emergency(&team.doctor).await.expect("it is the doctor's");
    assert!(row.contains("Taken by") || row.contains("name=take"), "{row}");
    let task = format!("/tasks/{id}");
    let csrf = super::ward::csrf_of(team.lead.get(&task).await.text());
    let outcome = [("csrf", csrf.as_str()), ("outcome", "sent_to_emergency")];
    let closed = team.lead.post(&format!("{task}/outcome"), &outcome).await;
    assert_eq!(closed.status, actix_web::http::StatusCode::SEE_OTHER, "{}", closed.text());
    assert_eq!(team.who_has_it().await, [false; 3]);
    team.until("2026-03-10T12:00:00Z").await;
    assert_eq!(team.who_has_it().await, [false; 3], "what is closed climbs no more");
}
