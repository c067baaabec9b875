//! A table: for every situation the row that it is in, and what the row says.

use std::fmt::{Debug, Write};

use crate::aspect::{Aspect, Point, number, size};
use crate::fold::{Row, Values, fold};
use crate::step::{Stall, Step};
use crate::words;

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This is the next step, or at least it was before the following tables.
    Step(Step),
    /// What the tables before have said stands.
    Stands,
    /// It depends on more than this table tells apart.
    Further,
    /// This is what is known then.
    Known(&'static str),
}

/// The mark of a cell whose step becomes a stall when a deployment stays as it is for too long.
const OVERDUE: &str = " †";

/// A table.
pub struct Table<P = Point> {
    title: &'static str,
    text: &'static str,
    aspects: Vec<Aspect<P>>,
    columns: Vec<Aspect<P>>,
    rows: Vec<Row<Verdict>>,
    row_of: Vec<Option<usize>>,
}

impl<P: Debug> Table<P> {
    /// Makes a table of what is `known`. Its rows tell `aspects` apart, as far as that matters; its columns the first of `columns`, and within
    /// a cell the second. Where the same row and column have several verdicts, the cell leads further.
    pub fn new(
        title: &'static str,
        text: &'static str,
        aspects: Vec<Aspect<P>>,
        columns: Vec<Aspect<P>>,
        known: impl Iterator<Item = (P, Verdict)>,
    ) -> Self {
        let width = size(&columns);
        let mut outcomes = vec![None; size(&aspects) * width];
        for (point, verdict) in known {
            let outcome =
                &mut outcomes[number(&aspects, &point) * width + number(&columns, &point)];
            let verdict = match *outcome {
                Some(before) if before != verdict => Verdict::Further,
                _ => verdict,
            };
            *outcome = Some(verdict);
        }
        let sizes: Vec<usize> = aspects.iter().map(|aspect| aspect.words.len()).collect();
        let rows = fold(&sizes, &outcomes);
        let mut row_of = vec![None; size(&aspects)];
        for (row, number) in rows.iter().zip(0..) {
            for case in cases(&row.values, &sizes) {
                let before = row_of[case].replace(number);
                assert_eq!(
                    before, None,
                    "{title}: rows {before:?} and {number} overlap"
                );
            }
        }
        Self {
            title,
            text,
            aspects,
            columns,
            rows,
            row_of,
        }
    }

    /// What the only row that covers `point` says.
    pub fn read(&self, point: &P) -> Verdict {
        let row = self.row_of[number(&self.aspects, point)]
            .unwrap_or_else(|| panic!("{}: no row covers {point:?}", self.title));
        self.rows[row].outcomes[number(&self.columns, point)]
            .unwrap_or_else(|| panic!("{}: an empty cell for {point:?}", self.title))
    }

    /// The table in Markdown, with its columns aligned for whoever reads it as plain text.
    pub fn markdown(&self) -> String {
        let mut lines = vec![self.headings()];
        lines.extend(self.rows.iter().map(|row| self.cells(row)));
        merge_equal_columns(&mut lines, self.aspects.len());
        let widths: Vec<usize> = (0..lines[0].len())
            .map(|column| {
                let widths = lines.iter().map(|line| line[column].chars().count());
                widths.max().unwrap_or_default()
            })
            .collect();
        let mut text = format!("## {}\n\n{}\n\n", self.title, self.text);
        for (line, number) in lines.iter().zip(0..) {
            let cells = line.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!(" {cell:width$} "))
                .collect();
            writeln!(text, "|{}|", cells.join("|")).expect("a String takes everything");
            if number == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
                writeln!(text, "|{}|", rules.join("|")).expect("a String takes everything");
            }
        }
        text
    }

    fn headings(&self) -> Vec<String> {
        let names = self.aspects.iter().map(|aspect| aspect.name.to_owned());
        let columns = self.columns[0].words.iter().map(|word| word.text.clone());
        names.chain(columns).collect()
    }

    fn cells(&self, row: &Row<Verdict>) -> Vec<String> {
        let values = self.aspects.iter().zip(&row.values);
        let values = values.map(|(aspect, values)| words::list(&aspect.words, values));
        let within = size(&self.columns[1..]);
        values
            .chain(row.outcomes.chunks(within).map(cell))
            .collect()
    }
}

/// The numbers of all combinations of `values`.
fn cases(values: &[Values], sizes: &[usize]) -> Vec<usize> {
    values
        .iter()
        .zip(sizes)
        .fold(vec![0], |cases, (values, size)| {
            let with = |case: usize| values.covered.iter().map(move |value| case * size + value);
            cases.into_iter().flat_map(with).collect()
        })
}

/// One cell: what holds at first, and whether that ends in a stall.
fn cell(verdicts: &[Option<Verdict>]) -> String {
    let mut known = verdicts.iter().flatten();
    let Some(first) = known.next() else {
        return String::new();
    };
    let text = match first {
        Verdict::Step(step) => words::of(*step),
        Verdict::Stands => "as before".to_owned(),
        Verdict::Further => "see below".to_owned(),
        Verdict::Known(fact) => (*fact).to_owned(),
    };
    match known.find(|verdict| *verdict != first) {
        None => text,
        Some(Verdict::Step(Step::Stall(Stall::Overdue))) => text + OVERDUE,
        Some(other) => panic!("{other:?} beside {text} has no mark"),
    }
}

/// Leaves out columns without any verdict, and makes one of neighbours that say the same.
fn merge_equal_columns(lines: &mut [Vec<String>], first: usize) {
    let mut column = first;
    while column < lines[0].len() {
        let (heading, cells) = lines.split_first().expect("a table has a heading");
        let is_empty = cells.iter().all(|line| line[column].is_empty());
        let repeats = column > first && cells.iter().all(|line| line[column] == line[column - 1]);
        if repeats && !is_empty {
            let merged = format!("{}, {}", heading[column - 1], heading[column]);
            lines[0][column - 1] = merged;
        }
        if is_empty || repeats {
            for line in lines.iter_mut() {
                line.remove(column);
            }
        } else {
            column += 1;
        }
    }
}
