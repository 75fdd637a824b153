//! The laws over a whole history.

use super::*;

/// Nothing twice, nothing after a stop, nothing before its time, and no outage held against a patient.
pub(super) fn patients_and_carriers_are_respected(history: &[Entry]) -> Checked {
    keys_are_unique(history)?;
    silence_after_stop(history)?;
    carriers_are_left_alone(history)?;
    an_outage_is_not_silence(history)
}

/// Keys are unique, and no key is handed over twice.
fn keys_are_unique(history: &[Entry]) -> Checked {
    let (mut planned, mut tasks, mut sent) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for entry in history {
        match &entry.fact {
            Fact::Planned(plan) => prop_assert!(planned.insert(plan.key.clone()), "{:?} twice", plan.key),
            Fact::TaskOpened(plan) => prop_assert!(tasks.insert(plan.key.clone()), "{:?} twice", plan.key),
            Fact::HandedOver {
                message, result: HandoverResult::Accepted | HandoverResult::Unknown, ..
            } => {
                prop_assert!(sent.insert(message.clone()), "{message:?} went twice");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Nobody is tried again before the time that the carrier asked for.
fn carriers_are_left_alone(history: &[Entry]) -> Checked {
    let mut not_before: BTreeMap<&MessageKey, Timestamp> = BTreeMap::new();
    for entry in history {
        match &entry.fact {
            Fact::HandedOver {
                message,
                result: HandoverResult::Refused { permanent: false, retry_after_seconds: Some(seconds) },
                ..
            } => {
                let wait = SignedDuration::from_secs(i64::from(*seconds));
                not_before.insert(message, entry.occurred_at + wait);
            }
            Fact::Claimed { message, .. } => {
                let early = not_before.get(message).filter(|earliest| entry.occurred_at < **earliest);
                prop_assert!(early.is_none(), "{message:?} at {}, before {early:?}", entry.occurred_at);
            }
            _ => {}
        }
    }
    Ok(())
}

/// After a STOP the channel is silent but for one confirmation, until a START; a stopped enrollment hears nothing.
fn silence_after_stop(history: &[Entry]) -> Checked {
    let mut stopped: BTreeMap<Channel, u32> = BTreeMap::new();
    let mut over: BTreeSet<EnrollmentId> = BTreeSet::new();
    let mut died = false;
    let mut plans = BTreeMap::new();
    for entry in history {
        match &entry.fact {
            Fact::Replied { channel, reply: Reply::Stop } | Fact::ChannelStopped { channel } => {
                stopped.entry(*channel).or_insert(0);
            }
            Fact::ChannelRestarted { channel } => {
                stopped.remove(channel);
            }
            Fact::Stopped { .. } | Fact::Ended => over.extend(entry.enrollment),
            Fact::Resumed => {
                if let Some(id) = entry.enrollment {
                    over.remove(&id);
                }
            }
            Fact::Died { .. } => died = true,
            Fact::Voided { .. } => died = false,
            Fact::Planned(plan) => {
                plans.insert(plan.key.clone(), plan);
            }
            Fact::Claimed { message, .. } => {
                let Some(plan) = plans.get(message) else { continue };
                prop_assert!(!died, "{message:?} went after death");
                if let Some(confirmations) = stopped.get_mut(&plan.channel) {
                    prop_assert_eq!(plan.purpose, Purpose::StopConfirmation, "{:?} after STOP", message);
                    let _ = confirmations;
                }
                let all_over =
                    !plan.members.is_empty() && plan.members.iter().all(|m| over.contains(&m.enrollment));
                prop_assert!(!all_over, "{message:?} went after its enrollment was over");
            }
            Fact::HandedOver { message, result: HandoverResult::Accepted, .. } => {
                let confirms = plans.get(message).filter(|plan| plan.purpose == Purpose::StopConfirmation);
                if let Some(count) = confirms.and_then(|plan| stopped.get_mut(&plan.channel)) {
                    *count += 1;
                    prop_assert!(*count <= 1, "a second confirmation");
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Only what was handed over, and is not known to have come back, is the patient's silence.
fn an_outage_is_not_silence(history: &[Entry]) -> Checked {
    let mut members: BTreeMap<MessageKey, BTreeSet<Occurrence>> = BTreeMap::new();
    let mut arrived: BTreeSet<MessageKey> = BTreeSet::new();
    for entry in history {
        match &entry.fact {
            Fact::Planned(plan) => {
                members.insert(plan.key.clone(), plan.members.iter().cloned().collect());
            }
            Fact::Joined { message, member } => {
                members.entry(message.clone()).or_default().insert(member.clone());
            }
            Fact::HandedOver { message, result: HandoverResult::Accepted, .. }
            | Fact::Receipt { message, delivered: true } => {
                arrived.insert(message.clone());
            }
            Fact::Receipt { message, delivered: false } => {
                arrived.remove(message);
            }
            Fact::VersionChanged { migration, .. } => {
                let now = |about: &Occurrence| {
                    let name = migration.renamed.get(&about.step);
                    let name = name.filter(|_| Some(about.enrollment) == entry.enrollment);
                    Occurrence { step: name.unwrap_or(&about.step).clone(), ..about.clone() }
                };
                members.values_mut().for_each(|of| *of = of.iter().map(now).collect());
            }
            Fact::Closed { about, how: Closing::Silent } => {
                let asked = arrived.iter().any(|key| members.get(key).is_some_and(|of| of.contains(about)));
                prop_assert!(asked, "{about:?} was not asked");
            }
            _ => {}
        }
    }
    Ok(())
}

/// The state is the fold of the history, from any snapshot on.
pub(super) fn folding_equals_replay(
    history: &[Entry],
    state: &PatientState,
    snapshots: &[String],
) -> Checked {
    let mut replayed = PatientState::default();
    for entry in history {
        prop_assert!(replayed.expects(entry));
        let stored = serde_json::to_string(entry).unwrap_or_default();
        let read: Entry =
            serde_json::from_str(&stored).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&read, entry);
        replayed.fold(&read);
    }
    prop_assert_eq!(&replayed, state);
    for snapshot in snapshots {
        let mut resumed: PatientState =
            serde_json::from_str(snapshot).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let from = usize::try_from(resumed.seq).unwrap_or(usize::MAX);
        for entry in history.get(from..).unwrap_or_default() {
            resumed.fold(entry);
        }
        prop_assert_eq!(&resumed, state);
    }
    Ok(())
}

/// Whatever was decided is decided again.
pub(super) fn deciding_again_equals_the_history(patient: &Rehearsal<'_>) -> Checked {
    let settings = BTreeMap::from([(patient.site.version, patient.site.clone())]);
    let replayed = crate::replay::replay(library(), &settings, &patient.lines());
    let told: Vec<String> = replayed.differences.iter().map(|found| found.in_words()).collect();
    prop_assert!(told.is_empty(), "decided otherwise: {told:?}");
    Ok(())
}

/// Never at night and never more than the caps, but for answers to the patient's own message.
pub(super) fn manners(history: &[Entry], zone: &str, site: &SiteSettings) -> Checked {
    let zone = jiff::tz::TimeZone::get(zone).expect("a zone of the list");
    let exempt: BTreeSet<&MessageKey> = history
        .iter()
        .filter_map(|entry| match &entry.fact {
            Fact::Planned(plan) if plan.exempt => Some(&plan.key),
            _ => None,
        })
        .collect();
    let mut channels = BTreeMap::new();
    let mut sent: BTreeMap<Channel, Vec<jiff::civil::Date>> = BTreeMap::new();
    let mut last: Option<Timestamp> = None;
    for entry in history {
        match &entry.fact {
            Fact::Planned(plan) => {
                channels.insert(plan.key.clone(), plan.channel);
            }
            Fact::Claimed { message, .. } if !exempt.contains(message) => {
                let time = zone.to_datetime(entry.occurred_at).time();
                prop_assert!(site.quiet.open <= time && time < site.quiet.close, "{message:?} at {time}");
            }
            Fact::HandedOver {
                message, result: HandoverResult::Accepted | HandoverResult::Unknown, ..
            } if !exempt.contains(message) => {
                let apart = last.map(|last| entry.occurred_at.duration_since(last));
                let gap = SignedDuration::from_mins(i64::from(site.gap_minutes));
                prop_assert!(
                    apart.is_none_or(|apart| apart >= gap),
                    "{message:?} only {apart:?} after the last"
                );
                last = Some(entry.occurred_at);
                let day = day_of(&zone, entry.occurred_at);
                sent.entry(channels[message]).or_default().push(day);
            }
            _ => {}
        }
    }
    let often = history.iter().any(|entry| matches!(entry.fact, Fact::DailyConsent { given: true }));
    let most = |days: &[jiff::civil::Date], length: i64| {
        let within = |first: jiff::civil::Date| {
            days.iter().filter(|day| first <= **day && **day < plus_days(first, length)).count()
        };
        days.iter().map(|first| within(*first)).max().unwrap_or(0)
    };
    if let Some(days) = sent.get(&Channel::Sms) {
        prop_assert!(most(days, 1) <= if often { 3 } else { 1 }, "{days:?}");
        prop_assert!(often || most(days, 7) <= 3, "{days:?}");
    }
    if let Some(days) = sent.get(&Channel::Email) {
        prop_assert!(most(days, 1) <= 3, "{days:?}");
    }
    Ok(())
}
