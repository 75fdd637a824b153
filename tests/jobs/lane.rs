//! A lane against the scripted SMTP server.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tend::deliver::smtp::{Smtp, SmtpSettings};
use tend::jobs::{Lane, Stop};
use tend::ports::Carrier;

use super::fake::Fake;
use crate::support::smtp::{SmtpFault, SmtpServer};

fn server() -> (tempfile::TempDir, SmtpServer) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = SmtpServer::start(&folder.path().join("smtp.log"));
    (folder, server)
}

fn carrier(server: &SmtpServer) -> Arc<dyn Carrier> {
    let mut settings =
        SmtpSettings::parse(&format!("smtp+plain://{}", server.address())).expect("an address");
    settings.timeouts.content = Duration::from_millis(300);
    Arc::new(Smtp::new(settings, "Follow-up <care@hospital.example>").expect("a carrier"))
}

fn taken(server: &SmtpServer) -> BTreeSet<String> {
    let mails = server.taken();
    let ids: BTreeSet<String> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), mails.len(), "no message was taken twice");
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_drains_over_a_few_connections_and_shares_commits() {
    let (_folder, server) = server();
    let fake = Arc::new(Fake::with(400));
    let (_stopper, stop) = Stop::pair();
    Lane::new(fake.clone(), carrier(&server), 8).drain(&stop).await.expect("drained");
    assert_eq!((taken(&server).len(), fake.count("accepted")), (400, 400));
    let connections = server.taken().iter().map(|mail| mail.connection).max().expect("mails");
    assert!(connections <= 16, "{connections} connections for a group");
    let commits = fake.commits.load(Ordering::SeqCst);
    assert!(commits < 400, "{commits} commits for 400 messages: begin and end share them");
    assert!(fake.released.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_doubt_end_as_they_are_and_the_others_go_on() {
    let (_folder, server) = server();
    let fake = Arc::new(Fake::with(60));
    for fault in [
        SmtpFault::Recipient(450),
        SmtpFault::Recipient(550),
        SmtpFault::AfterData(451),
        SmtpFault::StallAfterData(Duration::from_millis(600)),
        SmtpFault::CutAfterDot,
        SmtpFault::CutInData,
    ] {
        server.fail_next(fault);
    }
    let (_stopper, stop) = Stop::pair();
    Lane::new(fake.clone(), carrier(&server), 4).drain(&stop).await.expect("drained");
    let counts = ["accepted", "refused for now", "refused for good", "unknown"].map(|how| fake.count(how));
    assert_eq!(counts, [54, 2, 1, 3]);
    assert_eq!(taken(&server).len(), 56);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_costs_one_message_an_attempt_and_the_others_nothing() {
    let (_folder, server) = server();
    let fake = Arc::new(Fake::with(50));
    server.refuse();
    let lane = Lane::new(fake.clone(), carrier(&server), 4);
    let (_stopper, stop) = Stop::pair();
    lane.drain(&stop).await.expect("drained");
    let rests = lane.until_ready().await.expect("messages wait");
    assert!(rests > Duration::ZERO, "nobody looks before the rest is over");
    assert_eq!(fake.ended.lock().unwrap().len(), 1);
    assert_eq!(fake.count("refused for now"), 1);
    assert!(fake.released.lock().unwrap().len() >= 7, "what else was claimed is given back");
    server.accept();
    lane.drain(&stop).await.expect("drained");
    assert_eq!(fake.count("accepted"), 0, "it rests");
    tokio::time::sleep(Duration::from_millis(600)).await;
    lane.drain(&stop).await.expect("drained");
    assert_eq!((fake.count("accepted"), taken(&server).len()), (49, 49));
    assert_eq!(lane.until_ready().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_is_in_flight_and_gives_the_rest_back() {
    let (_folder, server) = server();
    let fake = Arc::new(Fake::with(500));
    let (stopper, stop) = Stop::pair();
    let lane = Arc::new(Lane::new(fake.clone(), carrier(&server), 4));
    let draining = tokio::spawn({
        let lane = lane.clone();
        async move { lane.drain(&stop).await }
    });
    while fake.ended.lock().unwrap().len() < 20 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let begin = Instant::now();
    stopper.stop();
    draining.await.expect("no panic").expect("drained");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    let (begun, ended) = (fake.begun.lock().unwrap().len(), fake.ended.lock().unwrap().len());
    assert_eq!((begun, taken(&server).len()), (ended, ended));
    assert!(ended < 500 && !fake.released.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_ran_out_is_given_back_and_guarded_anew() {
    let (_folder, server) = server();
    let fake = Arc::new(Fake::with(20));
    *fake.lasts.lock().unwrap() = Duration::from_millis(100);
    let (stopper, stop) = Stop::pair();
    let lane = Arc::new(Lane::new(fake.clone(), carrier(&server), 4));
    let draining = tokio::spawn({
        let lane = lane.clone();
        async move { lane.drain(&stop).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((server.taken().len(), fake.begun.lock().unwrap().len()), (0, 0));
    *fake.lasts.lock().unwrap() = Duration::from_secs(5);
    draining.await.expect("no panic").expect("drained");
    drop(stopper);
    assert_eq!(taken(&server).len(), 20);
}
