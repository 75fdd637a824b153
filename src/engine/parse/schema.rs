//! The JSON Schema of the files, for editors: made from the same lists of keys and words that the parser reads.

use serde_json::{Map, Value, json};

use super::{change, fields, questionnaire, rule, standard, step, workflow};
use crate::expr::eval::{OUTCOME_CODES, outcome_name};

/// The kinds of file that have a schema.
pub const KINDS: [&str; 3] = ["workflow", "questionnaire", "standard"];

/// The schema of a kind of file; `None` for a kind that has none.
#[must_use]
pub fn schema(kind: &str) -> Option<Value> {
    let (title, body) = match kind {
        "workflow" => ("A Tend workflow", workflow_file()),
        "questionnaire" => ("A Tend questionnaire", questionnaire_file()),
        "standard" => ("Levels and words of all Tend workflows", standard_file()),
        _ => return None,
    };
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$defs": {
            "name": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,59}$"},
            "text": {
                "type": "object",
                "description": "The words once per language: {en: …, zh: …}",
                "additionalProperties": {"type": "string", "maxLength": 2000},
                "minProperties": 1
            },
            "span": {
                "type": "string",
                "description": "A whole number and a unit: 4 hours, 1 day, -28 days, 3 months",
                "pattern": "^-?[0-9]+ (minute|hour|day|week|month|year)s?$"
            },
            "time": {"type": "string", "description": "A time of day in quotes: \"09:00\"", "pattern": "^[0-2][0-9]:[0-5][0-9]$"},
            "condition": {"type": ["string", "boolean"], "description": "A condition: pain >= 7 and early", "maxLength": 1024},
            "level": {"enum": words(&fields::LEVELS)},
            "role": {"enum": words(&fields::ROLES)},
            "outcome": {"enum": OUTCOME_CODES.map(|code| outcome_name(code).to_string())},
            "window": object(&["before", "after", "expires"], &[], &|_| reference("span")),
        }
    });
    if let (Some(whole), Value::Object(body)) = (whole.as_object_mut(), body) {
        whole.extend(body);
    }
    Some(whole)
}

fn words<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(word, _)| *word).collect()
}

fn reference(definition: &str) -> Value {
    json!({"$ref": format!("#/$defs/{definition}")})
}

/// A map with these keys and no others.
fn object(keys: &[&str], required: &[&str], of: &dyn Fn(&str) -> Value) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), of(key))).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// A map from names that the author chooses.
fn named(value: &Value) -> Value {
    json!({"type": "object", "propertyNames": reference("name"), "additionalProperties": value})
}

/// One or a list.
fn one_or_many(value: &Value) -> Value {
    json!({"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]})
}

fn plain() -> Value {
    json!({"type": ["string", "number"]})
}

fn names() -> Value {
    one_or_many(&reference("name"))
}

fn sources() -> Value {
    named(&object(&["title", "strength"], &["title", "strength"], &|key| match key {
        "strength" => json!({"enum": ["read", "knowledge", "local"]}),
        _ => json!({"type": "string"}),
    }))
}

fn languages() -> Value {
    json!({"type": "array", "items": {"type": "string", "pattern": "^[a-z]{2,8}$"}, "minItems": 1})
}

fn translations() -> Value {
    let trust = ["original", "official", "reviewed", "confirm_at_site", "needs_review"];
    json!({"type": "object", "additionalProperties": {"enum": trust}})
}

fn workflow_file() -> Value {
    let required = ["workflow", "title", "status", "languages", "anchors", "steps", "ending"];
    object(&workflow::KEYS, &required, &|key| match key {
        "workflow" => reference("name"),
        "title" => reference("text"),
        "status" => json!({"type": "string", "description": "for example: example, not approved"}),
        "languages" => languages(),
        "translations" => translations(),
        "sources" => sources(),
        "discouraged" => one_or_many(&json!({"type": "string"})),
        "facts" => named(&fact()),
        "anchors" => named(&object(&["label", "restarts"], &["label"], &|key| match key {
            "label" => reference("text"),
            _ => reference("name"),
        })),
        "define" => named(&reference("condition")),
        "steps" => named(&step_of()),
        "rules" => named(&rule_of(&rule::KEYS)),
        "changes" => object(&change::KEYS, &[], &|key| match key {
            "renamed" => named(&reference("name")),
            _ => names(),
        }),
        _ => json!({"anyOf": [
            {"const": "never"},
            object(&["after", "when"], &[], &|key| match key {
                "after" => reference("span"),
                _ => reference("condition"),
            }),
        ]}),
    })
}

fn fact() -> Value {
    let keys = ["label", "type", "options", "range", "unit", "required", "default"];
    object(&keys, &["label", "type"], &|key| match key {
        "label" => reference("text"),
        "type" => json!({"enum": ["boolean", "choice", "whole", "quantity", "date"]}),
        "options" => named(&reference("text")),
        "range" => json!({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
        "required" => json!({"type": "boolean"}),
        "default" => json!({"type": ["string", "number", "boolean"]}),
        _ => json!({"type": "string"}),
    })
}

fn stretch() -> Value {
    object(&["at", "every", "on", "from", "to", "window"], &[], &|key| match key {
        "at" => one_or_many(&reference("span")),
        "on" => one_or_many(
            &json!({"type": "string", "description": "mon, tue, … or a fact that chooses the weekday"}),
        ),
        "window" => reference("window"),
        _ => reference("span"),
    })
}

fn step_of() -> Value {
    object(&step::KEYS, &["title"], &|key| match key {
        "title" | "tell" => reference("text"),
        "ask" | "score" | "from" | "around" => reference("name"),
        "task" => object(&["kind", "role", "minutes"], &["kind", "role", "minutes"], &|key| match key {
            "kind" => json!({"enum": words(&step::TASK_KINDS)}),
            "role" => reference("role"),
            _ => json!({"type": "integer", "minimum": 1, "maximum": step::TASK_MINUTES_MAX}),
        }),
        "when" => json!({"anyOf": [
            {"const": "started"},
            one_or_many(&stretch()),
            object(&["first", "then"], &["first", "then"], &|key| match key {
                "first" => reference("span"),
                _ => one_or_many(&object(&["if", "after"], &["after"], &|key| match key {
                    "if" => reference("condition"),
                    _ => reference("span"),
                })),
            }),
            {"type": "object", "properties": {"by": names()}, "required": ["by"], "additionalProperties": one_or_many(&stretch())},
        ]}),
        "after" => json!({"type": "string", "description": "STEP is done", "pattern": " is "}),
        "at" => reference("span"),
        "time" => reference("time"),
        "window" => reference("window"),
        "working_day" => json!({"enum": ["next", "previous"]}),
        "only_if" | "until" => reference("condition"),
        "not_before" => object(&["from", "at"], &["from", "at"], &|key| match key {
            "from" => reference("name"),
            _ => reference("span"),
        }),
        "remind" => one_or_many(&object(&["after", "channel"], &["after"], &|key| match key {
            "after" => reference("span"),
            _ => json!({"enum": ["same", "other"]}),
        })),
        "overdue" => {
            let keys = ["after", "role", "level", "only_if", "because"];
            one_or_many(&object(&keys, &["after", "role", "level", "because"], &|key| match key {
                "after" => reference("span"),
                "because" => reference("text"),
                "only_if" => reference("condition"),
                other => reference(other),
            }))
        }
        _ => names(),
    })
}

fn rule_of(keys: &[&str]) -> Value {
    let alternative = object(&["if", "because"], &["because"], &|key| match key {
        "if" => reference("condition"),
        _ => reference("text"),
    });
    object(keys, &["then"], &|key| match key {
        "on" => json!({"type": "string", "pattern": "^(facts|answer to |silence of |outcome of |undone )"}),
        "if" => reference("condition"),
        "because" => reference("text"),
        "any" => one_or_many(&alternative),
        "then" => one_or_many(&action()),
        "thread" => reference("name"),
        _ => names(),
    })
}

fn action() -> Value {
    let task = ["kind", "role", "minutes", "within", "level", "title"];
    let task = object(&task, &task, &|key| match key {
        "kind" => json!({"enum": words(&step::TASK_KINDS)}),
        "role" | "level" => reference(key),
        "minutes" => json!({"type": "integer", "minimum": 1}),
        "within" => reference("span"),
        _ => reference("text"),
    });
    json!({"anyOf": [
        {"type": "string", "pattern": "^(alert |start |set )"},
        object(&["task", "pause", "stop"], &[], &|key| match key {
            "task" => task.clone(),
            "pause" => object(&["role", "review_within"], &["role", "review_within"], &|key| match key {
                "role" => reference("role"),
                _ => reference("span"),
            }),
            _ => object(&["because"], &["because"], &|_| reference("text")),
        }),
    ]})
}

fn option() -> Value {
    object(&["label", "points", "loinc"], &["label"], &|key| match key {
        "label" => reference("text"),
        "points" => json!({"type": "integer", "minimum": -1000, "maximum": 1000}),
        _ => json!({"type": "string"}),
    })
}

fn questionnaire_file() -> Value {
    let required = ["questionnaire", "version", "languages", "title", "heading", "licence", "items"];
    object(&questionnaire::KEYS, &required, &|key| match key {
        "questionnaire" => reference("name"),
        "version" => plain(),
        "languages" => languages(),
        "title" | "heading" | "stem" | "closing" | "translation_source" => reference("text"),
        "translations" => translations(),
        "only_in_covered_hours" => json!({"type": "boolean"}),
        "sources" => sources(),
        "options" => named(&named(&option())),
        "items" => named(&item()),
        "scores" => named(&total()),
        "flags" => named(&flag()),
        "rules" => named(&rule_of(&rule::KEYS[1..])),
        _ => json!({"type": "string"}),
    })
}

fn item() -> Value {
    object(&questionnaire::ITEM_KEYS, &["ask", "type"], &|key| match key {
        "ask" | "hint" => reference("text"),
        "type" => json!({"enum": ["choice", "yes_no", "whole", "quantity", "text"]}),
        "options" => json!({"anyOf": [reference("name"), named(&option())]}),
        "range" => json!({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
        "other_units" => json!({"type": "object", "additionalProperties": {"type": "number"}}),
        "max_chars" => json!({"type": "integer", "minimum": 1, "maximum": 2000}),
        "optional" | "declinable" => json!({"type": "boolean"}),
        "only_if" => reference("condition"),
        _ => json!({"type": "string"}),
    })
}

fn total() -> Value {
    let keys = ["label", "loinc", "items", "impute_up_to", "never_impute", "bands"];
    object(&keys, &["label", "items"], &|key| match key {
        "label" => reference("text"),
        "items" | "never_impute" => names(),
        "impute_up_to" => json!({"type": "integer", "minimum": 0}),
        "bands" => named(&object(&["label", "range"], &["label", "range"], &|key| match key {
            "label" => reference("text"),
            _ => json!({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}),
        })),
        _ => json!({"type": "string"}),
    })
}

fn flag() -> Value {
    let keys = ["if", "because", "level", "advice", "thread", "sources"];
    object(&keys, &["if", "because", "level", "advice"], &|key| match key {
        "if" => reference("condition"),
        "because" | "advice" => reference("text"),
        "level" => reference("level"),
        "thread" => reference("name"),
        _ => names(),
    })
}

fn standard_file() -> Value {
    object(
        &["standard", "languages", "levels", "words"],
        &["standard", "languages", "levels", "words"],
        &|key| match key {
            "standard" => reference("name"),
            "languages" => languages(),
            "levels" => {
                let level = object(&["owner", "respond", "ladder", "outside_hours"], &["respond"], &|key| {
                    match key {
                        "owner" => reference("role"),
                        "outside_hours" => reference("text"),
                        "ladder" => one_or_many(&object(
                            &["after", "counting", "role"],
                            &["after", "counting", "role"],
                            &|key| match key {
                                "after" => reference("span"),
                                "role" => reference("role"),
                                _ => json!({"enum": ["wall", "covered"]}),
                            },
                        )),
                        _ => json!({"anyOf": [
                            {"const": "never"},
                            object(&["within", "counting", "same_day_if_before", "working_days"], &[], &|key| match key {
                                "within" => reference("span"),
                                "counting" => json!({"enum": ["wall", "covered"]}),
                                "same_day_if_before" => reference("time"),
                                _ => json!({"type": "integer", "minimum": 1, "maximum": 60}),
                            }),
                        ]}),
                    }
                });
                object(&words(&fields::LEVELS), &[], &|_| level.clone())
            }
            _ => {
                let words: Vec<&str> = standard::WORDS.iter().map(|(word, _)| *word).collect();
                object(&words, &words, &|_| reference("text"))
            }
        },
    )
}
