//! Whether a configuration fits its executable. It is asked before the configuration is created, because AI Core has no way to delete one.
//!
//! Only what is known for sure speaks against a configuration: where AI Core leaves something out of its answer, it has the last word itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::aicore::{ConfigurationContent, Executable};
use crate::api::ConfigurationTemplate;

/// How many names of one kind are told.
const MAXIMUM_NAMES: usize = 8;

/// The longest name that is told, in characters.
const MAXIMUM_NAME: usize = 64;

/// From which likeness on (Jaro-Winkler, 0 to 1) a name is taken for a misspelling of another.
const ALIKE: f64 = 0.8;

/// What AI Core offers under the names that a configuration gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It does not say.
    Unknown,
    /// There is no such scenario, but these.
    NoScenario(Vec<String>),
    /// The scenario has no such executable, but these.
    NoExecutable(Vec<String>),
    /// The executable.
    Executable(Executable),
}

/// The content that a template asks for. What it gives itself counts more than what it copies.
pub fn content(
    template: &ConfigurationTemplate,
    copied: Option<&ConfigurationContent>,
) -> ConfigurationContent {
    let mut content = copied.cloned().unwrap_or_default();
    if let Some(id) = &template.scenario_id {
        content.scenario_id.clone_from(id);
    }
    if let Some(id) = &template.executable_id {
        content.executable_id.clone_from(id);
    }
    content.parameters.extend(template.parameters.clone());
    content
        .input_artifacts
        .extend(template.input_artifacts.clone());
    content
}

/// Everything that is wrong with a configuration, in sentences of bounded length that say what would be allowed; nothing where nothing is known
/// to be wrong. `absent` are ids of artifacts that the resource group does not have.
pub fn objection(
    content: &ConfigurationContent,
    offer: &Offer,
    absent: &BTreeSet<String>,
) -> Option<String> {
    let scenario = quoted(&content.scenario_id);
    let mut objections = match offer {
        Offer::Unknown => Vec::new(),
        Offer::NoScenario(others) => vec![format!(
            "AI Core has no scenario {scenario}; it has {}",
            nearest(&content.scenario_id, others)
        )],
        Offer::NoExecutable(others) => vec![format!(
            "scenario {scenario} has no executable {}; it has {}",
            quoted(&content.executable_id),
            nearest(&content.executable_id, others)
        )],
        Offer::Executable(executable) => against(content, executable),
    };
    let lost = content.input_artifacts.iter();
    let lost = lost.filter(|(_, id)| absent.contains(*id));
    let lost = counted(lost, |(name, id)| {
        format!("{} ({})", quoted(id), quoted(name))
    });
    objections.extend(lost.map(|ids| {
        format!("the resource group has no artifact {ids}; give the id of one that it has")
    }));
    (!objections.is_empty()).then(|| objections.join(". "))
}

/// What an executable has against a configuration.
fn against(content: &ConfigurationContent, executable: &Executable) -> Vec<String> {
    let id = quoted(&content.executable_id);
    let mut objections = Vec::new();
    if executable.deployable == Some(false) {
        objections.push(format!(
            "executable {id} cannot be deployed, it is for executions only; choose one whose `deployable` is true"
        ));
    }
    if let Some(parameters) = &executable.parameters {
        let taken = parameters
            .iter()
            .map(|parameter| (parameter.name.as_str(), !parameter.has_default));
        objections.extend(compare(
            &id,
            "parameter",
            &content.parameters,
            taken.collect(),
        ));
    }
    if let Some(artifacts) = &executable.input_artifacts {
        // The contract has no word for an input artifact that may be left out.
        let taken = artifacts.iter().map(|name| (name.as_str(), true));
        objections.extend(compare(
            &id,
            "input artifact",
            &content.input_artifacts,
            taken.collect(),
        ));
    }
    objections
}

/// Holds what is given against what is taken: each name, and whether it has to be given.
fn compare(
    executable: &str,
    kind: &str,
    given: &BTreeMap<String, String>,
    taken: BTreeMap<&str, bool>,
) -> Option<String> {
    let names: Vec<&str> = taken.keys().copied().collect();
    let unknown = given
        .keys()
        .filter(|name| !taken.contains_key(name.as_str()));
    let unknown = counted(unknown, |name| match misspelt(name, &names) {
        Some(meant) => format!("{} (did you mean {}?)", quoted(name), quoted(meant)),
        None => quoted(name),
    });
    let missing = taken
        .iter()
        .filter(|(name, required)| **required && !given.contains_key(**name));
    let missing = counted(missing, |(name, _)| quoted(name));
    let unknown = unknown.map(|names| format!("does not take the {kind} {names}"));
    let missing = missing.map(|names| format!("needs the {kind} {names}"));
    let wrong: Vec<String> = unknown.into_iter().chain(missing).collect();
    if wrong.is_empty() {
        return None;
    }
    let allowed = counted(names.iter(), |name| quoted(name));
    let allowed = allowed.map_or_else(
        || format!("it takes no {kind}"),
        |names| format!("it takes {names}"),
    );
    Some(format!(
        "executable {executable} {}; {allowed}",
        wrong.join(" and ")
    ))
}

/// The first names as `tell` words them, and how many more there are; none where there is none.
fn counted<T>(names: impl Iterator<Item = T>, tell: impl Fn(T) -> String) -> Option<String> {
    let mut names = names.peekable();
    names.peek()?;
    let told: Vec<String> = names.by_ref().take(MAXIMUM_NAMES).map(tell).collect();
    let told = told.join(", ");
    match names.count() {
        0 => Some(told),
        more => Some(format!("{told} and {more} more")),
    }
}

/// The ids that exist, the likest ones first.
fn nearest(wanted: &str, others: &[String]) -> String {
    let mut others: Vec<&String> = others.iter().collect();
    others.sort_by(|a, b| likeness(wanted, b).total_cmp(&likeness(wanted, a)));
    counted(others.into_iter(), |id| quoted(id)).unwrap_or_else(|| "none".to_owned())
}

fn misspelt<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let alike = names.iter().map(|known| (likeness(name, known), *known));
    alike
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

fn likeness(a: &str, b: &str) -> f64 {
    let comparable = |name: &str| -> String {
        let beginning = name.chars().take(MAXIMUM_NAME);
        beginning.flat_map(char::to_lowercase).collect()
    };
    strsim::jaro_winkler(&comparable(a), &comparable(b))
}

fn quoted(name: &str) -> String {
    match name.char_indices().nth(MAXIMUM_NAME) {
        Some((end, _)) => format!("`{}…`", &name[..end]),
        None => format!("`{name}`"),
    }
}

#[cfg(test)]
#[path = "configuration_tests.rs"]
mod tests;
