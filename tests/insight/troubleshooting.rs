//! `docs/troubleshooting.md` has what a person needs to know of every reason.

use std::collections::BTreeSet;

use aicore_operator::api::Reason;

use crate::documents::{read, sections};

fn page() -> String {
    read("docs/troubleshooting.md")
}

#[test]
fn every_reason_has_one_entry_and_no_entry_is_without_a_reason() {
    let page = page();
    let entries: Vec<&str> = sections(&page, "###")
        .iter()
        .map(|(name, _)| *name)
        .collect();
    let told: BTreeSet<&str> = entries.iter().copied().collect();
    let reasons: BTreeSet<&str> = Reason::all().iter().map(|reason| reason.as_str()).collect();
    let missing: Vec<_> = reasons.difference(&told).collect();
    let unknown: Vec<_> = told.difference(&reasons).collect();
    assert!(
        missing.is_empty(),
        "docs/troubleshooting.md lacks {missing:?}"
    );
    assert!(unknown.is_empty(), "no code has the reasons {unknown:?}");
    assert_eq!(entries.len(), told.len(), "an entry is there twice");
}

#[test]
fn every_entry_says_what_it_means_where_to_look_and_what_to_do() {
    let page = page();
    for (reason, text) in sections(&page, "###") {
        // The last entry of a chapter is followed by the heading of the next one.
        let text = text.split("\n## ").next().unwrap_or_default();
        let paragraphs: Vec<&str> = text.split("\n\n").map(str::trim).collect();
        let [meaning, look, action] = paragraphs[..] else {
            panic!("the entry of {reason} has not three paragraphs: {paragraphs:#?}");
        };
        assert!(!meaning.is_empty(), "{reason} is not explained");
        assert!(look.starts_with("Look at: "), "{reason}: {look}");
        assert!(action.starts_with("Do: "), "{reason}: {action}");
    }
}
