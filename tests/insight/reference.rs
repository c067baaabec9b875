//! `docs/api.md` is what the definitions of both kinds say, field by field.

use std::fmt::Write as _;

use aicore_operator::api::custom_resource_definitions;
use serde_json::Value;

use crate::documents::{path, read};

const PAGE: &str = "docs/api.md";

const INTRODUCTION: &str = "# API reference

Every field of both kinds, generated from the types by `make api`; `kubectl explain aid.spec` shows the same. The rules below a kind are what the
API server holds every object against.
";

/// The page, from the definitions.
fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (_, definition) in custom_resource_definitions() {
        let definition = serde_json::to_value(definition).expect("a definition serialises");
        describe(&mut page, &definition["spec"]).expect("a text takes every text");
    }
    page
}

fn describe(page: &mut String, spec: &Value) -> std::fmt::Result {
    let version = &spec["versions"][0];
    let schema = &version["schema"]["openAPIV3Schema"];
    let names = &spec["names"];
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    writeln!(page, "\n## {}\n", word(&names["kind"]))?;
    writeln!(
        page,
        "`apiVersion: {}/{}`, short name `{}`. {}",
        word(&spec["group"]),
        word(&version["name"]),
        word(&names["shortNames"][0]),
        word(&schema["description"])
    )?;
    for part in ["spec", "status"] {
        let schema = &schema["properties"][part];
        writeln!(page, "\n### {} of a {}\n", part, word(&names["kind"]))?;
        writeln!(page, "{}\n", word(&schema["description"]))?;
        writeln!(page, "| field | type | tells |\n|---|---|---|")?;
        rows(page, "", schema)?;
        let mut rules = Vec::new();
        collect_rules(&mut rules, schema);
        if !rules.is_empty() {
            writeln!(page, "\nRules:\n")?;
        }
        for rule in rules {
            writeln!(page, "- {rule}")?;
        }
    }
    Ok(())
}

/// A row for each field, those inside it after it.
fn rows(page: &mut String, prefix: &str, schema: &Value) -> std::fmt::Result {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let is_list = field["type"] == "array";
        let field_name = format!("{prefix}{name}{}", if is_list { "[]" } else { "" });
        let needed = if required.contains(&Value::from(name.as_str())) {
            ", required"
        } else {
            ""
        };
        writeln!(
            page,
            "| `{field_name}` | {}{needed} | {} |",
            kind(field),
            text(field)
        )?;
        let inside = if is_list { &field["items"] } else { field };
        rows(page, &format!("{field_name}."), inside)?;
    }
    Ok(())
}

/// The type of a field, with the values that it may have where these are few, and its default.
fn kind(field: &Value) -> String {
    let inner = match field["type"].as_str() {
        Some("array") => format!("list of {}", kind(&field["items"])),
        Some("object") if field["additionalProperties"].is_object() => {
            format!("map to {}", kind(&field["additionalProperties"]))
        }
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    };
    let values = field["enum"].as_array().map(|values| {
        let words: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        words.join(", ")
    });
    let inner = values.unwrap_or(inner);
    match &field["default"] {
        Value::Null => inner,
        default => format!("{inner}; default `{default}`"),
    }
}

fn text(field: &Value) -> String {
    let text = field["description"].as_str().unwrap_or_default();
    text.replace("\n\n", " ")
        .replace('|', "\\|")
        .replace('<', "&lt;")
}

/// What the CEL rules of a schema, and of all schemas inside it, tell whoever breaks them.
fn collect_rules(rules: &mut Vec<String>, schema: &Value) {
    for rule in schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let message = rule["message"].as_str().or_else(|| rule["rule"].as_str());
        rules.extend(message.map(str::to_owned));
    }
    for field in schema["properties"].as_object().into_iter().flatten() {
        collect_rules(rules, field.1);
    }
    if schema["items"].is_object() {
        collect_rules(rules, &schema["items"]);
    }
}

#[test]
fn the_api_reference_is_in_sync_with_the_types_and_explains_every_field() {
    let reference = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path(PAGE), &reference).expect("the page can be written");
    }
    assert!(
        read(PAGE) == reference,
        "{PAGE} is not in sync with the types; run `make api`"
    );
    for line in reference.lines() {
        assert!(!line.ends_with("|  |"), "a field is not explained: {line}");
    }
}
