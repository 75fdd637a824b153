//! Faults of carriers through the whole line, on both databases: the message in the database, the lane, the carrier, and
//! what the history says of it afterwards.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, ToSpan};
use tempfile::TempDir;
use tend::app::Actor;
use tend::app::enroll::{Enrolled, FOLLOW_UP};
use tend::deliver::kannel::{Kannel, KannelSettings, reference};
use tend::deliver::smtp::{Smtp, SmtpSettings, Timeouts};
use tend::jobs::{Lane, Stop};
use tend::ports::{Carrier, Clock as _, Handover};
use tend::store::read::message_log::MessageRow;
use tend::store::{Consent, ContactPoint, Owner};
use tend_engine::fact::{Closing, Fact};
use tend_engine::model::Channel;

use crate::store::world::{World, newcomer, on_both, word};
use crate::support::gateway::{GatewayFault, SmsGateway};
use crate::support::smtp::{SmtpFault, SmtpServer};

const SHORT: Duration = Duration::from_millis(300);
/// Longer than the wait after the first refusal, its jitter included.
const NEXT_TRY: SignedDuration = SignedDuration::from_secs(50);

on_both!(
    each_fault_of_a_mail_server_has_its_end,
    each_fault_of_a_gateway_has_its_end,
    a_wait_that_the_gateway_asks_for_is_kept,
    a_receipt_closes_a_doubt,
    a_receipt_that_overtakes_the_doubt_counts,
    receipts_may_come_twice_and_out_of_order,
    what_never_arrived_is_not_silence,
);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Tried again under the same key.
    Again,
    /// Down the ladder.
    Refused,
    /// Never again.
    Doubt,
}

/// A database, both carriers, and patients who can be reached by both.
struct Desk {
    world: World,
    smtp: SmtpServer,
    gateway: SmsGateway,
    _logs: TempDir,
}

impl Desk {
    fn new(world: World) -> Desk {
        let logs = tempfile::tempdir().expect("a temporary folder");
        let smtp = SmtpServer::start(&logs.path().join("smtp.log"));
        let gateway = SmsGateway::start(&logs.path().join("sms.log"));
        Desk { world, smtp, gateway, _logs: logs }
    }

    fn carrier(&self, channel: Channel) -> Arc<dyn Carrier> {
        match channel {
            Channel::Email => {
                let url = format!("smtp+plain://{}", self.smtp.address());
                let mut settings = SmtpSettings::parse(&url).expect("an address");
                settings.timeouts = Timeouts { connect: 4 * SHORT, command: SHORT, content: SHORT };
                Arc::new(Smtp::new(settings, "Follow-up <care@hospital.example>").expect("a carrier"))
            }
            Channel::Sms => {
                let plain = KannelSettings::new(&self.gateway.send_url(), "10690000", None);
                let settings = KannelSettings { answer_timeout: SHORT, ..plain };
                Arc::new(Kannel::new(settings).expect("a carrier"))
            }
        }
    }

    /// Hands over what may go, as a process does that has just started.
    async fn drain(&self, channel: Channel) {
        let (_stopper, stop) = Stop::pair();
        let lane = Lane::new(self.world.app.clone(), self.carrier(channel), 2);
        lane.drain(&stop).await.expect("drained");
    }

    /// Somebody who went home yesterday: the first check is to go at once, by the preferred channel first.
    async fn ask(&self, preferred: Channel) -> Enrolled {
        let now = self.world.clock.now();
        let mut who = newcomer("Anna Example", "+447700900001", now);
        let address = "anna@patients.example".into();
        who.contact_points.push(ContactPoint { channel: Channel::Email, address, owner: Owner::Own });
        who.consents.push(Consent {
            purpose: FOLLOW_UP.into(),
            channel: Channel::Email,
            wording: "1".into(),
            how: "paper".into(),
            given_by: "ward".into(),
            given_at: now,
        });
        who.identifiers.clear();
        who.preferred = Some(preferred);
        let today = who.course.anchors[&word("discharge")];
        who.course.anchors.insert(word("discharge"), today.checked_sub(1.day()).expect("a day"));
        let enrolled = self.world.app.enroll(Actor::System, &[who]).await.expect("an enrollment").remove(0);
        self.world.app.tick().await.expect("a tick");
        enrolled
    }

    /// The messages of a patient in the order of their making.
    async fn messages(&self, of: Enrolled) -> Vec<MessageRow> {
        let mut rows = self.world.app.store.messages_of(of.patient).await.expect("messages");
        rows.sort_by_key(|row| row.id);
        rows
    }

    async fn only(&self, of: Enrolled) -> MessageRow {
        let mut rows = self.messages(of).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    async fn history(&self, of: Enrolled) -> Vec<Fact> {
        let lines = self.world.app.store.history(of.patient, 0, 10_000).await.expect("a history");
        lines.into_iter().map(|line| line.entry.fact).collect()
    }

    fn taken(&self, channel: Channel) -> usize {
        match channel {
            Channel::Email => self.smtp.taken().len(),
            Channel::Sms => self.gateway.taken().len(),
        }
    }

    /// One message meets a fault. `taken` says whether the carrier has it although it did not say so.
    async fn meet(&self, channel: Channel, what: &str, end: End, taken: bool) {
        let who = self.ask(channel).await;
        let before = self.taken(channel);
        self.drain(channel).await;
        let now = self.world.clock.now();
        let first = self.messages(who).await.remove(0);
        assert_eq!((first.attempt, first.channel), (1, channel), "{what}");
        match end {
            End::Again => {
                assert_eq!(first.state, "scheduled", "{what}");
                assert!(first.send_after >= now + SignedDuration::from_secs(30), "{what}: backs off");
                self.drain(channel).await;
                assert_eq!(self.only(who).await.attempt, 1, "{what}: not at once");
                self.world.clock.forward(NEXT_TRY);
                self.drain(channel).await;
                let again = self.only(who).await;
                let ended = (again.id, again.attempt, again.state.as_str());
                assert_eq!(ended, (first.id, 2, "handed_over"), "{what}");
                assert_eq!(self.taken(channel), before + 1, "{what}");
            }
            End::Refused => {
                assert_eq!(first.state, "refused", "{what}");
                let other = if channel == Channel::Sms { Channel::Email } else { Channel::Sms };
                self.drain(other).await;
                let rows = self.messages(who).await;
                let ways: Vec<_> = rows.iter().map(|row| (row.channel, row.state.as_str())).collect();
                assert_eq!(ways, [(channel, "refused"), (other, "handed_over")], "{what}");
                let tasks = self.world.texts("select key from task where state = 'open'").await;
                assert!(tasks.iter().any(|key| key.contains("undeliverable")), "{what}: {tasks:?}");
                assert_eq!(self.taken(channel), before, "{what}");
            }
            End::Doubt => {
                assert_eq!(first.state, "uncertain", "{what}");
                self.world.clock.forward(NEXT_TRY);
                self.drain(channel).await;
                assert_eq!(self.only(who).await.attempt, 1, "{what}: never again");
                assert_eq!(self.taken(channel), before + usize::from(taken), "{what}");
            }
        }
    }
}

async fn each_fault_of_a_mail_server_has_its_end(world: World) {
    let desk = Desk::new(world);
    for (fault, end, taken) in [
        (SmtpFault::Greeting(421), End::Again, false),
        (SmtpFault::Greeting(554), End::Again, false),
        (SmtpFault::Recipient(421), End::Again, false),
        (SmtpFault::Recipient(450), End::Again, false),
        (SmtpFault::AfterData(451), End::Again, false),
        (SmtpFault::Recipient(550), End::Refused, false),
        (SmtpFault::AfterData(554), End::Refused, false),
        (SmtpFault::StallAfterData(3 * SHORT), End::Doubt, true),
        (SmtpFault::CutAfterDot, End::Doubt, true),
        (SmtpFault::CutInData, End::Doubt, false),
    ] {
        desk.smtp.fail_next(fault.clone());
        desk.meet(Channel::Email, &format!("{fault:?}"), end, taken).await;
    }
    let who = desk.ask(Channel::Email).await;
    desk.smtp.refuse();
    desk.drain(Channel::Email).await;
    assert_eq!(desk.only(who).await.state, "scheduled", "nobody listens");
    desk.smtp.accept();
    desk.world.clock.forward(NEXT_TRY);
    desk.drain(Channel::Email).await;
    assert_eq!(desk.only(who).await.state, "handed_over");
    desk.world.is_sound().await;
}

async fn each_fault_of_a_gateway_has_its_end(world: World) {
    let desk = Desk::new(world);
    for (fault, end, taken) in [
        (GatewayFault::Busy(1), End::Again, false),
        (GatewayFault::Status(429), End::Again, false),
        (GatewayFault::Status(503), End::Again, false),
        (GatewayFault::Status(404), End::Again, false),
        (GatewayFault::Status(400), End::Refused, false),
        (GatewayFault::Status(500), End::Doubt, false),
        (GatewayFault::Status(502), End::Doubt, false),
        (GatewayFault::Status(504), End::Doubt, false),
        (GatewayFault::StallAfterAccept(3 * SHORT), End::Doubt, true),
        (GatewayFault::CutAfterAccept, End::Doubt, true),
    ] {
        desk.gateway.fail_next(fault.clone());
        desk.meet(Channel::Sms, &format!("{fault:?}"), end, taken).await;
    }
    desk.world.is_sound().await;
}

async fn a_wait_that_the_gateway_asks_for_is_kept(world: World) {
    let desk = Desk::new(world);
    let who = desk.ask(Channel::Sms).await;
    desk.gateway.fail_next(GatewayFault::Busy(1_500));
    desk.drain(Channel::Sms).await;
    let asked = desk.world.clock.now() + SignedDuration::from_secs(1_500);
    assert_eq!(desk.only(who).await.send_after, asked);
    desk.world.clock.forward(SignedDuration::from_secs(1_499));
    desk.drain(Channel::Sms).await;
    assert_eq!((desk.only(who).await.attempt, desk.taken(Channel::Sms)), (1, 0), "a restart forgets nothing");
    desk.world.clock.forward(SignedDuration::from_secs(1));
    desk.drain(Channel::Sms).await;
    let row = desk.only(who).await;
    assert_eq!((row.state.as_str(), row.attempt, desk.taken(Channel::Sms)), ("handed_over", 2, 1));
    desk.world.is_sound().await;
}

/// A text whose answer was lost.
async fn doubtful(desk: &Desk) -> (Enrolled, MessageRow) {
    let who = desk.ask(Channel::Sms).await;
    desk.gateway.fail_next(GatewayFault::CutAfterAccept);
    desk.drain(Channel::Sms).await;
    let row = desk.only(who).await;
    assert_eq!(row.state, "uncertain");
    (who, row)
}

async fn a_receipt_closes_a_doubt(world: World) {
    let desk = Desk::new(world);
    let (who, row) = doubtful(&desk).await;
    assert!(desk.world.app.receipt(&reference(row.id), true).await.expect("a receipt"));
    assert_eq!(desk.only(who).await.state, "delivered");
    assert!(!desk.world.app.receipt(&reference(row.id), true).await.expect("a receipt"), "the same again");

    let (who, row) = doubtful(&desk).await;
    assert!(desk.world.app.receipt(&reference(row.id), false).await.expect("a receipt"));
    desk.world.pass(2).await; // two messages are never within an hour
    desk.drain(Channel::Email).await;
    let rows = desk.messages(who).await;
    let ways: Vec<_> = rows.iter().map(|row| (row.channel, row.state.as_str())).collect();
    assert_eq!(ways, [(Channel::Sms, "refused"), (Channel::Email, "handed_over")]);
    desk.world.is_sound().await;
}

async fn a_receipt_that_overtakes_the_doubt_counts(world: World) {
    let desk = Desk::new(world);
    let who = desk.ask(Channel::Sms).await;
    let claim = desk.world.claim(Channel::Sms).await.remove(0);
    desk.world.begin(&[claim.ticket]).await;
    desk.world.app.receipt(&reference(claim.ticket.message), true).await.expect("a receipt");
    desk.world.finish(claim.ticket, Handover::Unknown(tend::ports::Cause::TimedOut)).await;
    assert_eq!(desk.only(who).await.state, "delivered", "the answer was lost, the report was not");

    let who = desk.ask(Channel::Sms).await;
    let claim = desk.world.claim(Channel::Sms).await.remove(0);
    desk.world.begin(&[claim.ticket]).await;
    desk.world.app.receipt(&reference(claim.ticket.message), true).await.expect("a receipt");
    desk.world.sql("update message set lease_until = 1 where state = 'claimed'").await;
    desk.world.app.sweep().await.expect("a sweep");
    assert_eq!(desk.only(who).await.state, "delivered", "the process died, the report came");
    desk.world.is_sound().await;
}

async fn receipts_may_come_twice_and_out_of_order(world: World) {
    let desk = Desk::new(world);
    for (reports, ends) in
        [(vec![true, true], "delivered"), (vec![false, false], "refused"), (vec![false, true], "refused")]
    {
        let who = desk.ask(Channel::Sms).await;
        desk.drain(Channel::Sms).await;
        let id = desk.only(who).await.id;
        for delivered in &reports {
            desk.world.app.receipt(&reference(id), *delivered).await.expect("a receipt");
        }
        assert_eq!(desk.messages(who).await[0].state, ends, "{reports:?}");
        if ends == "refused" {
            desk.world.clock.forward(SignedDuration::from_mins(61));
            desk.world.app.tick().await.expect("a tick");
        }
        desk.drain(Channel::Email).await;
        let went = desk.messages(who).await.iter().filter(|row| row.state == "handed_over").count();
        assert_eq!(went, usize::from(ends == "refused"), "{reports:?}: what did not arrive goes by mail");
    }
    desk.world.is_sound().await;
}

async fn what_never_arrived_is_not_silence(world: World) {
    let desk = Desk::new(world);
    let (who, row) = doubtful(&desk).await;
    desk.world.pass(24).await;
    desk.drain(Channel::Sms).await;
    let rows = desk.messages(who).await;
    assert!(rows.iter().all(|other| other.id == row.id || other.key != row.key), "{rows:?}");
    let closed: Vec<Closing> = desk
        .history(who)
        .await
        .iter()
        .filter_map(|fact| match fact {
            Fact::Closed { about, how } if about.step == word("daily-check") => Some(*how),
            _ => None,
        })
        .collect();
    assert_eq!(closed.first(), Some(&Closing::NotAskedUndelivered), "{closed:?}");
    let tasks = desk.world.texts("select key from task where state = 'open'").await;
    assert!(!tasks.iter().any(|key| key.contains("silent")), "{tasks:?}");
    desk.world.is_sound().await;
}
