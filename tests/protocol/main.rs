//! The rules printed for people, from the same functions that the operator runs: tables of every situation, and state diagrams, both in
//! `docs/`. The tables are read back and compared with the rules, situation by situation.

#[path = "../../src/lifecycle/walk.rs"]
mod walk;

mod aspect;
mod aspects;
mod chapters;
mod diagram;
mod diagrams;
mod fold;
mod pages;
mod proofs;
mod restraints;
mod table;
mod tables;
mod words;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aicore_operator::lifecycle::{self, evidence, situation, step};
use chapters::{retire, retired};
use pages::Page;
use step::Step;
use tables::Tables;

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

#[test]
fn the_tables_say_of_every_situation_what_the_rules_say() {
    for situation in walk::situations() {
        assert_eq!(
            TABLES.read(&situation),
            lifecycle::next_step(&situation),
            "{situation:?}"
        );
    }
}

#[test]
fn the_tables_say_of_every_retiring_deployment_what_the_rules_say() {
    for situation in retired() {
        assert_eq!(
            TABLES.read_retiring(&situation),
            retire(&situation),
            "{situation:?}"
        );
    }
}

#[test]
fn the_page_of_tables_shows_the_rules_of_today() {
    let mut text = include_str!("introduction.md").to_owned();
    let rules = TABLES.in_order().map(|table| table.markdown());
    let proofs = proofs::markdown().into_iter();
    for table in rules
        .into_iter()
        .chain(proofs)
        .chain([restraints::markdown()])
    {
        text = format!("{text}\n{table}");
    }
    Page::open("protocol-tables.md").must_be(&text);
}

#[test]
fn the_diagrams_show_the_rules_of_today() {
    let page = Page::open("protocol.md");
    let mut text = page.text().to_owned();
    for (name, diagram) in diagrams::all() {
        let drawn = format!("```mermaid\n{}\n```\n", diagram.mermaid());
        text = page.with_block(&text, name, &drawn);
    }
    page.must_be(&text);
}

#[test]
fn every_word_of_the_tables_is_explained() {
    let page = Page::open("protocol.md");
    let steps: BTreeSet<String> = walk::situations()
        .map(|situation| lifecycle::next_step(&situation))
        .chain(restraints::steps())
        .filter(|step| !matches!(step, Step::Done(_)))
        .map(words::of)
        .collect();
    let explained = |word: &String| page.text().contains(&format!("| `{word}` |"));
    let unexplained: Vec<String> = steps.into_iter().filter(|word| !explained(word)).collect();
    assert!(
        unexplained.is_empty(),
        "docs/protocol.md does not explain {unexplained:?}"
    );
}
