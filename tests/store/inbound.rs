//! Texts and receipts: each is taken once, in whatever order it comes.

use tend::ports::ProviderRef;
use tend_engine::model::Channel;

use super::world::{World, accepted, on_both};

on_both!(
    a_receipt_counts_once,
    a_receipt_may_come_before_the_hand_over_is_written_down,
    a_receipt_for_nothing_changes_nothing,
    a_text_is_taken_once,
    a_number_of_two_people_stops_for_both,
    a_text_from_an_unknown_number_is_kept,
    a_danger_word_raises_an_alert,
);

async fn a_receipt_counts_once(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    world.pass(24).await;
    let claims = world.claim(Channel::Sms).await;
    world.begin(&[claims[0].ticket]).await;
    world.finish(claims[0].ticket, accepted("r-1")).await;
    let reference = ProviderRef("r-1".into());
    assert!(world.app.receipt(&reference, true).await.expect("a receipt"));
    assert!(!world.app.receipt(&reference, true).await.expect("a receipt"), "the same again");
    assert_eq!(world.number("select count(*) from message where state = 'delivered'").await, 1);
    assert_eq!(world.number("select count(*) from event where kind = 'receipt'").await, 1);
    world.is_sound().await;
}

async fn a_receipt_may_come_before_the_hand_over_is_written_down(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    world.pass(24).await;
    let claims = world.claim(Channel::Sms).await;
    world.begin(&[claims[0].ticket]).await;
    let reference = ProviderRef("early".into());
    assert!(!world.app.receipt(&reference, true).await.expect("a receipt"));
    world.finish(claims[0].ticket, accepted("early")).await;
    assert_eq!(world.number("select count(*) from message where state = 'delivered'").await, 1);
    assert!(!world.app.receipt(&reference, true).await.expect("a receipt"));
    world.is_sound().await;
}

async fn a_receipt_for_nothing_changes_nothing(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    assert!(!world.app.receipt(&ProviderRef("never sent".into()), false).await.expect("a receipt"));
    world.is_sound().await;
}

async fn a_text_is_taken_once(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    assert!(world.text_from("+447700900001", "in-1", "HELP").await);
    assert!(!world.text_from("+447700900001", "in-1", "HELP").await);
    assert_eq!(world.number("select count(*) from event where kind = 'replied'").await, 1);
    assert_eq!(world.number("select count(*) from reply").await, 1);
}

async fn a_number_of_two_people_stops_for_both(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    world.enroll("Karl Example", "+447700900001").await;
    assert!(world.text_from("+447700900001", "in-1", "STOP").await);
    assert_eq!(
        world.number("select count(distinct patient) from event where kind = 'channel_stopped'").await,
        2
    );
    world.is_sound().await;
}

async fn a_text_from_an_unknown_number_is_kept(world: World) {
    assert!(world.text_from("+447700900999", "in-1", "who is this?").await);
    assert!(!world.text_from("+447700900999", "in-1", "who is this?").await);
    assert_eq!(world.number("select count(*) from reply where patient is null").await, 1);
}

async fn a_danger_word_raises_an_alert(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    assert!(world.text_from("+447700900001", "in-1", "I have CHEST PAIN since noon").await);
    assert_eq!(world.number("select count(*) from task where level = 'red_now' and state = 'open'").await, 1);
    assert_eq!(
        world
            .number(
                "select cast(sum(n) as bigint) from queue_count where level = 'red_now' and role = 'nurse'"
            )
            .await,
        1
    );
    world.is_sound().await;
}
