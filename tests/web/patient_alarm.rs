//! What a patient is told to do now stands first until the end; and what is asked so that no slip counts.

use tend_engine::Decimal;
use tend_engine::Value;
use tend_engine::fact::{Answer, Fact};

use super::patient::{BIRTH, CALM, answer_calmly, at, first_check};
use crate::support::app::{TestApp, on_both_databases};

on_both_databases!(
    a_red_flag_stands_first_on_the_check_and_when_all_has_arrived,
    a_red_flag_that_was_taken_back_is_not_told_of,
    a_number_in_the_wrong_unit_is_asked_about_and_the_unit_is_kept,
    an_impossible_date_of_birth_is_no_try,
);

async fn choose(app: &TestApp, link: &str, item: &str, value: &str) -> String {
    app.answer(&format!("{link}/q/0/{item}"), &[("answer", value)]).await.location().to_owned()
}

async fn a_red_flag_stands_first_on_the_check_and_when_all_has_arrived() {
    let (app, _, link) = first_check().await;
    answer_calmly(&app, &link).await;
    choose(&app, &link, "breathing", "at_rest").await;
    for (lang, call, arrived, closing) in [
        ("zh", "112", "您的回答已收到", "工作日"),
        ("en", "Call 112 now", "Your answers have arrived", "working days"),
    ] {
        let check = app.get(&format!("{link}/check?lang={lang}")).await;
        let main = check.text().split_once("<main").expect("a main part").1;
        let alarm = main.find("notice red").expect("the alarm");
        assert!(main.find(call).expect("what to do") > alarm, "{main}");
        assert!(alarm < main.find("<h1").expect("a heading"), "first of all: {main}");
        let (dial, rows) = (main.find("href=\"tel:112\""), main.find("<dl"));
        assert!(dial.expect("the number") < rows.expect("the answers"), "{main}");
        if lang == "zh" {
            continue;
        }
        app.post(&format!("{link}/check"), &[("csrf", &check.hidden("csrf"))]).await;
        for (lang, call, arrived, closing) in
            [("zh", "112", "您的回答已收到", "工作日"), (lang, call, arrived, closing)]
        {
            let done = app.get(&format!("{link}/done?lang={lang}")).await;
            let main = done.text().split_once("<main").expect("a main part").1;
            let main = main.split_once("</main>").expect("its end").0;
            let alarm = main.find("notice red").expect("the alarm");
            assert!(alarm < main.find(arrived).expect("that they arrived"), "{main}");
            assert!(main.contains(call) && main.contains("href=\"tel:112\""), "{main}");
            assert!(!main.contains("notice green"), "nothing green: {main}");
            assert!(!main.contains(closing), "nothing that reassures: {main}");
            assert!(!main.contains("We will write"), "{main}");
        }
    }
}

async fn a_red_flag_that_was_taken_back_is_not_told_of() {
    let (app, _, link) = first_check().await;
    answer_calmly(&app, &link).await;
    choose(&app, &link, "breathing", "at_rest").await;
    let check = choose(&app, &link, "breathing", "same").await;
    let check = app.get(&check).await;
    assert!(!check.text().contains("notice red"), "{}", check.text());
    app.post(&format!("{link}/check"), &[("csrf", &check.hidden("csrf"))]).await;
    let done = app.get(&format!("{link}/done")).await;
    assert!(done.text().contains("notice green") && !done.text().contains("notice red"), "{}", done.text());
}

async fn a_number_in_the_wrong_unit_is_asked_about_and_the_unit_is_kept() {
    let (app, enrolled, link) = first_check().await;
    let check = answer_calmly(&app, &link).await;
    let csrf = app.get(&check).await.hidden("csrf");
    app.post(&check, &[("csrf", &csrf)]).await;
    app.tick_to(at("2026-03-04T09:05:00Z")).await;
    let link = app.newest_link();
    app.give_birth_date(&link, BIRTH).await;
    let weight = format!("{link}/q/0/weight");
    let kg = "value=\"kg\" checked";
    assert!(app.get(&weight).await.text().contains(kg), "as it was answered");
    let asked = app.answer(&weight, &[("answer", "174"), ("unit", "kg")]).await;
    assert!(asked.text().contains("Is it 174 kg or 174 lb?"), "{}", asked.text());
    let csrf = asked.hidden("csrf");
    let form =
        [("csrf", csrf.as_str()), ("answer", "174"), ("unit", "kg"), ("other_unit", "lb"), ("sure", "other")];
    assert_eq!(app.post(&weight, &form).await.location(), format!("{link}/q/0/breathing"));
    for (item, value) in CALM.iter().skip(1) {
        choose(&app, &link, item, value).await;
    }
    let check = choose(&app, &link, "has_monitor", "no").await;
    let page = app.get(&check).await;
    assert!(page.text().contains("174 lb (78.9 kg)"), "{}", page.text());
    app.post(&check, &[("csrf", &page.hidden("csrf"))]).await;
    let history = app.history(enrolled).await;
    let answers = history.iter().rev().find_map(|entry| match &entry.fact {
        Fact::Answered { answers, .. } => Some(answers.clone()),
        _ => None,
    });
    let answers = answers.expect("answers");
    let weight = answers.iter().find(|(item, _)| **item == *"weight").map(|(_, answer)| answer);
    let Some(Answer::Given { value: Value::Number(kilograms), doubtful: false }) = weight else {
        panic!("{weight:?}")
    };
    assert!(*kilograms < Decimal::whole(79) && Decimal::whole(78) < *kilograms, "{kilograms}");

    app.tick_to(at("2026-03-05T09:05:00Z")).await;
    let link = app.newest_link();
    app.give_birth_date(&link, BIRTH).await;
    let next = app.get(&format!("{link}/q/0/weight")).await;
    assert!(next.text().contains("value=\"lb\" checked"), "the unit of the last answer: {}", next.text());
}

async fn an_impossible_date_of_birth_is_no_try() {
    let (app, _, link) = first_check().await;
    let guard = app.get(&format!("{link}?lang=zh")).await;
    let at = |field: &str| guard.text().find(&format!("id=\"{field}\"")).expect("a field");
    assert!(at("year") < at("month") && at("month") < at("day"), "as it is written in Chinese");
    let guard = app.get(&format!("{link}?lang=en")).await;
    let at = |field: &str| guard.text().find(&format!("id=\"{field}\"")).expect("a field");
    assert!(at("day") < at("month") && at("month") < at("year"));
    for (year, month, day) in [("2958", "3", "27"), ("1958", "2", "30"), ("1858", "3", "27"), ("x", "3", "2")]
    {
        for _ in 0..2 {
            let form = [("day", day), ("month", month), ("year", year)];
            let answer = app.post(&link, &form).await;
            assert!(!answer.text().contains("Tries left"), "{year}-{month}-{day}: {}", answer.text());
        }
    }
    let wrong = app.post(&link, &[("day", "28"), ("month", "3"), ("year", "1958")]).await;
    assert!(wrong.text().contains("Tries left: 4"), "{}", wrong.text());
}
