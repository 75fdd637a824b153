//! E-mail against the scripted SMTP server.

use std::time::{Duration, Instant};

use tend::deliver::smtp::{Smtp, SmtpSettings, Timeouts};
use tend::ports::Outgoing;
use tend_engine::model::Channel;

use super::{connect, hand_over, outgoing, word};
use crate::support::log;
use crate::support::smtp::{SmtpFault, SmtpServer};
use crate::support::smtp_sink::SmtpSink;

const FROM: &str = "Follow-up <care@hospital.example>";
const TO: &str = "li@patients.example";
const SHORT: Duration = Duration::from_millis(400);
const LIMIT: Duration = Duration::from_secs(10);

fn server() -> (tempfile::TempDir, SmtpServer) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = SmtpServer::start(&folder.path().join("smtp.log"));
    (folder, server)
}

/// A carrier that waits a short time only.
fn carrier(url: &str) -> Smtp {
    let mut settings = SmtpSettings::parse(url).expect("an address");
    settings.timeouts = Timeouts { connect: 4 * SHORT, command: SHORT, content: SHORT };
    Smtp::new(settings, FROM).expect("a carrier")
}

fn plain(server: &SmtpServer) -> Smtp {
    carrier(&format!("smtp+plain://{}", server.address()))
}

fn mail(text: &str) -> Outgoing {
    outgoing(Channel::Email, TO, text)
}

#[tokio::test]
async fn a_group_of_mails_goes_over_one_connection_and_arrives_whole() {
    let (_folder, server) = server();
    let carrier = plain(&server);
    let mut connection = connect(&carrier).await;
    let mut ids = Vec::new();
    for text in ["点开链接\n.\n..dots\n. end", "second", "third"] {
        let message = mail(text);
        assert_eq!(word(&connection.hand_over(&message).await), "accepted");
        assert!(connection.usable());
        ids.push(format!("<{}@hospital.example>", message.id));
    }
    connection.leave().await;
    assert!(!connection.usable());
    let left = log::read(server.log()).iter().any(|line| line["event"] == "quit" && line["connection"] == 1);
    assert!(left, "it took its leave");
    let taken = server.wait_for(3, LIMIT);
    assert!(taken.iter().all(|mail| mail.connection == 1 && !mail.encrypted));
    assert_eq!(taken.iter().map(|mail| mail.header("Message-ID")).collect::<Vec<_>>(), ids);
    assert_eq!(taken[0].header("Subject"), "今天感觉如何？");
    assert_eq!(taken[0].part("text/plain").replace('\r', "").trim_end(), "点开链接\n.\n..dots\n. end");
    assert!(taken[0].part("text/html").contains("点开链接"));
    assert_eq!(
        (taken[0].from.as_str(), taken[0].to.as_slice()),
        ("care@hospital.example", [TO.to_owned()].as_slice())
    );
}

#[tokio::test]
async fn each_fault_has_its_ending() {
    let (_folder, server) = server();
    let carrier = plain(&server);
    for (fault, ending) in [
        (SmtpFault::Greeting(421), "refused for now"),
        (SmtpFault::Greeting(554), "refused for now"),
        (SmtpFault::Recipient(450), "refused for now"),
        (SmtpFault::Recipient(550), "refused for good"),
        (SmtpFault::Recipient(421), "refused for now"),
        (SmtpFault::AfterData(451), "refused for now"),
        (SmtpFault::AfterData(554), "refused for good"),
        (SmtpFault::StallAfterData(3 * SHORT), "unknown"),
        (SmtpFault::CutAfterDot, "unknown"),
        (SmtpFault::CutInData, "unknown"),
    ] {
        server.fail_next(fault.clone());
        assert_eq!(word(&hand_over(&carrier, &mail("Hello")).await), ending, "{fault:?}");
    }
    assert_eq!(word(&hand_over(&carrier, &mail("Hello")).await), "accepted", "and it goes on");
    assert_eq!(server.taken().len(), 3, "the stalled, the cut and the last one");
}

#[tokio::test]
async fn nobody_listening_is_a_refusal_for_now() {
    let (_folder, server) = server();
    server.refuse();
    assert_eq!(word(&hand_over(&plain(&server), &mail("Hello")).await), "refused for now");
}

#[tokio::test]
async fn a_refused_mail_leaves_the_connection_usable_and_doubt_does_not() {
    let (_folder, server) = server();
    let carrier = plain(&server);
    let mut connection = connect(&carrier).await;
    for fault in [SmtpFault::Recipient(550), SmtpFault::AfterData(451)] {
        server.fail_next(fault);
        assert!(word(&connection.hand_over(&mail("no")).await).starts_with("refused"));
        assert!(connection.usable());
        assert_eq!(word(&connection.hand_over(&mail("yes")).await), "accepted");
    }
    server.fail_next(SmtpFault::StallAfterData(3 * SHORT));
    assert_eq!(word(&connection.hand_over(&mail("who knows")).await), "unknown");
    assert!(!connection.usable(), "a late reply would be taken for the next mail's");
    let texts: Vec<String> =
        server.taken().iter().map(|mail| mail.part("text/plain").trim().to_owned()).collect();
    assert_eq!(texts, ["yes", "yes", "who knows"]);
}

#[tokio::test]
async fn no_byte_leaves_after_the_deadline() {
    let (_folder, server) = server();
    let carrier = plain(&server);
    let mut connection = connect(&carrier).await;
    let late = Outgoing { deadline: Instant::now(), ..mail("late") };
    assert_eq!(word(&connection.hand_over(&late).await), "refused for now");
    assert_eq!(word(&connection.hand_over(&mail("in time")).await), "accepted");
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn encryption_is_used_when_offered_and_insisted_on_when_required() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = SmtpServer::start_with_tls(&folder.path().join("smtp.log"));
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, server.certificate()).expect("writable");
    let (port, authority) = (server.address().port(), authority.display());
    let trusting = carrier(&format!("smtp://localhost:{port}?ca={authority}"));
    assert_eq!(word(&hand_over(&trusting, &mail("Hello")).await), "accepted");
    assert!(server.taken()[0].encrypted);
    let distrusting = carrier(&format!("smtp://localhost:{port}"));
    assert_eq!(word(&hand_over(&distrusting, &mail("Hello")).await), "refused for now");

    let plain = SmtpServer::start(&folder.path().join("plain.log"));
    let insisting = carrier(&format!("smtp://{}?tls=required", plain.address()));
    assert_eq!(word(&hand_over(&insisting, &mail("Hello")).await), "refused for now");
    let with_password = carrier(&format!("smtp://me:secret@{}", plain.address()));
    assert_eq!(word(&hand_over(&with_password, &mail("Hello")).await), "refused for now");
    let opportunistic = carrier(&format!("smtp://{}", plain.address()));
    assert_eq!(word(&hand_over(&opportunistic, &mail("Hello")).await), "accepted");
    assert_eq!((plain.taken().len(), server.taken().len()), (1, 1));
}

#[tokio::test]
async fn a_real_server_takes_a_group() {
    let sink = SmtpSink::start();
    let carrier = carrier(&format!("smtp+plain://{}", sink.address()));
    let mut connection = connect(&carrier).await;
    for _ in 0..20 {
        assert_eq!(word(&connection.hand_over(&mail("今天感觉如何？\n.")).await), "accepted");
    }
    drop(connection);
    let all =
        || sink.mails().iter().filter(|mail| mail.contains("Auto-Submitted: auto-generated")).count() == 20;
    crate::support::process::wait_until("twenty mails in the sink", LIMIT, None, all);
}
