//! SMS against the scripted gateway and against a real Kannel.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use tend::deliver::kannel::{Kannel, KannelSettings};
use tend::ports::{Handover, Outgoing};
use tend_engine::model::Channel;

use super::{hand_over, outgoing, word};
use crate::support::gateway::{GatewayFault, SmsGateway};
use crate::support::{http, kannel as real};

const TO: &str = "+8613800000001";
const SHORT: Duration = Duration::from_millis(400);
const LIMIT: Duration = Duration::from_secs(20);

fn gateway() -> (tempfile::TempDir, SmsGateway) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let gateway = SmsGateway::start(&folder.path().join("sms.log"));
    (folder, gateway)
}

fn carrier(send_url: &str, report_url: Option<String>) -> Kannel {
    let settings =
        KannelSettings { answer_timeout: SHORT, ..KannelSettings::new(send_url, "10690000", report_url) };
    Kannel::new(settings).expect("a carrier")
}

fn sms(text: &str) -> Outgoing {
    outgoing(Channel::Sms, TO, text)
}

#[tokio::test]
async fn texts_arrive_whole_in_the_coding_that_they_need() {
    let (_folder, gateway) = gateway();
    let carrier = carrier(&gateway.send_url(), Some("http://127.0.0.1:9/gateway/s3/receipt".into()));
    let [latin, chinese] = [sms("Day 3: how are you? & more €"), sms("您好，第3天：今天感觉如何？")];
    for message in [&latin, &chinese] {
        let ending = hand_over(&carrier, message).await;
        let Handover::Accepted(reference) = &ending else { panic!("{ending:?}") };
        assert_eq!(reference.0, message.id.to_string());
    }
    let taken = gateway.taken();
    assert_eq!((taken[0].text.as_str(), taken[0].coding.as_str()), (latin.text.as_str(), "0"));
    assert_eq!((taken[1].text.as_str(), taken[1].coding.as_str()), (chinese.text.as_str(), "2"));
    assert_eq!(taken[0].to, TO);
    assert_eq!(taken[0].report_url, format!("http://127.0.0.1:9/gateway/s3/receipt?id={}&type=%d", latin.id));
}

#[tokio::test]
async fn each_fault_has_its_ending() {
    let (_folder, gateway) = gateway();
    let carrier = carrier(&gateway.send_url(), None);
    for (fault, ending) in [
        (GatewayFault::Busy(7), "refused for now"),
        (GatewayFault::Status(503), "refused for now"),
        (GatewayFault::Status(400), "refused for good"),
        (GatewayFault::Status(404), "refused for now"),
        (GatewayFault::Status(500), "unknown"),
        (GatewayFault::Status(502), "unknown"),
        (GatewayFault::Status(504), "unknown"),
        (GatewayFault::StallAfterAccept(3 * SHORT), "unknown"),
        (GatewayFault::CutAfterAccept, "unknown"),
    ] {
        gateway.fail_next(fault.clone());
        let answer = hand_over(&carrier, &sms("Hello")).await;
        assert_eq!(word(&answer), ending, "{fault:?}");
        if let (GatewayFault::Busy(seconds), Handover::Refused(no)) = (fault, answer) {
            assert_eq!(no.retry_after_seconds, Some(seconds));
        }
    }
    assert_eq!(word(&hand_over(&carrier, &sms("Hello")).await), "accepted", "and it goes on");
    gateway.refuse();
    // A request written to a connection that was just cut is in doubt; give the client time to see the cut.
    tokio::time::sleep(SHORT).await;
    assert_eq!(word(&hand_over(&carrier, &sms("Hello")).await), "refused for now", "nobody listens");
    assert_eq!(gateway.taken().len(), 3, "the stalled, the cut and the last one");
}

#[tokio::test]
async fn no_request_leaves_after_the_deadline() {
    let (_folder, gateway) = gateway();
    let carrier = carrier(&gateway.send_url(), None);
    let late = Outgoing { deadline: Instant::now(), ..sms("late") };
    assert_eq!(word(&hand_over(&carrier, &late).await), "refused for now");
    assert!(gateway.taken().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_kannel_takes_the_text_and_reports() {
    let (heard, reports) = mpsc::channel();
    let product = http::serve(move |request| {
        let _ = heard.send((request.path.clone(), request.text("id"), request.text("type")));
        http::Response::text(200, "")
    });
    let kannel = real::Kannel::start(&format!("http://{}/inbound", product.address()));
    let url = format!("{}?username={}&password={}", kannel.send_url(), real::USERNAME, real::PASSWORD);
    let report_url = format!("http://{}/gateway/s3/receipt", product.address());
    let settings = KannelSettings::new(&url, real::SENDER, Some(report_url));
    let carrier = Kannel::new(settings).expect("a carrier");
    let message = sms("您好，第3天：今天感觉如何？");
    assert_eq!(word(&hand_over(&carrier, &message).await), "accepted");
    let phones = kannel.wait_for_phones(1, LIMIT);
    assert_eq!((phones[0].to.as_str(), phones[0].text.as_str()), (TO, message.text.as_str()));
    let mut types: Vec<String> = (0..2)
        .map(|_| {
            let (path, id, kind) = reports.recv_timeout(LIMIT).expect("a report");
            assert_eq!((path.as_str(), id), ("/gateway/s3/receipt", message.id.to_string()));
            kind
        })
        .collect();
    types.sort();
    assert_eq!(types, ["1", "8"]);

    let wrong = carrier_with_password(&kannel, "wrong");
    assert_eq!(word(&hand_over(&wrong, &message).await), "refused for now");
}

fn carrier_with_password(kannel: &real::Kannel, password: &str) -> Kannel {
    let url = format!("{}?username={}&password={password}", kannel.send_url(), real::USERNAME);
    Kannel::new(KannelSettings::new(&url, real::SENDER, None)).expect("a carrier")
}
