//! Levels of alerts: how fast, who, and what if nobody does.

#![allow(missing_docs, reason = "the fields of a variant are described on the variant")]

use serde::{Deserialize, Serialize};

use super::Text;

/// The levels, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelId {
    /// A possible emergency.
    RedNow,
    /// Needs assessment today.
    Red,
    /// Needs a call or a plan.
    Amber,
    /// Silent, undeliverable or opted out.
    Grey,
    /// An administrative request.
    Blue,
    /// As expected: nobody.
    Green,
}

/// Duty roles: who owns a task. Account roles (what a login may do) are another thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Numbers and appointments.
    Clerk,
    /// First line.
    Nurse,
    /// Leads the nurses.
    NurseLead,
    /// Decides treatment, reviews the risk queue.
    Clinician,
    /// Medicines.
    Pharmacist,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Clerk, Self::Nurse, Self::NurseLead, Self::Clinician, Self::Pharmacist];
}

/// A level as a site runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Which.
    pub id: LevelId,
    /// The accountable role.
    pub owner: Role,
    /// By when a person must have acted.
    pub respond: Respond,
    /// Who is told next, in order; the last rung is a person's role.
    pub ladder: Vec<Rung>,
    /// What the patient is told when nobody is on duty.
    pub outside_hours: Option<Text>,
}

/// Time to respond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Respond {
    /// This many minutes, counted so.
    Within { minutes: u32, counting: Counting },
    /// By the end of today's cover if raised before this minute of the day on a covered day, else within 24 hours.
    SameDay { raised_before_minute: u16 },
    /// By the end of cover of the n-th working day after.
    WorkingDays(u16),
    /// Nobody needs to respond.
    Never,
}

/// How minutes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// On the wall clock.
    Wall,
    /// Only while the site is covered.
    Covered,
}

/// A rung of an escalation ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Minutes after the alert was raised.
    pub minutes: u32,
    /// Counted so.
    pub counting: Counting,
    /// The next owner.
    pub role: Role,
}
