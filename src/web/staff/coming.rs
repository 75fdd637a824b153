//! What comes next for a patient: what is open now, and when it will be looked at again.

use tend_engine::model::Does;

use super::{Signed, vocabulary as v};
use crate::{app::App, store::read::patient::PatientRow, web::words::Story};

/// Lines that are shown.
const LINES_MAX: usize = 12;

/// The lines, soonest first.
#[must_use]
pub fn of(signed: &Signed, app: &App, row: &PatientRow) -> Vec<(String, String)> {
    let s = Story(signed.lang);
    let zone = v::zone(&row.state.zone);
    let mut found = Vec::new();
    for enrollment in row.state.enrollments.values() {
        let Some(workflow) = app.version(&enrollment.version) else { continue };
        for (name, state) in &enrollment.steps {
            let Some(step) = workflow.step(name) else { continue };
            let title = v::text(signed.lang, &step.title);
            for open in state.open.iter().filter(|open| open.closed.is_none()) {
                let what = match step.does {
                    Does::Ask { .. } | Does::Task { .. } => s.opened(title, v::instant(&zone, open.closes)),
                    Does::Tell { .. } | Does::Score { .. } => title.to_owned(),
                };
                found.push((open.due, what));
            }
        }
    }
    found.sort();
    found.truncate(LINES_MAX);
    found.into_iter().map(|(due, what)| (v::instant(&zone, due), what)).collect()
}
