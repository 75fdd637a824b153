//! Where a model is on, computed without being shown, or off: one line for each workflow, on the model's own page.

use jiff::tz::TimeZone;
use tend_engine::Name;

use super::{
    Signed,
    vocabulary::{self as v, Titles},
};
use crate::{
    app::{
        App,
        score::{self, SwitchState},
    },
    store::read::risk_queue::SwitchRow,
    web::{WebError, words::Risk},
};

/// A switch as shown.
#[derive(Debug)]
pub struct Switch {
    /// The workflow's name.
    pub workflow: String,
    /// Its title.
    pub title: String,
    /// How the model stands there.
    pub sentence: String,
    /// Who set it so.
    pub by: Option<String>,
    /// The same as a word.
    pub state: &'static str,
}

/// The switches of the signed-in person's site.
///
/// # Errors
/// [`WebError::Internal`].
pub async fn of(app: &App, signed: &Signed, version: &str) -> Result<Vec<Switch>, WebError> {
    let site = signed.staff.site;
    let zone = app.zone(site);
    let titles = v::titles(app, signed.lang);
    let switches = app.store.model_switches(site).await?;
    let workflows = app.store.workflow_names(site).await?;
    Ok(workflows.iter().map(|name| switch(signed, &zone, &titles, version, name, &switches)).collect())
}

fn switch(
    signed: &Signed,
    zone: &TimeZone,
    titles: &Titles,
    version: &str,
    workflow: &Name,
    switches: &[SwitchRow],
) -> Switch {
    let r = Risk(signed.lang);
    let found = switches.iter().find(|s| s.model == score::MODEL && workflow == s.workflow.as_str());
    let state = score::stands(switches, workflow);
    let words = match state {
        SwitchState::On => r.state_on(),
        SwitchState::Shadow => r.state_shadow(),
        SwitchState::Off => r.state_off(),
        SwitchState::SteppedBack => r.state_back(),
    };
    Switch {
        title: v::titled(titles, workflow.as_str()),
        workflow: workflow.to_string(),
        sentence: r.model_is(score::MODEL, version, words),
        by: found
            .filter(|s| !s.set_by.is_empty())
            .map(|s| r.switched_by(&s.set_by, v::instant(zone, s.set_at))),
        state: state.word(),
    }
}
