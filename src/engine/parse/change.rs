//! What a file says of the steps of earlier versions, and that it can be read in one way only.

use super::{
    fields::{Fields, entries, name, names},
    tree::{Key, Node},
};
use crate::{
    Name,
    diagnostic::{Log, Place, suggest},
    model::Changes,
};

pub(super) const KEYS: [&str; 3] = ["renamed", "removed", "retimed"];

/// The changes; those that cannot be read in one way are reported.
pub fn changes(node: Option<&Node>, steps: &[(Name, &Key, &Node)], log: &mut Log) -> Changes {
    let fields = node.and_then(|node| Fields::of(node, "changes", &KEYS, log));
    let Some(fields) = fields else { return Changes::default() };
    let mut changes = Changes::default();
    let mut places: Vec<(Name, Place)> = Vec::new();
    let renamed = fields.get("renamed").map(|node| entries(node, "renamed steps", log)).unwrap_or_default();
    for (old, key, node) in renamed {
        let Some(new) = name(node, "the name of a step", log) else { continue };
        places.push((old.clone(), key.at));
        changes.renamed.push((old, new));
    }
    let listed = |key: &str, log: &mut Log| {
        let names: Vec<Name> =
            fields.get(key).map(|node| names(node, "the name of a step", log)).unwrap_or_default();
        (names, fields.at(key))
    };
    let (removed, at) = listed("removed", log);
    places.extend(removed.iter().map(|name| (name.clone(), at)));
    changes.removed = removed;
    let (retimed, retimed_at) = listed("retimed", log);
    changes.retimed = retimed;
    let is_step = |name: &Name| steps.iter().any(|(id, ..)| id == name);
    for (index, (old, at)) in places.iter().enumerate() {
        if is_step(old) {
            let message = format!("\"{old}\" is still a step here, so it was neither renamed nor removed");
            log.error("E214", *at, message, "give the new step a name that was never used");
        } else if places.iter().take(index).any(|(earlier, _)| earlier == old) {
            let message = format!("\"{old}\" stands under \"changes\" twice");
            log.error("E214", *at, message, "say once what became of it");
        }
    }
    for (index, (old, new)) in changes.renamed.iter().enumerate() {
        let at = places.get(index).map_or(fields.place(), |(_, at)| *at);
        let known = |name: &Name| is_step(name) || places.iter().any(|(known, _)| known == name);
        let ends = changes.follow(old).is_none_or(&is_step);
        if !known(new) {
            let message = format!("\"{old}\" was renamed to \"{new}\", which is no step");
            let help = suggest(new.as_str(), steps.iter().map(|(id, ..)| id.as_str()));
            log.error("E214", at, message, help);
        } else if !ends {
            let message = format!("following what \"{old}\" was renamed to leads to no step");
            log.error("E214", at, message, "let the last name be that of a step");
        } else if changes.renamed.iter().take(index).any(|(_, other)| other == new) {
            let message = format!("two steps were renamed to \"{new}\", whose histories would become one");
            log.error("E214", at, message, "write one of them under \"removed\"");
        }
    }
    for name in changes.retimed.iter().filter(|name| !is_step(name)) {
        let help = suggest(name.as_str(), steps.iter().map(|(id, ..)| id.as_str()));
        log.error("E214", retimed_at, format!("\"{name}\" was retimed, but it is no step"), help);
    }
    changes
}
