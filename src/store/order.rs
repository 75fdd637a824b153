//! The order of a worklist as columns, so that a page is one stretch of an index: level, deadline, risk, age.
//!
//! * What the rules call more urgent always stands above, whatever a model says.
//! * Then the deadline, rounded down to what makes no difference for its level: only among tasks that are due at about the
//!   same time does the risk decide. An overdue task stands above every later one, so nobody waits for ever.
//! * A task that nobody has to answer by a time stands as if it were due a week after it was opened.
//! * Who has no score is not taken for a low risk but for one of ten per cent. A clinician's word stands above the score.
//!
//! Nothing of it depends on the time at which it is read.

use tend_engine::{fact::RiskMove, model::LevelId, state::EnrollmentState};

use super::project::TaskRow;

const MINUTE: i64 = 60 * 1_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// When a task without a deadline should have been looked at.
const WITHOUT_DEADLINE: i64 = 7 * DAY;
/// Parts per million in a whole.
const WHOLE: i32 = 1_000_000;
/// Where somebody without a score stands.
pub const UNKNOWN: i32 = WHOLE - 100_000;
/// Before every score.
const UP: i32 = -1;
/// Behind every score.
const DOWN: i32 = WHOLE + 1;

/// How far apart deadlines of a level may lie and still count as the same.
fn rounding(level: LevelId) -> i64 {
    match level {
        LevelId::RedNow | LevelId::Red => 15 * MINUTE,
        LevelId::Amber => HOUR,
        LevelId::Grey | LevelId::Blue | LevelId::Green => DAY,
    }
}

/// The deadline in the order.
pub fn respond_sort(row: &TaskRow) -> i64 {
    let due = row.respond_by.unwrap_or(row.opened_at.saturating_add(WITHOUT_DEADLINE));
    due - due.rem_euclid(rounding(row.level))
}

/// The place among tasks that are equally urgent, least first.
pub fn risk_sort(enrollment: Option<&EnrollmentState>) -> i32 {
    let Some(state) = enrollment else { return UNKNOWN };
    match state.risk_moved {
        Some(RiskMove::Up) => UP,
        Some(RiskMove::Down | RiskMove::Dismissed) => DOWN,
        Some(RiskMove::Back) | None => scored(state).unwrap_or(UNKNOWN),
    }
}

/// The place on the risk queue; `None` off it.
pub fn risk_rank(state: &EnrollmentState) -> Option<i32> {
    match state.risk_moved {
        Some(RiskMove::Up) => Some(UP),
        Some(RiskMove::Down) => Some(DOWN),
        Some(RiskMove::Dismissed) => None,
        Some(RiskMove::Back) | None => scored(state),
    }
}

fn scored(state: &EnrollmentState) -> Option<i32> {
    let ppm = state.risk.as_ref()?.ppm?;
    i32::try_from(ppm).ok().map(|ppm| WHOLE - ppm.min(WHOLE))
}

/// A move, the same word as in JSON.
pub fn moved(to: RiskMove) -> &'static str {
    match to {
        RiskMove::Up => "up",
        RiskMove::Down => "down",
        RiskMove::Dismissed => "dismissed",
        RiskMove::Back => "back",
    }
}
