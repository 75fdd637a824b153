//! Moves one after the other are one move.

use super::*;

/// What two moves are together, worked out without the workflows: what the one that spans both must say.
impl Migration {
    fn then(&self, next: &Self) -> Self {
        let after = |name: &Name| -> Option<Name> {
            (!next.removed.contains(name)).then(|| next.renamed.get(name).unwrap_or(name).clone())
        };
        let begun: BTreeSet<&Name> = self.renamed.values().collect();
        let mut all = Self::default();
        all.removed.clone_from(&self.removed);
        for (old, middle) in &self.renamed {
            match after(middle) {
                Some(new) => _ = all.renamed.insert(old.clone(), new),
                None => _ = all.removed.insert(old.clone()),
            }
        }
        // What only the second one names has the same name before the first, unless the first brought it.
        let from_before = |name: &&Name| !begun.contains(name) && !self.added.contains(*name);
        all.removed.extend(next.removed.iter().filter(from_before).cloned());
        let renamed = next.renamed.iter().filter(|(old, _)| from_before(old));
        all.renamed.extend(renamed.map(|(old, new)| (old.clone(), new.clone())));
        all.renamed.retain(|old, new| old != new);
        all.added = self.added.iter().filter_map(after).chain(next.added.iter().cloned()).collect();
        // Taken away and brought back: planned afresh.
        let again: Vec<Name> = all.removed.intersection(&all.added).cloned().collect();
        let retimed = self.retimed.iter().filter_map(after).chain(next.retimed.iter().cloned());
        all.retimed = retimed.filter(|name| !all.added.contains(name)).chain(again.clone()).collect();
        for name in again {
            all.removed.remove(&name);
            all.added.remove(&name);
        }
        all
    }
}

#[test]
fn migrations_compose() {
    // First a new name, then another hour under that name, then away.
    let one = renamed();
    let mut two = one.clone();
    let check = two.steps.iter_mut().find(|step| step.id == *"daily-check").expect("a step");
    check.timing.time = jiff::civil::time(10, 0, 0, 0);
    two.changes.retimed.push(name("daily-check"));
    let mut three = two.clone();
    three.steps.retain(|step| step.id != *"daily-check");
    three.changes.retimed.clear();
    three.changes.removed.push(name("daily-check"));
    let between = |old: &Workflow, new: &Workflow| Migration::between(old, new).expect("stated");
    let base = daily();
    assert_eq!(between(&base, &two), between(&base, &one).then(&between(&one, &two)));
    assert_eq!(between(&base, &three), between(&base, &two).then(&between(&two, &three)));
    assert_eq!(between(&one, &three), between(&one, &two).then(&between(&two, &three)));
    let there_and_back = between(&base, &one).then(&between(&base, &one).back());
    assert_eq!(there_and_back, Migration::default());
    // In one step or in two, the same lies ahead.
    let site = SiteSettings::default();
    let library = library(&[one.clone(), two.clone()]);
    let course = |versions: &[&Workflow]| {
        let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
        patient.run_until(local(ZONE, "2026-03-09T12:00")).expect("runs");
        for new in versions {
            let from = patient.state.enrollments[&PATIENT_A].version.clone();
            let migration = between(&library[&from], new);
            let changed = Fact::VersionChanged { from, to: new.version(), migration, undone: false };
            patient.record(vec![fact(&patient, changed)]).expect("moved");
        }
        ahead(&patient, local(ZONE, "2026-06-01T00:00"))
    };
    assert_eq!(course(&[&two]), course(&[&one, &two]));
}
