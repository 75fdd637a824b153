//! Tasks: opened, changed, withdrawn.

use crate::{
    fact::{Entry, Fact, TaskPlan},
    state::{PatientState, TaskState},
};

impl PatientState {
    pub(super) fn fold_task(&mut self, entry: &Entry, fact: &Fact) {
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

    pub(super) fn fold_task_opened(&mut self, entry: &Entry, plan: &TaskPlan) {
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
}
