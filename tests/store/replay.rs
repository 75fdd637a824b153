//! Every history is decided again as it was, under the settings of its time; what was decided otherwise is found.

use jiff::{Timestamp, civil::time};
use tend::app::Live;
use tend::ports::Clock;
use tend_engine::model::Channel;
use tend_engine::planner::Made;
use tend_engine::replay::{Line, Replayed, replay};
use tend_engine::{PatientId, StaffId, site::SiteSettings};

use super::world::{SITE, World, accepted, on_both};

on_both!(
    a_course_is_decided_again_under_the_settings_of_its_time,
    what_was_only_written_down_is_not_decided_about,
    what_was_decided_otherwise_is_found,
);

async fn lines(world: &World, patient: PatientId) -> Vec<Line> {
    world.app.store.lines_until(patient, Timestamp::MAX).await.expect("a history")
}

async fn decided_again(world: &World, patient: PatientId) -> Replayed {
    let settings = world.app.store.settings_ever().await.expect("settings").remove(&SITE).expect("a site");
    let library = world.app.store.library().await.expect("versions");
    replay(&library, &settings, &lines(world, patient).await)
}

async fn days(world: &World, days: i64) {
    for _ in 0..2 * days {
        world.pass(12).await;
        world.send_all(Channel::Sms).await;
    }
}

async fn a_course_is_decided_again_under_the_settings_of_its_time(world: World) {
    let who = world.enroll("Anna Example", "+447700900001").await;
    days(&world, 3).await;
    let mut other = SiteSettings { version: 2, ..SiteSettings::default() };
    other.quiet.open = time(11, 0, 0, 0);
    let mut tx = world.app.store.begin();
    tx.set_site(SITE, &other, None, world.clock.now()).await.expect("settings");
    tx.commit().await.expect("a commit");
    world.app.refresh().await.expect("live settings");
    days(&world, 3).await;
    world.text_from("+447700900001", "in-1", "STOP").await;
    world.is_sound().await;
    let replayed = decided_again(&world, who.patient).await;
    assert!(replayed.differences.is_empty(), "{:?}", replayed.differences);
    assert!(replayed.batches > 10 && replayed.engines.len() == 1, "{}", replayed.in_words());
    let both: Vec<u64> = lines(&world, who.patient)
        .await
        .iter()
        .filter_map(|line| Some(line.made.under()?.settings))
        .collect();
    assert!(both.contains(&1) && both.contains(&2), "{both:?}");
}

async fn what_was_only_written_down_is_not_decided_about(world: World) {
    let who = world.enroll("Anna Example", "+447700900001").await;
    world.pass(24).await;
    let claims = world.claim(Channel::Sms).await;
    world.begin(&[claims[0].ticket]).await;
    let sites = world.app.live().sites.clone();
    world.app.set_live(Live { sites, ..Live::default() });
    world.clock.set(world.app.store.next_wake().await.expect("a look").expect("somebody is due"));
    assert_eq!(world.app.tick().await.expect("a tick").0.quarantined, 1);
    world.finish(claims[0].ticket, accepted("ref-1")).await;
    assert!(lines(&world, who.patient).await.iter().any(|line| line.made == Made::Kept));
    world.app.refresh().await.expect("live settings");
    assert!(world.app.take_back(who.patient, StaffId(1)).await.expect("a look"));
    days(&world, 2).await;
    world.is_sound().await;
}

async fn what_was_decided_otherwise_is_found(world: World) {
    let who = world.enroll("Anna Example", "+447700900001").await;
    days(&world, 4).await;
    world.is_sound().await;
    let by_hand =
        "update event set body = replace(body, '\"silent\"', '\"not_asked_late\"') where kind = 'closed'";
    world.sql(by_hand).await;
    let findings = world.app.doctor(true).await.expect("a check");
    let otherwise = |line: &&String| line.contains("decided otherwise now: ");
    assert!(findings.differences.iter().any(|line| otherwise(&line)), "{:?}", findings.differences);
    // As if another engine had decided it: named, and no fault of this one.
    world.sql("update event set decided_under = decided_under + 8 * 8589934592").await;
    let replayed = decided_again(&world, who.patient).await;
    assert!(
        !replayed.differences.is_empty() && replayed.faults().next().is_none(),
        "{}",
        replayed.in_words()
    );
    assert!(
        replayed.differences[0].in_words().contains("by engine 9"),
        "{}",
        replayed.differences[0].in_words()
    );
    let findings = world.app.doctor(true).await.expect("a check");
    assert!(!findings.differences.iter().any(|line| otherwise(&line)), "{:?}", findings.differences);
    // As if it had been stored before this was kept.
    world.sql("update event set decided_under = 0").await;
    let unknown = decided_again(&world, who.patient).await;
    assert!(!unknown.differences.is_empty() && unknown.faults().next().is_none(), "{}", unknown.in_words());
}
