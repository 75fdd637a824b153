//! The timeline in sentences: one for each kind of entry, with who, when and why. Nothing of an answer stands in it but its
//! questionnaire; the answers have a place of their own, which a clerk does not see.

use jiff::tz::TimeZone;
use tend_engine::{
    Name, Value,
    fact::{
        Author, Because, Fact, HandoverResult, Mode, NewFact, Occurrence, Reply, RiskMove, VersionChoice,
    },
};

use super::vocabulary as v;
use crate::web::{
    Lang,
    words::{Staff, Story},
};

/// What is needed to tell a story.
#[derive(Debug)]
pub struct Teller<'a> {
    /// The reader's language.
    pub lang: Lang,
    /// The site's zone.
    pub zone: &'a TimeZone,
    /// The titles of steps and questionnaires, by name.
    pub titles: &'a dyn Titles,
}

/// The words of a version for names in the history.
pub trait Titles: std::fmt::Debug {
    /// A step's title.
    fn step(&self, about: &Occurrence) -> String;
    /// The title of a step that is only named.
    fn step_named(&self, step: &Name) -> String;
    /// A questionnaire's title.
    fn questionnaire(&self, id: &Name) -> String;
    /// A rule in words.
    fn rule(&self, rule: &Name) -> String;
    /// A workflow's title.
    fn workflow(&self, name: &Name) -> String;
    /// A fact's words, and its value with its unit.
    fn fact(&self, name: &Name, value: &Value) -> (String, String);
    /// Who a member of staff is.
    fn staff(&self, id: tend_engine::StaffId) -> String;
}

/// An entry in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The sentence.
    pub sentence: String,
    /// Why, where there is a reason.
    pub why: Option<String>,
    /// Decisions are folded away below what people and patients did.
    pub minor: bool,
}

impl Teller<'_> {
    fn w(&self) -> Staff {
        Staff(self.lang)
    }

    fn s(&self) -> Story {
        Story(self.lang)
    }

    /// Who recorded it.
    #[must_use]
    pub fn author(&self, author: Author) -> String {
        match author {
            Author::Patient => self.s().by_patient().to_owned(),
            Author::Carer => self.s().by_carer().to_owned(),
            Author::Staff(id) => self.titles.staff(id),
            Author::Engine => self.s().by_engine().to_owned(),
            Author::Carrier => self.s().by_carrier().to_owned(),
            Author::System => self.s().by_system().to_owned(),
        }
    }

    /// The sentence of an entry.
    #[must_use]
    pub fn tell(&self, fact: &Fact) -> Told {
        match self.of_people(fact).or_else(|| self.of_carriers(fact)) {
            Some(told) => told,
            None => self.of_engine(fact),
        }
    }

    fn major(&self, sentence: impl Into<String>) -> Option<Told> {
        Some(Told { sentence: sentence.into(), why: None, minor: false })
    }

    fn because(&self, sentence: impl Into<String>, why: &str) -> Option<Told> {
        let why = (!why.is_empty()).then(|| why.to_owned());
        Some(Told { sentence: sentence.into(), why, minor: false })
    }

    fn of_people(&self, fact: &Fact) -> Option<Told> {
        let (w, s) = (self.w(), self.s());
        match fact {
            Fact::Preference { language, zone, .. } => {
                self.major(s.preference(v::language(w, language), zone))
            }
            Fact::Reachable { channel, usable: true } => self.major(s.reachable(v::channel(w, *channel))),
            Fact::Reachable { channel, usable: false } => self.major(s.unreachable(v::channel(w, *channel))),
            Fact::ConsentGiven { channel, wording } => {
                self.major(s.consent(v::channel(w, *channel), wording))
            }
            Fact::ConsentWithdrawn { channel } => self.major(s.consent_withdrawn(v::channel(w, *channel))),
            Fact::DailyConsent { given: true } => self.major(s.daily_on()),
            Fact::DailyConsent { given: false } => self.major(s.daily_off()),
            Fact::ChannelStopped { channel } => self.major(s.channel_stopped(v::channel(w, *channel))),
            Fact::ChannelRestarted { channel } => self.major(s.channel_restarted(v::channel(w, *channel))),
            Fact::Replied { channel, reply } => {
                let meaning = match reply {
                    Reply::Stop => " · STOP",
                    Reply::Start => " · START",
                    Reply::Help => " · HELP",
                    Reply::Danger => " · ‼",
                    Reply::Other => "",
                };
                self.major(format!("{}{meaning}", s.replied(v::channel(w, *channel))))
            }
            Fact::Died { date } => self.major(s.died(date)),
            Fact::Enrolled { workflow, version, .. } => {
                self.major(s.enrolled(self.titles.workflow(workflow), version.short()))
            }
            Fact::FactSet { name, value } => {
                let (name, value) = self.titles.fact(name, value);
                self.major(s.fact_set(name, value))
            }
            Fact::AnchorEvent { anchor, date } => self.major(s.anchor_event(anchor, date)),
            Fact::AnchorCorrected { anchor, date, reason } => {
                self.because(s.anchor_corrected(anchor, date), reason)
            }
            Fact::Flagged { questionnaire, .. } => {
                self.major(s.flagged(self.titles.questionnaire(questionnaire)))
            }
            Fact::Answered { questionnaire, mode, .. } => {
                let title = self.titles.questionnaire(questionnaire);
                self.major(match mode {
                    Mode::Own => s.answered(title),
                    Mode::Proxy => s.answered_by_carer(title),
                    Mode::NursePhone => s.answered_by_nurse(title),
                })
            }
            Fact::Outcome { code, .. } => self.major(s.outcome(v::outcome(w, *code))),
            Fact::Taken { by: Some(_), .. } => self.major(s.taken()),
            Fact::Taken { by: None, .. } => self.major(s.given_back()),
            Fact::Paused { until: Some(day), reason } => self.because(s.paused_until(day), reason),
            Fact::Paused { until: None, reason } => self.because(s.paused(), reason),
            Fact::Resumed => self.major(s.resumed()),
            Fact::Stopped { reason } => self.major(s.stopped(v::stop_reason(w, *reason))),
            Fact::Scored { model, probability_ppm: Some(ppm), .. } => {
                self.major(s.scored(model, v::percent(*ppm)))
            }
            Fact::Scored { model, probability_ppm: None, .. } => self.major(s.not_scored(model)),
            Fact::RiskMoved { to } => self.major(match to {
                RiskMove::Up => s.risk_up(),
                RiskMove::Down => s.risk_down(),
                RiskMove::Dismissed => s.risk_dismissed(),
                RiskMove::Back => s.risk_back(),
            }),
            Fact::VersionChosen { to, choice } => self.major(match choice {
                VersionChoice::Stay => s.version_stays(to.short()),
                VersionChoice::MoveWhenQuiet(_) => s.version_waits(to.short()),
            }),
            Fact::VersionChanged { from, to, undone: false, .. } => {
                self.major(s.version_moved(from.short(), to.short()))
            }
            Fact::VersionChanged { from, to, undone: true, .. } => {
                self.major(s.version_moved_back(from.short(), to.short()))
            }
            Fact::Voided { seq, reason } => self.because(s.voided(seq), reason),
            Fact::Corrected { seq, reason, .. } => self.because(s.corrected(seq), reason),
            _ => None,
        }
    }

    fn of_carriers(&self, fact: &Fact) -> Option<Told> {
        let s = self.s();
        let sentence = match fact {
            Fact::Claimed { .. } => s.claimed(),
            Fact::Released { .. } => s.released(),
            Fact::HandedOver { result: HandoverResult::Accepted, .. } => s.handed_over(),
            Fact::HandedOver { result: HandoverResult::Refused { permanent: true, .. }, .. } => s.refused(),
            Fact::HandedOver { result: HandoverResult::Refused { permanent: false, .. }, .. } => {
                s.refused_once()
            }
            Fact::HandedOver { result: HandoverResult::Unknown, .. } => s.unknown(),
            Fact::Receipt { delivered: true, .. } => s.delivered(),
            Fact::Receipt { delivered: false, .. } => s.bounced(),
            _ => return None,
        };
        let minor = matches!(fact, Fact::Claimed { .. } | Fact::Released { .. });
        Some(Told { sentence: sentence.to_owned(), why: None, minor })
    }

    fn of_engine(&self, fact: &Fact) -> Told {
        let (w, s) = (self.w(), self.s());
        let mut why = None;
        let mut minor = true;
        let sentence = match fact {
            Fact::Opened { about, late: true, .. } => s.opened_late(self.titles.step(about)),
            Fact::Opened { about, closes, .. } => {
                s.opened(self.titles.step(about), v::instant(self.zone, *closes))
            }
            Fact::Closed { about, how } => {
                minor = false;
                s.closed(self.titles.step(about), v::closing(s, *how))
            }
            Fact::Skipped { step, first, last, how, .. } => {
                s.skipped(self.titles.step_named(step), first, last, v::closing(s, *how))
            }
            Fact::Replanned { step, .. } => s.replanned(self.titles.step_named(step)),
            Fact::StepStarted { step, .. } => s.started(self.titles.step_named(step)),
            Fact::ScoreWanted { model, .. } => s.score_wanted(model),
            Fact::Planned(plan) => {
                minor = false;
                why = Some(self.why(&plan.because));
                let at = v::instant(self.zone, plan.send_after);
                s.planned(v::purpose(w, plan.purpose), v::channel(w, plan.channel), at)
            }
            Fact::Joined { member, .. } => s.joined(self.titles.step(member)),
            Fact::Moved { send_after, why, .. } => {
                minor = false;
                s.moved(v::instant(self.zone, *send_after), v::moved(s, *why))
            }
            Fact::Dropped { why, .. } => {
                minor = false;
                s.dropped(v::dropped(s, *why))
            }
            Fact::TaskOpened(plan) => {
                minor = false;
                let reasons: Vec<&str> = plan.because.iter().map(|text| v::text(self.lang, text)).collect();
                why = (!reasons.is_empty()).then(|| reasons.join("; "));
                let level = v::level(w, plan.level);
                format!("{} ({level})", s.task_opened(v::text(self.lang, &plan.title)))
            }
            Fact::TaskChanged { role, level, because, .. } => {
                minor = false;
                why = Some(v::text(self.lang, because).to_owned());
                format!("{} ({})", s.task_changed(v::role(w, *role)), v::level(w, *level))
            }
            Fact::TaskWithdrawn { why, .. } => s.task_withdrawn(v::dropped(s, *why)),
            Fact::Judged { fired, .. } if fired.is_empty() => s.judged_none().to_owned(),
            Fact::Judged { fired, seq, .. } => {
                minor = false;
                why = Some(s.judged_for(seq));
                s.judged(fired.iter().map(|rule| self.titles.rule(rule)).collect::<Vec<_>>().join("; "))
            }
            Fact::Ended => {
                minor = false;
                s.ended().to_owned()
            }
            // Told by the two above.
            Fact::Preference { .. }
            | Fact::Reachable { .. }
            | Fact::ConsentGiven { .. }
            | Fact::ConsentWithdrawn { .. }
            | Fact::DailyConsent { .. }
            | Fact::ChannelStopped { .. }
            | Fact::ChannelRestarted { .. }
            | Fact::Replied { .. }
            | Fact::Died { .. }
            | Fact::Enrolled { .. }
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
            | Fact::VersionChosen { .. }
            | Fact::VersionChanged { .. }
            | Fact::Scored { .. }
            | Fact::RiskMoved { .. }
            | Fact::Voided { .. }
            | Fact::Corrected { .. }
            | Fact::Claimed { .. }
            | Fact::Released { .. }
            | Fact::HandedOver { .. }
            | Fact::Receipt { .. } => String::new(),
        };
        Told { sentence, why, minor }
    }

    /// Why a decision was taken, in words.
    #[must_use]
    pub fn why(&self, because: &Because) -> String {
        let s = self.s();
        match because {
            Because::Step(step) => s.because_step(self.titles.step_named(step)),
            Because::Rule(rule, seq) => s.because_rule(rule, seq),
            Because::Reply(_) => s.because_reply().to_owned(),
            Because::Fallback(_) => s.because_fallback().to_owned(),
        }
    }
}

/// Facts that a person on the page records, with the page's instant.
#[must_use]
pub fn by_person(
    enrollment: Option<tend_engine::EnrollmentId>,
    at: jiff::Timestamp,
    author: Author,
    fact: Fact,
) -> NewFact {
    NewFact { enrollment, occurred_at: at, author, fact }
}
