//! Publishing a version at a site: new patients are put on it, running follow-ups stay on theirs. Refused where a role that
//! owns something has nobody who could see it.

use std::collections::BTreeSet;

use tend_engine::{
    Name, SiteId, StaffId, VersionHash,
    model::{Action, Does, LevelId, Role, Workflow},
};

use super::{Actor, App};
use crate::{
    library,
    store::{AuditLine, StoreError},
};

/// Why a version was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Nobody would see what these roles own.
    #[error(
        "not published: {} own(s) something in it and has no active account at this site; add an account with that duty first",
        roles_in_words(.0)
    )]
    NobodyThere(Vec<Role>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn roles_in_words(roles: &[Role]) -> String {
    let word = |role: &Role| match role {
        Role::Clerk => "clerk",
        Role::Nurse => "nurse",
        Role::NurseLead => "nurse_lead",
        Role::Clinician => "clinician",
        Role::Pharmacist => "pharmacist",
    };
    roles.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Every role that owns a task, an alert or a rung of a ladder in this workflow.
#[must_use]
pub fn owners(workflow: &Workflow) -> BTreeSet<Role> {
    let mut roles = BTreeSet::new();
    let mut levels: BTreeSet<LevelId> = BTreeSet::new();
    for step in &workflow.steps {
        if let Does::Task { role, overdue, .. } = &step.does {
            roles.insert(*role);
            roles.extend(overdue.iter().map(|rung| rung.role));
        }
    }
    for action in workflow.rules.iter().flat_map(|rule| &rule.then) {
        match action {
            Action::Alert(level) | Action::AlertWithin { level, .. } => _ = levels.insert(*level),
            Action::Task { role, .. } | Action::Pause { role, .. } => _ = roles.insert(*role),
            Action::Start(_) | Action::Set(..) | Action::Stop { .. } => {}
        }
    }
    for level in workflow.levels.iter().filter(|level| levels.contains(&level.id)) {
        roles.insert(level.owner);
        roles.extend(level.ladder.iter().map(|rung| rung.role));
    }
    roles
}

/// What lies in the folder of workflow files.
#[derive(Debug)]
pub struct Publishable {
    /// The workflows; none while the files have problems.
    pub workflows: Vec<Workflow>,
    /// How many problems the files have.
    pub problems: usize,
}

impl App {
    /// Reads the folder of workflow files, or the built-in library where there is none.
    #[must_use]
    pub async fn publishable(&self) -> Publishable {
        let folder = self.workflows.clone();
        let read = tokio::task::spawn_blocking(move || {
            let compiled = library::load(folder.as_deref()).compiled;
            let problems = compiled.diagnostics.len();
            let all = compiled.workflows.into_iter().map(|(_, workflow)| workflow);
            Publishable { workflows: if problems == 0 { all.collect() } else { Vec::new() }, problems }
        });
        read.await.unwrap_or(Publishable { workflows: Vec::new(), problems: 1 })
    }

    /// The line of the files here that names a step or rule of that version, if they hold it.
    #[must_use]
    pub async fn line_of(&self, workflow: Name, version: VersionHash, named: Name) -> Option<String> {
        let folder = self.workflows.clone();
        let read = move || library::line_of(&library::load(folder.as_deref()), &workflow, &version, &named);
        tokio::task::spawn_blocking(read).await.ok().flatten()
    }

    /// Publishes a version; says whether it was new at the site.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn publish(
        &self,
        site: SiteId,
        workflow: &Workflow,
        by: Option<StaffId>,
    ) -> Result<bool, PublishError> {
        let staff = self.store.active_staff(site).await?;
        let there = |role: &Role| staff.iter().any(|member| member.duty_roles.contains(role));
        let missing: Vec<Role> = owners(workflow).into_iter().filter(|role| !there(role)).collect();
        if !missing.is_empty() {
            return Err(PublishError::NobodyThere(missing));
        }
        let now = self.clock.now();
        let mut tx = self.store.begin();
        let new = tx.publish(site, workflow, by, now).await?;
        let line = AuditLine {
            actor: by.map_or(Actor::System, Actor::Staff).name(),
            action: "publish",
            patient: None,
            subject: workflow.id.to_string(),
            detail: workflow.version().0,
        };
        self.note_in(&mut tx, line, now).await?;
        tx.commit().await?;
        self.refresh().await?;
        Ok(new)
    }
}
