//! What the pages say to type.

use std::fs;
use std::path::Path;

use crate::world::ROOT;

fn read(page: &str) -> String {
    let text = fs::read_to_string(Path::new(ROOT).join(page));
    text.unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// What stands in this language under a heading of a page, block by block.
pub fn blocks(page: &str, heading: &str, language: &str) -> Vec<String> {
    let text = read(page);
    let (_, section) = text
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("{page} has no heading {heading}"));
    let section = section.split("\n## ").next().unwrap_or(section);
    let fence = format!("```{language}\n");
    let blocks = section.split(&fence).skip(1);
    let blocks: Vec<_> = blocks
        .filter_map(|block| Some(block.split_once("```")?.0.to_owned()))
        .collect();
    assert!(!blocks.is_empty(), "{page}: nothing under {heading}");
    blocks
}

/// The command in the README that begins so, and has this word in it.
pub fn readme_says(begins: &str, word: &str) -> String {
    let page = read("README.md").replace("\\\n", " ");
    let mut found = page
        .lines()
        .filter(|line| line.starts_with(begins) && line.contains(word));
    let command = found.next().expect("the README has such a command");
    assert_eq!(found.next(), None);
    command.to_owned()
}
