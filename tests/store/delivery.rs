//! Claims, leases, fences: no message goes twice, and what is in doubt is shown and stays unsent.

use tend::app::{
    Live,
    relay::{Claim, Writing},
};
use tend::ports::{Cause, Handover, Refusal};
use tend_engine::model::Channel;

use super::world::{World, accepted, on_both};

on_both!(
    a_claim_is_taken_once,
    a_stop_before_the_claim_wins,
    a_claim_that_was_not_begun_waits_again,
    a_claim_that_was_begun_is_in_doubt,
    an_old_fence_cannot_begin,
    a_refusal_is_tried_again_under_the_same_key,
    what_was_sent_is_kept_sealed,
    claims_of_a_process_that_is_gone_are_swept_at_once,
    an_ending_that_another_process_tells_of_is_written_too,
    what_a_carrier_did_is_kept_where_the_engine_cannot_go_on,
);

async fn claimed(world: &World) -> Vec<Claim> {
    world.enroll("Anna Example", "+447700900001").await;
    world.pass(24).await;
    let claims = world.claim(Channel::Sms).await;
    assert!(!claims.is_empty());
    claims
}

async fn state(world: &World, claim: &Claim) -> String {
    let id = claim.ticket.message.to_string();
    let column = if world.file().is_some() {
        format!("hex(id) = '{}'", id.replace('-', "").to_uppercase())
    } else {
        format!("id = '{id}'")
    };
    world.texts(&format!("select state from message where {column}")).await.remove(0)
}

async fn a_claim_is_taken_once(world: World) {
    let claims = claimed(&world).await;
    assert!(world.claim(Channel::Sms).await.is_empty());
    let ticket = claims[0].ticket;
    assert_eq!(world.begin(&[ticket]).await, [ticket]);
    assert_eq!(world.begin(&[ticket]).await, [], "begun once");
    world.finish(ticket, accepted("1")).await;
    assert_eq!(state(&world, &claims[0]).await, "handed_over");
    assert_eq!(world.begin(&[ticket]).await, [], "nothing begins after its end");
    world.is_sound().await;
}

async fn a_stop_before_the_claim_wins(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    world.pass(24).await;
    assert!(world.text_from("+447700900001", "in-1", " Stop. ").await);
    let claims = world.claim(Channel::Sms).await;
    assert_eq!(claims.len(), 1, "the one confirmation");
    assert!(claims[0].outgoing.text.contains("no more text messages"), "{}", claims[0].outgoing.text);
    assert_eq!(world.number("select count(*) from consent where withdrawn_at is not null").await, 1);
    world.finish(claims[0].ticket, accepted("1")).await;
    world.pass(72).await;
    assert!(world.claim(Channel::Sms).await.is_empty());
    world.is_sound().await;
}

async fn a_claim_that_was_not_begun_waits_again(world: World) {
    let claims = claimed(&world).await;
    assert_eq!(world.app.sweep().await.expect("a sweep").released, 0, "the lease still runs");
    world.sql("update message set lease_until = 1 where state = 'claimed'").await;
    let swept = world.app.sweep().await.expect("a sweep");
    assert_eq!((swept.released, swept.uncertain), (claims.len(), 0));
    let again = world.claim(Channel::Sms).await;
    assert_eq!(again.len(), claims.len());
    assert!(again[0].ticket.fence > claims[0].ticket.fence);
    assert_eq!(
        world.number("select count(distinct key) from message").await,
        world.number("select count(*) from message").await
    );
    world.is_sound().await;
}

async fn a_claim_that_was_begun_is_in_doubt(world: World) {
    let claims = claimed(&world).await;
    world.begin(&[claims[0].ticket]).await;
    world.sql("update message set lease_until = 1 where state = 'claimed'").await;
    let swept = world.app.sweep().await.expect("a sweep");
    assert_eq!((swept.released, swept.uncertain), (claims.len() - 1, 1));
    assert_eq!(state(&world, &claims[0]).await, "uncertain");
    let again = world.claim(Channel::Sms).await;
    assert!(again.iter().all(|claim| claim.ticket.message != claims[0].ticket.message), "never sent again");
    // The carrier's answer comes late, and settles it.
    world.finish(claims[0].ticket, accepted("late")).await;
    assert_eq!(state(&world, &claims[0]).await, "handed_over");
    world.is_sound().await;
}

async fn an_old_fence_cannot_begin(world: World) {
    let claims = claimed(&world).await;
    world.app.release(&[claims[0].ticket]).await.expect("a release");
    assert_eq!(world.begin(&[claims[0].ticket]).await, []);
    let again = world.claim(Channel::Sms).await;
    assert_eq!(world.begin(&[claims[0].ticket]).await, [], "the old claim is void");
    assert_eq!(world.begin(&[again[0].ticket]).await, [again[0].ticket]);
    // Nor can it tell how the new one ended.
    world.finish(claims[0].ticket, accepted("old")).await;
    assert_eq!(state(&world, &again[0]).await, "claimed");
}

async fn a_refusal_is_tried_again_under_the_same_key(world: World) {
    let claims = claimed(&world).await;
    let ticket = claims[0].ticket;
    world.begin(&[ticket]).await;
    let busy = Refusal { permanent: false, retry_after_seconds: None, reason: "450".into() };
    world.finish(ticket, Handover::Refused(busy)).await;
    assert_eq!(state(&world, &claims[0]).await, "scheduled");
    assert!(
        world.claim(Channel::Sms).await.iter().all(|claim| claim.ticket.message != ticket.message),
        "not at once"
    );
    world.pass(1).await;
    let again = world.claim(Channel::Sms).await;
    assert!(again.iter().any(|claim| claim.ticket.message == ticket.message));
    world.finish(ticket, Handover::Unknown(Cause::Cut)).await;
    assert_eq!(state(&world, &claims[0]).await, "claimed", "an old attempt says nothing about the new one");
    world.is_sound().await;
}

async fn what_was_sent_is_kept_sealed(world: World) {
    let claims = claimed(&world).await;
    assert_eq!(world.number("select count(*) from attempt").await, claims.len() as i64);
    assert_eq!(claims[0].outgoing.to, "+447700900001");
    assert_eq!(
        world.number("select count(*) from attempt where version is not null").await,
        claims.len() as i64
    );
}

async fn claims_of_a_process_that_is_gone_are_swept_at_once(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    world.pass(24).await;
    let other = world.another_node().await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let claims = other.claim(Channel::Sms, 50, deadline).await.expect("a claim");
    assert!(!claims.is_empty());
    if world.app.store.is_postgres() {
        assert_eq!(world.app.sweep().await.expect("a sweep").released, 0, "the other node lives");
    }
    other.store.clone().close().await.expect("the other node goes");
    drop(other);
    assert_eq!(world.app.sweep().await.expect("a sweep").released, claims.len());
}

async fn an_ending_that_another_process_tells_of_is_written_too(world: World) {
    let claims = claimed(&world).await;
    let ticket = claims[0].ticket;
    assert_eq!(world.begin(&[ticket]).await, [ticket]);
    let other = world.another_node().await;
    let writing = Writing { begin: Vec::new(), finish: vec![(ticket, accepted("other"))] };
    other.write(&writing).await.expect("an ending");
    assert_eq!(state(&world, &claims[0]).await, "handed_over");
    world.finish(ticket, accepted("again")).await;
    assert_eq!(world.number("select count(*) from event where kind = 'handed_over'").await, 1, "told once");
    world.is_sound().await;
}

async fn what_a_carrier_did_is_kept_where_the_engine_cannot_go_on(world: World) {
    let claims = claimed(&world).await;
    let ticket = claims[0].ticket;
    assert_eq!(world.begin(&[ticket]).await, [ticket]);
    let whole = world.app.live();
    world.app.set_live(Live { sites: whole.sites.clone(), ..Live::default() });
    world.finish(ticket, accepted("kept")).await;
    assert_eq!(state(&world, &claims[0]).await, "handed_over");
    world.app.refresh().await.expect("the library again");
    world.is_sound().await;
    world.pass(72).await;
    world.is_sound().await;
}
