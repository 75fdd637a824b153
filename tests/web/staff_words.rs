//! What stands on the staff's pages, word by word: reasons before patients, numbers before limits, words before codes.

use actix_web::http::StatusCode;
use tend::app::enroll::Enrolled;
use tend_engine::model::Role;

use super::ward::{Ward, between};
use crate::support::app::on_both_databases;

on_both_databases!(
    a_red_patient_on_the_risk_queue_shows_why_and_the_switches_are_elsewhere,
    a_call_shows_the_answers_behind_the_rule,
    what_was_saved_is_named_and_nobodys_red_task_has_no_button_ready,
    a_message_that_was_not_sent_says_why,
    the_worklist_says_now_and_in_which_year_somebody_was_born,
    the_patient_page_shows_words_and_what_is_open_first,
    a_patient_elsewhere_has_the_hospitals_times,
);

/// The nurse types the answers of today's check.
async fn check(ward: &Ward, of: Enrolled, weight: &str, breathing: &str) {
    let page = ward.pages.get(&format!("/patients/{}", of.patient)).await;
    let path = between(page.text(), "<a href=\"/answers/", "\"").expect("a questionnaire");
    let path = format!("/answers/{path}");
    let fields = [
        ("weight", weight),
        ("breathing", breathing),
        ("sleeping", "no"),
        ("swelling", "none"),
        ("dizzy", "no"),
        ("chest", "no"),
        ("tablets", "yes"),
        ("cough", "no"),
        ("has_monitor", "no"),
    ];
    let answer = ward.submit(&path, &path, &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

async fn alert(ward: &Ward, of: Enrolled) -> String {
    let tasks = ward.pages.app.store.tasks_of(of.patient).await.expect("tasks");
    let alert = tasks.iter().find(|task| task.open && task.plan.rule.is_some()).expect("an alert");
    format!("/tasks/{}", alert.id)
}

async fn a_red_patient_on_the_risk_queue_shows_why_and_the_switches_are_elsewhere() {
    let ward = Ward::with_nurse().await;
    let of = ward.enrol("Ann Example", 1).await;
    ward.days_pass(1).await;
    check(&ward, of, "78", "at_rest").await;
    ward.hire("doctor", &["clinician"], &[Role::Clinician]).await;
    ward.sign_in("doctor").await;
    for (lang, reason) in [("en", "breathless at rest"), ("zh", "休息时气喘")] {
        let page = ward.pages.get(&format!("/risk?lang={lang}")).await;
        let row = page.text().split_once(">Ann Example<").expect("the patient").1;
        assert!(row.contains(reason), "{lang}: {row}");
        assert!(row.contains(&alert(&ward, of).await), "with the way to it: {row}");
        assert!(!page.text().contains("name=\"state\""), "no switch before the patients");
        assert!(page.text().contains("/risk/monitor#switches"));
    }
    let monitor = ward.pages.get("/risk/monitor?lang=en").await;
    assert!(monitor.text().contains("name=\"state\" value=\"on\""), "{}", monitor.text());
    let turned = ward
        .submit("/risk/monitor", "/risk/switch", &[("workflow", "hf-discharge-90d"), ("state", "on")])
        .await;
    assert_eq!(turned.location(), "/risk/monitor#switches");
    assert!(ward.pages.get("/risk?lang=en").await.text().contains("is on in 1 of"));
}

async fn a_call_shows_the_answers_behind_the_rule() {
    let ward = Ward::with_nurse().await;
    let of = ward.enrol("Ann Example", 1).await;
    for (weight, breathing) in [("78.2", "same"), ("78.1", "same"), ("80.6", "worse")] {
        ward.days_pass(1).await;
        check(&ward, of, weight, breathing).await;
    }
    let path = alert(&ward, of).await;
    let page = ward.pages.get(&format!("{path}?lang=en")).await;
    let behind = page.text().split_once("The answers behind it").expect("the answers").1;
    for words in ["80.6 kg", "+2.5 kg in 1 day(s) (78.1 kg, ", "→ 80.6 kg, ", "Dry weight 78 kg (+2.6 kg)"]
    {
        assert!(behind.contains(words), "`{words}`: {behind}");
    }
    let seq = between(page.text(), "/why/", "\">Rule").expect("the rule leads to why");
    let entry = ward.pages.get(&format!("/patients/{}/why/{seq}", of.patient)).await;
    assert_eq!(entry.status, StatusCode::OK);
    assert!(entry.text().contains("Task opened"), "{}", entry.text());
    let chinese = ward.pages.get(&format!("{path}?lang=zh")).await;
    assert!(chinese.text().contains("依据的答复") && chinese.text().contains("1 天内 +2.5 kg"));
}

async fn what_was_saved_is_named_and_nobodys_red_task_has_no_button_ready() {
    let ward = Ward::with_nurse().await;
    let ann = ward.enrol("Ann Example", 1).await;
    let ben = ward.enrol("Ben Example", 2).await;
    ward.days_pass(1).await;
    check(&ward, ann, "78", "at_rest").await;
    check(&ward, ben, "81", "same").await;
    let path = alert(&ward, ann).await;
    let outcome = |html: &str| {
        let button = html.split("<button name=\"outcome\"").nth(1).expect("an outcome");
        button.split_once('>').expect("its end").0.to_owned()
    };
    let free = ward.pages.get(&format!("{path}?lang=en")).await;
    assert!(outcome(free.text()).contains("quiet"), "nobody has taken it: {}", free.text());
    let id = path.trim_start_matches("/tasks/").to_owned();
    ward.submit("/worklist", "/worklist/take", &[("take", &id)]).await;
    let mine = ward.pages.get(&path).await;
    assert!(!outcome(mine.text()).contains("quiet"), "{}", mine.text());
    let closed = ward.submit(&path, &format!("{path}/outcome"), &[("outcome", "called_advice")]).await;
    let next = closed.location().to_owned();
    assert!(next.starts_with("/tasks/") && !next.contains("Ann"), "no name in an address: {next}");
    let page = ward.pages.get(&next).await;
    let notice = between(page.text(), "role=\"status\">", "</p>").expect("a notice");
    assert!(notice.starts_with("Saved for Ann Example. Next: "), "{notice}");
    let chinese = ward.pages.get(&format!("{next}&lang=zh")).await;
    assert!(chinese.text().contains("Ann Example的结果已保存"), "{}", chinese.text());
}

async fn a_message_that_was_not_sent_says_why() {
    let ward = Ward::with_nurse().await;
    let of = ward.enrol("Ann Example", 1).await;
    ward.days_pass(1).await;
    let app = &ward.pages.app;
    let fact = tend_engine::fact::Fact::ChannelStopped { channel: tend_engine::model::Channel::Sms };
    let fact = tend::app::record::just_now(tend::app::Actor::System, app.clock.now(), None, fact);
    let nothing = tend::store::FreeText::new();
    app.record(tend::app::Actor::System, "stop", of.patient, vec![fact], &nothing).await.expect("recorded");
    ward.days_pass(2).await;
    for (lang, why) in [("en", "the channel was stopped"), ("zh", "渠道已退订")] {
        let log = ward.pages.get(&format!("/messages?lang={lang}")).await;
        let patient = format!("/patients/{}", of.patient);
        assert!(log.text().contains(why) && log.text().contains(&patient), "{}", log.text());
        let page = ward.pages.get(&format!("{patient}?lang={lang}")).await;
        let messages = page.text().split_once("aria-labelledby=\"messages\"").expect("messages").1;
        let messages = messages.split_once("</table>").expect("their end").0;
        assert!(messages.contains(why), "{messages}");
    }
}

async fn the_worklist_says_now_and_in_which_year_somebody_was_born() {
    let ward = Ward::with_nurse().await;
    let of = ward.enrol("Ann Example", 1).await;
    ward.days_pass(1).await;
    check(&ward, of, "78", "at_rest").await;
    for (lang, now, born) in [("en", ">Now<", "born 1948"), ("zh", ">立即<", "1948 年生")] {
        let page = ward.pages.get(&format!("/worklist?role=all&lang={lang}")).await;
        let row = page.text().split("<li class=red>").nth(1).expect("a red row");
        assert!(row.contains(now) && row.contains(born) && row.contains("class=late"), "{row}");
        let reasons = between(row, "<p>", "</p>").expect("reasons");
        assert!(!reasons.contains('…'), "nothing of it is cut: {reasons}");
    }
    let tomorrow = tend::web::staff::vocabulary::short_instant;
    let zone = jiff::tz::TimeZone::UTC;
    let at = |text: &str| text.parse().expect("an instant");
    let (due, now) = (at("2026-11-30T08:15:00Z"), at("2026-11-28T12:00:00Z"));
    assert_eq!(tomorrow(tend::web::Lang::En, &zone, due, now), "Mon 30 Nov 08:15");
    assert_eq!(tomorrow(tend::web::Lang::Zh, &zone, due, now), "11月30日周一 08:15");
    assert_eq!(tomorrow(tend::web::Lang::En, &zone, due, due), "08:15");
}

async fn the_patient_page_shows_words_and_what_is_open_first() {
    let ward = Ward::with_nurse().await;
    let of = ward.enrol("Ann Example", 1).await;
    ward.days_pass(1).await;
    check(&ward, of, "78", "at_rest").await;
    let path = alert(&ward, of).await;
    ward.submit(&path, &format!("{path}/outcome"), &[("outcome", "called_advice")]).await;
    let page = ward.pages.get(&format!("/patients/{}?lang=en", of.patient)).await;
    let html = page.text();
    let at = |words: &str| html.find(words).unwrap_or_else(|| panic!("no `{words}`: {html}"));
    assert!(at("id=\"tasks\"") < at("id=\"answers\"") && at("id=\"answers\"") < at("id=\"stand\""));
    assert!(at("1 closed</summary>") < at("id=\"answers\""), "folded away");
    assert!(html.contains("Sex: female") && html.contains("<dd>English</dd>"), "{html}");
    assert!(html.contains("Language English, time zone UTC"), "{html}");
    let consent = "Rules fired: ";
    assert!(html.contains(consent) && !html.contains("hf-breathless-at-rest</"), "{html}");
    let fired = between(html, consent, "<small>").expect("the rules");
    assert!(fired.contains("breathless at rest"), "{fired}");
    let chinese = ward.pages.get(&format!("/patients/{}?lang=zh", of.patient)).await;
    for words in ["性别：女", "<dd>英语</dd>", "1 项已关闭"] {
        assert!(chinese.text().contains(words), "{words}: {}", chinese.text());
    }
}

async fn a_patient_elsewhere_has_the_hospitals_times() {
    let ward = Ward::with_nurse().await;
    let of = ward.enrol("Ann Example", 1).await;
    let page = ward.pages.get(&format!("/patients/{}?lang=en", of.patient)).await;
    assert!(!page.text().contains("The patient lives in"), "the same zone is not spoken of");
    let app = &ward.pages.app;
    let fact = tend_engine::fact::Fact::Preference {
        language: "en".into(),
        zone: "Asia/Shanghai".into(),
        preferred: None,
    };
    let fact = tend::app::record::just_now(tend::app::Actor::System, app.clock.now(), None, fact);
    let nothing = tend::store::FreeText::new();
    app.record(tend::app::Actor::System, "zone", of.patient, vec![fact], &nothing).await.expect("recorded");
    ward.days_pass(2).await;
    let tasks = app.store.tasks_of(of.patient).await.expect("tasks");
    let task = tasks.iter().find(|task| task.open && task.respond_by.is_some()).expect("a task");
    let by = jiff::tz::TimeZone::UTC.to_datetime(task.respond_by.expect("a deadline"));
    let page = ward.pages.get(&format!("/patients/{}?lang=en", of.patient)).await;
    assert!(page.text().contains("The patient lives in Asia/Shanghai"), "{}", page.text());
    let words = by.strftime("Respond by %Y-%m-%d %H:%M").to_string();
    assert!(page.text().contains(&words), "`{words}`: {}", page.text());
}
