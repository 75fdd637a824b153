//! Folding a history into what decisions look at. Needs no workflow and decides nothing: replay is nothing but this.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::{
    Decimal, Name,
    fact::{
        Author, Closing, Entry, Fact, HandoverResult, MessageKey, MessagePlan, Occurrence, OutcomeCode,
        Purpose, Reply, TaskKey, TaskPlan,
    },
    model::{Channel, condition::LOOK_BACK_DAYS_MAX},
    state::{
        ANSWERS_MAX, AnchorState, ChannelState, DONE_MAX, Done, EnrollmentState, MessageStanding,
        MessageState, OpenOccurrence, PatientState, SILENT_MAX, Standing, Start, StepState, TaskState,
        UNDO_MAX, Undoable, Unjudged, Was,
    },
};

/// Settled messages are remembered this long for caps over seven civil days in any zone.
const MESSAGES_KEPT: SignedDuration = SignedDuration::from_hours(9 * 24);
/// Most numbers kept per series: three a day within the longest look-back.
const SERIES_MAX: usize = 3 * LOOK_BACK_DAYS_MAX as usize;

impl PatientState {
    /// Folds the next entry in. Total: an entry that refers to nothing known changes nothing.
    pub fn fold(&mut self, entry: &Entry) {
        self.seq = entry.seq;
        self.recorded_at = self.recorded_at.max(Some(entry.recorded_at));
        self.fold_fact(entry, &entry.fact);
    }

    /// An open occurrence, or one whose link is not dead yet.
    #[must_use]
    pub fn occurrence(&self, about: &Occurrence) -> Option<&OpenOccurrence> {
        let step = self.enrollments.get(&about.enrollment)?.steps.get(&about.step)?;
        step.open.iter().find(|open| open.generation == about.generation && open.ordinal == about.ordinal)
    }

    fn occurrence_mut(&mut self, about: &Occurrence) -> Option<&mut OpenOccurrence> {
        let step = self.enrollments.get_mut(&about.enrollment)?.steps.get_mut(&about.step)?;
        step.open.iter_mut().find(|open| open.generation == about.generation && open.ordinal == about.ordinal)
    }

    fn step_mut(&mut self, about: &Occurrence) -> Option<&mut StepState> {
        self.enrollments.get_mut(&about.enrollment)?.steps.get_mut(&about.step)
    }

    fn fold_fact(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::Preference { .. }
            | Fact::Reachable { .. }
            | Fact::ConsentGiven { .. }
            | Fact::ConsentWithdrawn { .. }
            | Fact::DailyConsent { .. }
            | Fact::ChannelStopped { .. }
            | Fact::ChannelRestarted { .. }
            | Fact::Replied { .. }
            | Fact::Died { .. } => self.fold_patient(entry, fact),
            Fact::Voided { seq, .. } => self.fold_voided(entry, *seq),
            Fact::Corrected { seq, instead, .. } => {
                if !matches!(**instead, Fact::Voided { .. } | Fact::Corrected { .. }) {
                    self.fold_voided(entry, *seq);
                    self.fold_fact(entry, instead);
                }
            }
            Fact::Enrolled { .. }
            | Fact::FactSet { .. }
            | Fact::AnchorEvent { .. }
            | Fact::AnchorCorrected { .. }
            | Fact::Flagged { .. }
            | Fact::Answered { .. }
            | Fact::Outcome { .. }
            | Fact::Taken { .. }
            | Fact::Paused { .. }
            | Fact::Resumed
            | Fact::Stopped { .. }
            | Fact::Scored { .. } => self.fold_enrollment(entry, fact),
            Fact::Claimed { .. } | Fact::Released { .. } | Fact::HandedOver { .. } | Fact::Receipt { .. } => {
                self.fold_carrier(entry, fact)
            }
            Fact::Opened { .. }
            | Fact::Closed { .. }
            | Fact::Skipped { .. }
            | Fact::Replanned { .. }
            | Fact::StepStarted { .. }
            | Fact::ScoreWanted { .. }
            | Fact::Judged { .. }
            | Fact::Ended => self.fold_plan(entry, fact),
            Fact::Planned(_) | Fact::Joined { .. } | Fact::Moved { .. } | Fact::Dropped { .. } => {
                self.fold_message(entry, fact);
            }
            Fact::TaskOpened(_) | Fact::TaskChanged { .. } | Fact::TaskWithdrawn { .. } => {
                self.fold_task(entry, fact)
            }
        }
    }

    fn channel(&mut self, channel: Channel) -> &mut ChannelState {
        self.channels.entry(channel).or_default()
    }

    fn fold_patient(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::Preference { language, zone, preferred } => {
                self.language.clone_from(language);
                self.zone.clone_from(zone);
                self.preferred = *preferred;
            }
            Fact::Reachable { channel, usable } => {
                self.channel(*channel).usable = *usable;
                self.failures.retain(|(_, failed)| failed != channel);
            }
            Fact::ConsentGiven { channel, .. } => self.channel(*channel).consented = true,
            Fact::ConsentWithdrawn { channel } => self.channel(*channel).consented = false,
            Fact::DailyConsent { given } => self.daily_consent = *given,
            Fact::ChannelStopped { channel } => self.channel(*channel).stopped = true,
            Fact::ChannelRestarted { channel } => {
                let state = self.channel(*channel);
                state.stopped = false;
                state.stop_confirmed = false;
            }
            Fact::Replied { channel, reply } => {
                self.unanswered_replies.push((entry.seq, *channel, *reply));
                if *reply == Reply::Stop {
                    self.channel(*channel).stopped = true;
                }
            }
            Fact::Died { date } => {
                self.remember(entry, Was::Alive);
                self.died = Some(*date);
            }
            _ => {}
        }
    }

    fn fold_enrollment(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::Enrolled { .. } => self.fold_enrolled(entry, fact),
            Fact::FactSet { name, value } => {
                let Some(enrollment) = self.of(entry) else { return };
                let before = enrollment.facts.insert(name.clone(), value.clone());
                self.remember(entry, Was::Fact { name: name.clone(), value: before });
                self.keep_for_rules(entry, fact);
            }
            Fact::AnchorEvent { anchor, date } | Fact::AnchorCorrected { anchor, date, .. } => {
                let known = AnchorState { date: *date, known_since: entry.recorded_at };
                let Some(enrollment) = self.of(entry) else { return };
                let before = enrollment.anchors.insert(anchor.clone(), known);
                self.remember(entry, Was::Anchor { name: anchor.clone(), anchor: before });
                self.keep_for_rules(entry, fact);
            }
            Fact::Flagged { about, rule, .. } => {
                if let Some(open) = self.occurrence_mut(about) {
                    if open.flagged.contains(rule) {
                        return;
                    }
                    open.flagged.push(rule.clone());
                }
                self.keep_for_rules(entry, fact);
            }
            Fact::Answered { about, .. } => self.fold_answered(entry, about, fact),
            Fact::Outcome { task, code } => {
                let Some(done) = self.tasks.remove(task) else { return };
                self.fold_outcome(entry, &done, *code);
                self.keep_for_rules(entry, fact);
            }
            Fact::Taken { task, by } => {
                if let Some(state) = self.tasks.get_mut(task) {
                    state.taken_at = by.map(|_| entry.occurred_at);
                }
            }
            Fact::Paused { until, .. } => {
                if let Some(enrollment) =
                    self.of(entry).filter(|e| !matches!(e.standing, Standing::Over { .. }))
                {
                    enrollment.standing = Standing::Paused { until: *until, seq: entry.seq };
                }
            }
            Fact::Resumed => {
                if let Some(enrollment) = self.of(entry) {
                    enrollment.standing = Standing::Active;
                }
            }
            Fact::Stopped { reason } => {
                if let Some(enrollment) =
                    self.of(entry).filter(|e| !matches!(e.standing, Standing::Over { .. }))
                {
                    enrollment.standing = Standing::Over { because: Some(*reason) };
                }
            }
            _ => {}
        }
    }

    fn fold_enrolled(&mut self, entry: &Entry, fact: &Fact) {
        let (Fact::Enrolled { site, workflow, version, facts, anchors }, Some(id)) = (fact, entry.enrollment)
        else {
            return;
        };
        let known = |date: &Date| AnchorState { date: *date, known_since: entry.recorded_at };
        let state = EnrollmentState {
            site: *site,
            workflow: workflow.clone(),
            version: version.clone(),
            enrolled_at: entry.recorded_at,
            standing: Standing::Active,
            facts: facts.clone(),
            anchors: anchors.iter().map(|(name, date)| (name.clone(), known(date))).collect(),
            steps: BTreeMap::new(),
            series: BTreeMap::new(),
            unjudged: Vec::new(),
            noted: BTreeSet::new(),
        };
        self.enrollments.insert(id, state);
        self.keep_for_rules(entry, fact);
    }

    fn fold_answered(&mut self, entry: &Entry, about: &Occurrence, fact: &Fact) {
        if let Some(step) = self.step_mut(about) {
            let in_a_row = step.silent_in_a_row;
            step.answers = step.answers.saturating_add(1).min(ANSWERS_MAX);
            step.silent_in_a_row = 0;
            let open = step
                .open
                .iter_mut()
                .find(|open| open.generation == about.generation && open.ordinal == about.ordinal);
            if let Some(open) = open {
                let closed = open.closed.replace(Closing::Done);
                if closed == Some(Closing::Silent) {
                    let day = open.day;
                    step.silent_days.retain(|silent| *silent != day);
                }
                mark_done(step, about, entry.occurred_at);
                let was = Was::Unanswered {
                    about: about.clone(),
                    closed,
                    silent_in_a_row: in_a_row,
                    numbers: Vec::new(),
                };
                self.remember(entry, was);
            }
        }
        self.keep_for_rules(entry, fact);
    }

    fn fold_outcome(&mut self, entry: &Entry, done: &TaskState, code: OutcomeCode) {
        let Some(about) = done.about.as_ref().filter(|_| done.rules.is_empty()) else { return };
        let took_place = code.took_place();
        if let Some(step) = self.step_mut(about) {
            step.outcome = Some(code);
            if took_place {
                mark_done(step, about, entry.occurred_at);
            }
        }
        if let Some(open) = self.occurrence_mut(about) {
            open.task = None;
            open.closed = Some(if took_place { Closing::Done } else { Closing::Undone });
        }
    }

    fn fold_carrier(&mut self, entry: &Entry, fact: &Fact) {
        let at = entry.occurred_at;
        match fact {
            Fact::Claimed { message, attempt } => {
                if let Some(state) = self.messages.get_mut(message) {
                    state.standing = MessageStanding::Claimed(at);
                    state.attempts = state.attempts.max(*attempt);
                    state.retry = false;
                }
            }
            Fact::Released { message, .. } => {
                if let Some(state) = self.messages.get_mut(message)
                    && matches!(state.standing, MessageStanding::Claimed(_))
                {
                    state.standing = MessageStanding::Scheduled;
                }
            }
            Fact::HandedOver { message, attempt, result } => {
                self.fold_handed_over(message, *attempt, result, at)
            }
            Fact::Receipt { message, delivered } => self.fold_receipt(message, *delivered),
            _ => {}
        }
    }

    fn fold_handed_over(&mut self, key: &MessageKey, attempt: u32, result: &HandoverResult, at: Timestamp) {
        let Some(message) = self.messages.get_mut(key) else { return };
        message.attempts = message.attempts.max(attempt);
        match result {
            HandoverResult::Accepted => match message.standing {
                MessageStanding::Bounced(_) => {}
                _ => {
                    message.standing = MessageStanding::HandedOver(at);
                    self.mark_asked(key, at);
                }
            },
            HandoverResult::Unknown => match message.standing {
                // A receipt came first: it knows better.
                MessageStanding::HandedOver(_) | MessageStanding::Bounced(_) => {}
                _ => message.standing = MessageStanding::Uncertain(at),
            },
            HandoverResult::Refused { permanent: false } => {
                message.standing = MessageStanding::Scheduled;
                message.retry = true;
            }
            HandoverResult::Refused { permanent: true } => {
                message.standing = MessageStanding::Refused;
                self.failures.push((key.clone(), message.channel));
            }
        }
    }

    fn fold_receipt(&mut self, key: &MessageKey, delivered: bool) {
        let Some(message) = self.messages.get_mut(key) else { return };
        let sent = match message.standing {
            MessageStanding::HandedOver(sent)
            | MessageStanding::Uncertain(sent)
            | MessageStanding::Claimed(sent) => sent,
            MessageStanding::Scheduled
            | MessageStanding::Refused
            | MessageStanding::Dropped(_)
            | MessageStanding::Bounced(_) => return,
        };
        if delivered {
            message.standing = MessageStanding::HandedOver(sent);
            self.mark_asked(key, sent);
        } else {
            message.standing = MessageStanding::Bounced(sent);
            self.failures.push((key.clone(), message.channel));
        }
    }

    /// Its members were put to the patient.
    fn mark_asked(&mut self, key: &MessageKey, at: Timestamp) {
        let Some(message) = self.messages.get(key) else { return };
        if message.purpose.is_reply() {
            return;
        }
        for member in message.members.clone() {
            let Some(open) = self.occurrence_mut(&member).filter(|open| open.closed.is_none()) else {
                continue;
            };
            open.asked_at = open.asked_at.or(Some(at));
            if let Some(step) = self.step_mut(&member) {
                mark_done(step, &member, at);
            }
        }
    }

    fn fold_plan(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::Opened { about, day, due, closes, expires, .. } => {
                let Some(enrollment) = self.enrollments.get_mut(&about.enrollment) else { return };
                let step = enrollment.steps.entry(about.step.clone()).or_default();
                passed_over(step, about.generation, about.ordinal, about.ordinal);
                step.open.retain(|open| !is_past(open, entry.recorded_at));
                step.open.push(OpenOccurrence {
                    generation: about.generation,
                    ordinal: about.ordinal,
                    day: *day,
                    due: *due,
                    closes: *closes,
                    expires: *expires,
                    asked_at: None,
                    reminded_at: None,
                    flagged: Vec::new(),
                    rung: 0,
                    closed: None,
                    task: None,
                });
            }
            Fact::Closed { about, how } => self.fold_closed(entry, about, *how, fact),
            Fact::Skipped { step, generation, first, last, .. } => {
                if let Some(enrollment) = self.of(entry) {
                    passed_over(
                        enrollment.steps.entry(step.clone()).or_default(),
                        *generation,
                        *first,
                        *last,
                    );
                }
            }
            Fact::ScoreWanted { about, .. } => {
                if let Some(enrollment) = self.of(entry) {
                    let step = enrollment.steps.entry(about.step.clone()).or_default();
                    passed_over(step, about.generation, about.ordinal, about.ordinal);
                }
            }
            Fact::Replanned { step, generation, from, open_windows, after } => {
                if let Some(enrollment) = self.of(entry) {
                    let step = enrollment.steps.entry(step.clone()).or_default();
                    step.generation = *generation;
                    step.from = Some(*from);
                    step.only_later = !open_windows;
                    step.after = *after;
                    step.ordinal = *after;
                }
            }
            Fact::StepStarted { step, generation, ordinal, at, .. } => {
                if let Some(enrollment) = self.of(entry) {
                    let start = Start { generation: *generation, ordinal: *ordinal, at: *at };
                    enrollment.steps.entry(step.clone()).or_default().starts.push(start);
                }
            }
            Fact::Judged { seq, day, numbers, .. } => self.fold_judged(entry, *seq, *day, numbers),
            Fact::Ended => {
                if let Some(enrollment) = self.of(entry) {
                    enrollment.standing = Standing::Over { because: None };
                }
            }
            _ => {}
        }
    }

    fn fold_judged(&mut self, entry: &Entry, seq: u64, day: Option<Date>, numbers: &BTreeMap<Name, Decimal>) {
        self.unanswered_replies.retain(|(reply, _, _)| *reply != seq);
        let Some(enrollment) = self.of(entry) else { return };
        if let Some(first) = enrollment.unjudged.iter().position(|unjudged| unjudged.seq == seq) {
            enrollment.unjudged.remove(first);
        }
        let Some(day) = day else { return };
        for (name, number) in numbers {
            add_number(enrollment, name, day, *number);
        }
        let undoable = self.undo.iter_mut().find(|undoable| undoable.seq == seq);
        if let Some(Was::Unanswered { numbers: added, .. }) = undoable.map(|undoable| &mut undoable.was) {
            *added = numbers.iter().map(|(name, number)| (name.clone(), day, *number)).collect();
        }
    }

    fn fold_closed(&mut self, entry: &Entry, about: &Occurrence, how: Closing, fact: &Fact) {
        let Some(enrollment) = self.enrollments.get_mut(&about.enrollment) else { return };
        let step = enrollment.steps.entry(about.step.clone()).or_default();
        let open = step
            .open
            .iter_mut()
            .find(|open| open.generation == about.generation && open.ordinal == about.ordinal);
        let Some(open) = open else {
            passed_over(step, about.generation, about.ordinal, about.ordinal);
            return;
        };
        let (day, before) = (open.day, open.closed.replace(how));
        if how == Closing::Silent {
            step.silent_in_a_row = step.silent_in_a_row.saturating_add(1).min(SILENT_MAX);
            let oldest = day.saturating_sub(SignedDuration::from_hours(24 * i64::from(LOOK_BACK_DAYS_MAX)));
            step.silent_days.retain(|silent| *silent >= oldest);
            step.silent_days.push(day);
        } else if before == Some(Closing::Silent) {
            // The message turned out not to have arrived.
            step.silent_in_a_row = step.silent_in_a_row.saturating_sub(1);
            step.silent_days.retain(|silent| *silent != day);
        }
        if matches!(how, Closing::Silent | Closing::Undone) {
            self.keep_for_rules(entry, fact);
        }
    }

    fn fold_message(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::Planned(plan) => self.fold_planned(entry, plan),
            Fact::Joined { message, member } => {
                if let Some(state) =
                    self.messages.get_mut(message).filter(|state| !state.members.contains(member))
                {
                    state.members.push(member.clone());
                }
            }
            Fact::Moved { message, send_after, .. } => {
                if let Some(state) = self.messages.get_mut(message) {
                    state.send_after = *send_after;
                    state.retry = false;
                }
            }
            Fact::Dropped { message, why } => {
                if let Some(state) = self.messages.get_mut(message) {
                    state.standing = MessageStanding::Dropped(*why);
                    state.retry = false;
                }
            }
            _ => {}
        }
    }

    fn fold_planned(&mut self, entry: &Entry, plan: &MessagePlan) {
        self.forget_messages(entry.recorded_at);
        match plan.purpose {
            Purpose::StopConfirmation => self.channel(plan.channel).stop_confirmed = true,
            Purpose::NotMonitored => self.not_monitored_at = Some(entry.recorded_at),
            Purpose::Remind(_) => {
                for member in &plan.members {
                    if let Some(open) = self.occurrence_mut(member) {
                        open.reminded_at = Some(entry.recorded_at);
                    }
                }
            }
            Purpose::Ask | Purpose::Tell | Purpose::StartConfirmation | Purpose::Help => {}
        }
        let state = MessageState {
            purpose: plan.purpose,
            members: plan.members.clone(),
            channel: plan.channel,
            rung: plan.rung,
            standing: MessageStanding::Scheduled,
            send_after: plan.send_after,
            not_after: plan.not_after,
            exempt: plan.exempt,
            attempts: 0,
            retry: false,
        };
        self.messages.insert(plan.key.clone(), state);
    }

    /// Forgets settled messages that neither caps nor an open occurrence need.
    fn forget_messages(&mut self, now: Timestamp) {
        let oldest = now.saturating_sub(MESSAGES_KEPT).unwrap_or(Timestamp::MIN);
        let needed = |state: &Self, message: &MessageState| {
            let settled =
                !matches!(message.standing, MessageStanding::Scheduled | MessageStanding::Claimed(_));
            let open =
                |member: &Occurrence| state.occurrence(member).is_some_and(|open| open.closed.is_none());
            !settled || message.send_after > oldest || message.members.iter().any(open)
        };
        if self.messages.values().all(|message| needed(self, message)) {
            return;
        }
        let kept = std::mem::take(&mut self.messages);
        self.messages = kept.into_iter().filter(|(_, message)| needed(self, message)).collect();
    }

    fn fold_task(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::TaskOpened(plan) => self.fold_task_opened(entry, plan),
            Fact::TaskChanged { task, level, role, rung, rule, .. } => {
                if let Some(state) = self.tasks.get_mut(task) {
                    if *level < state.level && *rung == 0 {
                        state.opened_at = entry.recorded_at;
                    }
                    state.level = *level;
                    state.role = *role;
                    state.rung = *rung;
                    if let Some(rule) = rule.as_ref().filter(|rule| !state.rules.contains(rule)) {
                        state.rules.push(rule.clone());
                    }
                    let own = state.about.clone().filter(|_| state.rules.is_empty());
                    if let Some(open) = own.and_then(|about| self.occurrence_mut(&about)) {
                        open.rung = *rung;
                    }
                }
            }
            Fact::TaskWithdrawn { task, .. } => {
                if let Some(about) = self.tasks.remove(task).and_then(|state| state.about)
                    && let Some(open) = self.occurrence_mut(&about)
                    && open.task.as_ref() == Some(task)
                {
                    open.task = None;
                }
            }
            _ => {}
        }
    }

    fn fold_task_opened(&mut self, entry: &Entry, plan: &TaskPlan) {
        if plan.rule.is_none()
            && let Some(open) = plan.about.as_ref().and_then(|about| self.occurrence_mut(about))
        {
            open.task = Some(plan.key.clone());
        }
        if let (None, None, Some(enrollment)) = (&plan.rule, &plan.about, self.of(entry)) {
            enrollment.noted.insert(plan.key.clone());
        }
        let state = TaskState {
            enrollment: entry.enrollment,
            kind: plan.kind,
            level: plan.level,
            role: plan.role,
            rules: plan.rule.iter().cloned().collect(),
            about: plan.about.clone(),
            cause: plan.cause,
            opened_at: plan.opened_at,
            rung: 0,
            taken_at: None,
        };
        self.tasks.insert(plan.key.clone(), state);
    }

    fn of(&mut self, entry: &Entry) -> Option<&mut EnrollmentState> {
        self.enrollments.get_mut(&entry.enrollment?)
    }

    fn keep_for_rules(&mut self, entry: &Entry, fact: &Fact) {
        let (seq, at) = (entry.seq, entry.occurred_at);
        if let Some(enrollment) = self.of(entry) {
            enrollment.unjudged.push(Unjudged { seq, at, what: fact.clone(), restored: None });
        }
    }

    fn remember(&mut self, entry: &Entry, was: Was) {
        if self.undo.len() >= UNDO_MAX {
            self.undo.remove(0);
        }
        self.undo.push(Undoable { seq: entry.seq, enrollment: entry.enrollment, was });
    }

    /// Whether the entry with that sequence number can still be voided or corrected.
    #[must_use]
    pub fn can_undo(&self, seq: u64) -> bool {
        self.undo.iter().any(|undoable| undoable.seq == seq)
    }

    /// Puts back what the entry replaced, and lets the next decision know.
    fn fold_voided(&mut self, entry: &Entry, seq: u64) {
        let Some(index) = self.undo.iter().position(|undoable| undoable.seq == seq) else { return };
        let Undoable { enrollment, was, .. } = self.undo.remove(index);
        let mut restored = None;
        match was {
            Was::Alive => self.died = None,
            Was::Unanswered { about, closed, silent_in_a_row, numbers } => {
                self.undo_answer(&about, closed, silent_in_a_row);
                self.undo_numbers(&about, &numbers);
            }
            Was::Fact { name, value } => {
                restored = Some(name.clone());
                if let Some(enrollment) = enrollment.and_then(|id| self.enrollments.get_mut(&id)) {
                    put_back(&mut enrollment.facts, name, value);
                }
            }
            Was::Anchor { name, anchor } => {
                restored = Some(name.clone());
                if let Some(enrollment) = enrollment.and_then(|id| self.enrollments.get_mut(&id)) {
                    put_back(&mut enrollment.anchors, name, anchor);
                }
            }
        }
        if let Some(enrollment) = enrollment.and_then(|id| self.enrollments.get_mut(&id)) {
            enrollment.unjudged.retain(|unjudged| unjudged.seq != seq);
            let what = Fact::Voided { seq, reason: String::new() };
            enrollment.unjudged.push(Unjudged { seq: entry.seq, at: entry.occurred_at, what, restored });
        }
    }

    fn undo_answer(&mut self, about: &Occurrence, closed: Option<Closing>, silent_in_a_row: u8) {
        if let Some(open) = self.occurrence_mut(about) {
            open.closed = closed;
        }
        if let Some(step) = self.step_mut(about) {
            step.answers = step.answers.saturating_sub(1);
            step.silent_in_a_row = silent_in_a_row;
        }
    }

    fn undo_numbers(&mut self, about: &Occurrence, numbers: &[(Name, Date, Decimal)]) {
        let Some(enrollment) = self.enrollments.get_mut(&about.enrollment) else { return };
        for (name, day, number) in numbers {
            let Some(series) = enrollment.series.get_mut(name) else { continue };
            if let Some(at) = series.iter().position(|kept| *kept == (*day, *number)) {
                series.remove(at);
            }
        }
    }

    /// Whether a decision was made by the engine; for readers of histories.
    #[must_use]
    pub fn is_decision(entry: &Entry) -> bool {
        entry.author == Author::Engine
    }

    /// The open task of that key.
    #[must_use]
    pub fn task(&self, key: &TaskKey) -> Option<&TaskState> {
        self.tasks.get(key)
    }
}

/// Closed and its link dead: nothing can refer to it any more.
fn is_past(open: &OpenOccurrence, now: Timestamp) -> bool {
    open.closed.is_some() && open.task.is_none() && open.expires <= now
}

fn passed_over(step: &mut StepState, generation: u32, first: u32, last: u32) {
    let started = step.starts.iter().any(|start| start.generation == generation && start.ordinal == first);
    step.starts.retain(|s| !(s.generation == generation && (first..=last).contains(&s.ordinal)));
    if step.generation == 0 || (started && generation > step.generation) {
        step.generation = generation;
    }
    if generation == step.generation {
        step.ordinal = step.ordinal.max(last);
    }
}

fn put_back<T>(map: &mut BTreeMap<Name, T>, name: Name, value: Option<T>) {
    match value {
        Some(value) => map.insert(name, value),
        None => map.remove(&name),
    };
}

fn mark_done(step: &mut StepState, about: &Occurrence, at: Timestamp) {
    let same = |done: &&mut Done| done.generation == about.generation && done.ordinal == about.ordinal;
    if let Some(done) = step.done.iter_mut().find(same) {
        done.at = at;
        return;
    }
    if step.done.len() >= DONE_MAX {
        step.done.remove(0);
    }
    step.done.push(Done { generation: about.generation, ordinal: about.ordinal, at });
}

/// Numbers stay in order of their days and within the longest look-back.
fn add_number(enrollment: &mut EnrollmentState, name: &Name, day: Date, number: Decimal) {
    let series = enrollment.series.entry(name.clone()).or_default();
    let at = series.partition_point(|(earlier, _)| *earlier <= day);
    series.insert(at, (day, number));
    let latest = series.last().map_or(day, |(latest, _)| *latest);
    let oldest = latest.saturating_sub(SignedDuration::from_hours(24 * i64::from(LOOK_BACK_DAYS_MAX)));
    series.retain(|(kept, _)| *kept >= oldest);
    if series.len() > SERIES_MAX {
        series.remove(0);
    }
}
