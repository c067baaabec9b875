//! The page about it has every point.

use std::fmt::Write;
use std::path::Path;

use aicore_operator::conformance::{Verdict, points};

const PAGE: &str = "docs/conformance.md";
const BEGIN: &str =
    "<!-- The table is generated: UPDATE=1 cargo test --test conformance the_page -->\n";
const END: &str = "<!-- end of the table -->\n";

/// The table as the code has it.
fn table() -> String {
    let mut table =
        "\n| point | question | assumed | other readings |\n|---|---|---|---|\n".to_owned();
    for point in points() {
        let others = point
            .readings
            .iter()
            .filter(|reading| reading.verdict != Verdict::Holds);
        let others = others.map(|reading| match reading.verdict {
            Verdict::Unworkable => format!("**`{}`**", reading.word),
            _ => format!("`{}`", reading.word),
        });
        let others = if point.readings.is_empty() {
            "not asked".to_owned()
        } else {
            others.collect::<Vec<_>>().join(", ")
        };
        writeln!(
            table,
            "| `{}` | {} | {} | {others} |",
            point.id, point.question, point.assumed
        )
        .expect("a text can be written to");
    }
    table.push('\n');
    table
}

#[test]
fn the_page_has_the_table_of_all_points() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the table begins");
    let (present, after) = rest.split_once(END).expect("the table ends");
    if std::env::var_os("UPDATE").is_some() {
        let page = format!("{before}{BEGIN}{}{END}{after}", table());
        std::fs::write(&path, page).expect("the page can be written");
        return;
    }
    assert_eq!(
        present,
        table(),
        "run `UPDATE=1 cargo test --test conformance the_page`"
    );
}
