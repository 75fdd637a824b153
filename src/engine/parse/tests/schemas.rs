//! The schemas for editors accept every shipped file and refuse what the parser refuses for its keys and words.

use serde_json::{Map, Value, json};

use super::{
    super::{schema, tree},
    shipped,
};
use crate::diagnostic::Log;

/// The file as an editor's YAML library reads it.
fn as_json(node: &tree::Node) -> Value {
    match &node.kind {
        tree::Kind::Scalar { text, plain: false } => json!(text),
        tree::Kind::Scalar { text, plain: true } => match text.as_str() {
            "true" => json!(true),
            "false" => json!(false),
            "" | "~" | "null" => Value::Null,
            text => text
                .parse::<i64>()
                .map(|n| json!(n))
                .or_else(|_| text.parse::<f64>().map(|n| json!(n)))
                .unwrap_or_else(|_| json!(text)),
        },
        tree::Kind::List(all) => Value::Array(all.iter().map(as_json).collect()),
        tree::Kind::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| (key.text.clone(), as_json(value)));
            Value::Object(pairs.collect::<Map<String, Value>>())
        }
    }
}

/// As much of JSON Schema as ours uses, but for patterns.
fn fits(value: &Value, schema: &Value, root: &Value, path: &str) -> Result<(), String> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(reference.trim_start_matches('#')).ok_or(format!("no {reference}"))?;
        return fits(value, target, root, path);
    }
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        let tried: Vec<_> = any.iter().map(|one| fits(value, one, root, path)).collect();
        return if tried.iter().any(Result::is_ok) {
            Ok(())
        } else {
            tried.into_iter().next_back().unwrap_or(Ok(()))
        };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |wanted: &str| wanted == kind || (wanted == "number" && kind == "integer");
    let typed = match schema.get("type") {
        Some(Value::String(one)) => is(one),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(is),
        Some(_) | None => true,
    };
    if !typed {
        return Err(format!("{path} is {kind}"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return Err(format!("{path} is {value}"));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        return Err(format!("{path} is {value}"));
    }
    if let (Some(items), Some(all)) = (schema.get("items"), value.as_array()) {
        for (index, one) in all.iter().enumerate() {
            fits(one, items, root, &format!("{path}/{index}"))?;
        }
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for needed in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if needed.as_str().is_some_and(|needed| !object.contains_key(needed)) {
            return Err(format!("{path} has no {needed}"));
        }
    }
    for (key, one) in object {
        let known = schema.get("properties").and_then(|properties| properties.get(key));
        match known.or_else(|| schema.get("additionalProperties")) {
            Some(Value::Bool(false)) => return Err(format!("{path} has {key}")),
            Some(inner) => fits(one, inner, root, &format!("{path}/{key}"))?,
            None => {}
        }
    }
    Ok(())
}

fn check(kind: &str, text: &str) -> Result<(), String> {
    let mut log = Log::new("file");
    let node = tree::load(text.as_bytes(), &mut log).ok_or("not YAML")?;
    let schema = schema::schema(kind).ok_or("no schema")?;
    fits(&as_json(&node), &schema, &schema, kind)
}

#[test]
fn every_shipped_file_fits_its_schema() {
    let mut seen = 0;
    for (path, bytes) in shipped() {
        let kind = match path.as_str() {
            path if path.ends_with("workflow.yaml") => "workflow",
            path if path.contains("/questionnaires/") => "questionnaire",
            path if path.ends_with("standard.yaml") => "standard",
            _ => continue,
        };
        seen += 1;
        assert_eq!(check(kind, &String::from_utf8_lossy(&bytes)), Ok(()), "{path}");
    }
    assert!(seen > 30, "{seen} files");
}

#[test]
fn the_schema_refuses_what_an_author_mistypes() {
    let good = String::from_utf8(shipped()["workflows/copd-discharge-90d/workflow.yaml"].clone()).unwrap();
    for (find, replace) in [
        ("status:", "statsu:"),
        ("ask: lung-check", "aks: lung-check"),
        ("role: nurse", "role: doctor"),
        ("level: grey", "level: gray"),
        ("strength: local", "strength: heard"),
        ("kind: call", "kind: phone"),
        ("remind:", "reminds:"),
        ("window:", "windows:"),
        ("ending:", "end:"),
    ] {
        assert!(good.contains(find), "{find}");
        assert!(check("workflow", &good.replacen(find, replace, 1)).is_err(), "{replace}");
    }
}
