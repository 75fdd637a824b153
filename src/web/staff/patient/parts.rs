//! The parts of the page: tasks, messages, contacts, the timeline.

use super::*;
use crate::store::read::timeline::Dropped;

/// The open or the closed tasks that this account may see.
pub(super) fn shown_tasks(signed: &Signed, tasks: &[TaskView], zone: &TimeZone, open: bool) -> Vec<Task> {
    let clinical = signed.has_any(CLINICAL);
    let mine = |one: &&TaskView| one.open == open && (clinical || one.role == Role::Clerk);
    tasks.iter().filter(mine).map(|one| task(signed, one, zone)).collect()
}

/// Said once where the patient lives in another zone: which hours the page shows, and how late it is there.
pub(super) fn elsewhere(app: &App, c: Chart, row: &PatientRow) -> Option<String> {
    let site = app.site(row.site);
    let (now, there) = (app.clock.now(), zone_named(&row.state.zone));
    let here = zone_named(&site.zone);
    if row.state.zone.is_empty() || row.state.zone == site.zone || here.to_offset(now) == there.to_offset(now)
    {
        return None;
    }
    let time = there.to_datetime(now).strftime("%H:%M").to_string();
    Some(c.elsewhere(&site.zone, &row.state.zone, time))
}

fn task(signed: &Signed, task: &TaskView, zone: &TimeZone) -> Task {
    let (w, t) = (Staff(signed.lang), Worklist(signed.lang));
    let state = match (task.open, &task.outcome) {
        (true, _) => match task.respond_by {
            Some(by) => format!("{} {}", t.due(), v::instant(zone, by)),
            None => t.no_deadline().to_owned(),
        },
        (false, Some(code)) => {
            let label = v::outcome_of(code).map_or(code.as_str(), |code| v::outcome(w, code));
            let by = task.closed_by.as_ref().map(|name| w.by(name)).unwrap_or_default();
            format!("{} {by}", t.closed(label))
        }
        (false, None) => t.withdrawn().to_owned(),
    };
    Task {
        href: format!("/tasks/{}", task.id),
        title: v::text(signed.lang, &task.title).to_owned(),
        state,
        colour: v::level_colour(task.level),
        sign: v::level_sign(task.level),
        level: v::level(w, task.level),
        open: task.open,
    }
}

pub(super) fn message(
    signed: &Signed,
    known: &Known<'_>,
    zone: &TimeZone,
    dropped: &Dropped,
    message: crate::store::read::message_log::MessageRow,
) -> Message {
    let w = Staff(signed.lang);
    let teller = Teller { lang: signed.lang, zone, titles: known };
    let members: Vec<String> = message.plan.members.iter().map(|member| known.step(member)).collect();
    let mut what = v::purpose(w, message.plan.purpose);
    if !members.is_empty() {
        what = format!("{what}: {}", members.join(", "));
    }
    Message {
        what,
        channel: v::channel(w, message.channel),
        uncertain: message.state == "uncertain",
        state: v::message_state_because(signed.lang, &message, dropped),
        when: v::instant(
            zone,
            if message.state == "scheduled" { message.send_after } else { message.updated_at },
        ),
        why: teller.why(&message.plan.because),
        id: message.id.to_string(),
    }
}

pub(super) fn contact_remarks(c: Chart, contact: &crate::store::read::person::ContactRow) -> String {
    let mut remarks = vec![match contact.owner {
        crate::store::read::person::Owner::Own => c.own(),
        crate::store::read::person::Owner::Carer => c.carer(),
    }];
    if !contact.usable {
        remarks.push(c.not_usable());
    }
    remarks.join(", ")
}

pub(super) fn channels(w: Staff, c: Chart, row: &PatientRow) -> Vec<(String, String)> {
    let one = |(channel, state): (&tend_engine::model::Channel, &tend_engine::state::ChannelState)| {
        let mut remarks = vec![if state.consented { c.consented() } else { c.no_consent() }];
        if state.stopped {
            remarks.push(c.stopped());
        }
        if !state.usable {
            remarks.push(c.not_usable());
        }
        (v::channel(w, *channel).to_owned(), remarks.join(", "))
    };
    let mut all: Vec<(String, String)> = row.state.channels.iter().map(one).collect();
    let daily = if row.state.daily_consent { w.yes() } else { w.no() };
    all.push((c.daily().to_owned(), daily.to_owned()));
    all
}

pub(super) fn consent_line(
    w: Staff,
    c: Chart,
    zone: &TimeZone,
    consent: &crate::store::read::person::ConsentRow,
) -> String {
    let channel =
        v::channel_of(&consent.channel).map_or(consent.channel.as_str(), |channel| v::channel(w, channel));
    let given = format!(
        "{} · {channel} · {} · {} · {}",
        v::instant(zone, consent.given_at),
        v::consent_word(w, &consent.purpose),
        v::consent_word(w, &consent.how),
        consent.wording
    );
    match consent.withdrawn_at {
        Some(at) => format!("{given} · {}", c.withdrawn_at(v::instant(zone, at))),
        None => given,
    }
}

pub(super) fn timeline(
    signed: &Signed,
    known: &Known<'_>,
    zone: &TimeZone,
    clinical: bool,
    history: Vec<HistoryLine>,
) -> Vec<Line> {
    let teller = Teller { lang: signed.lang, zone, titles: known };
    let voided: std::collections::BTreeSet<u64> = history
        .iter()
        .filter_map(|line| match line.entry.fact {
            Fact::Voided { seq, .. } => Some(seq),
            _ => None,
        })
        .collect();
    let shown = |line: HistoryLine| {
        let entry = line.entry;
        let told = teller.tell(&entry.fact);
        let hide_why = !clinical && matches!(entry.fact, Fact::TaskOpened(_) | Fact::TaskChanged { .. });
        Line {
            seq: entry.seq,
            when: v::instant(zone, entry.occurred_at),
            who: teller.author(entry.author),
            sentence: told.sentence,
            why: told.why.filter(|_| !hide_why),
            words: if clinical { line.words.into_values().collect() } else { Vec::new() },
            void: voided.contains(&entry.seq),
            minor: told.minor,
            voidable: clinical && voidable(&entry.fact) && !voided.contains(&entry.seq),
        }
    };
    history
        .into_iter()
        .take(usize::try_from(TIMELINE_ROWS).unwrap_or(usize::MAX))
        .filter(|line| clinical || for_clerks(&line.entry.fact))
        .map(shown)
        .collect()
}

/// What a person may mark as wrong.
#[must_use]
pub fn voidable(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Answered { .. }
            | Fact::FactSet { .. }
            | Fact::AnchorEvent { .. }
            | Fact::AnchorCorrected { .. }
            | Fact::Died { .. }
    )
}

/// What tells nothing of answers.
pub(super) fn for_clerks(fact: &Fact) -> bool {
    !matches!(
        fact,
        Fact::Flagged { .. }
            | Fact::Judged { .. }
            | Fact::Scored { .. }
            | Fact::RiskMoved { .. }
            | Fact::ScoreWanted { .. }
            | Fact::FactSet { .. }
            | Fact::TaskChanged { .. }
            | Fact::StepStarted { .. }
    ) && !matches!(fact, Fact::TaskOpened(plan) if plan.role != Role::Clerk)
}

/// Now, in the patient's zone, for forms.
#[must_use]
pub fn today(row: &PatientRow, now: Timestamp) -> jiff::civil::Date {
    now.to_zoned_datetime(zone_named(&row.state.zone)).date()
}
