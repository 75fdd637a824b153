//! Calendar files: holidays and working weekends.

use super::{
    fields::{Fields, items, scalar},
    span::date,
    tree::Node,
};
use crate::{Name, diagnostic::Log, site::Calendar};

/// Reads a calendar file.
pub fn calendar(expected: Option<&str>, node: &Node, log: &mut Log) -> Option<(Name, Calendar)> {
    let fields =
        Fields::of(node, "a calendar", &["calendar", "title", "source", "holidays", "working"], log)?;
    let id = super::file_id(&fields, "calendar", expected, log);
    for key in ["title", "source"] {
        let _ = fields.need(key, log).and_then(|node| scalar(node, "text", log));
    }
    let mut days = |key: &str| {
        let mut found = std::collections::BTreeSet::new();
        for node in fields.get(key).map(items).unwrap_or_default() {
            let Some(day) = date(node, log) else { continue };
            if !found.insert(day) {
                log.error("E105", node.at, format!("{day} stands here twice"), "keep one");
            }
        }
        found
    };
    let (holidays, working) = (days("holidays"), days("working"));
    if let Some(day) = holidays.intersection(&working).next() {
        log.error(
            "E105",
            fields.at("working"),
            format!("{day} is a holiday and a working day"),
            "keep one of the two",
        );
    }
    Some((id?, Calendar { holidays, working }))
}
