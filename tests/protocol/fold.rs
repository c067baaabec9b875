//! Merging cases whose difference does not matter.

/// Cases with the same outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<T> {
    /// What the cases have in common, aspect by aspect.
    pub values: Vec<Values>,
    /// What holds for all of them; nothing where it never occurs.
    pub outcomes: Vec<Option<T>>,
}

/// Some of the values of an aspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// The values that the cases have, and such as never occur and may be had as well.
    pub covered: Vec<usize>,
    /// All values that occur here, also in other rows.
    pub occurring: Vec<usize>,
}

/// Merges cases. `sizes` says how many values each aspect has, and `outcomes` holds the outcomes of each case, those of the last aspect side
/// by side. A case that never occurs has no outcomes, and any row may cover it. No case is in two rows.
pub fn fold<T: Clone + PartialEq>(sizes: &[usize], outcomes: &[Option<T>]) -> Vec<Row<T>> {
    if outcomes.iter().all(Option::is_none) {
        return Vec::new();
    }
    let Some((size, rest)) = sizes.split_first() else {
        return vec![Row {
            values: Vec::new(),
            outcomes: outcomes.to_vec(),
        }];
    };
    let mut occurring = Vec::new();
    let mut groups: Vec<(Vec<usize>, Vec<Option<T>>)> = Vec::new();
    for (value, part) in outcomes.chunks(outcomes.len() / size).enumerate() {
        if part.iter().any(Option::is_some) {
            occurring.push(value);
        }
        match groups.iter_mut().find(|(_, group)| agree(group, part)) {
            Some((covered, group)) => {
                covered.push(value);
                complete(group, part);
            }
            None => groups.push((vec![value], part.to_vec())),
        }
    }
    let rows = groups.into_iter().flat_map(|(covered, group)| {
        let values = Values {
            covered,
            occurring: occurring.clone(),
        };
        let rows = fold(rest, &group).into_iter();
        rows.map(move |row| Row {
            values: [vec![values.clone()], row.values].concat(),
            outcomes: row.outcomes,
        })
    });
    rows.collect()
}

fn agree<T: PartialEq>(one: &[Option<T>], other: &[Option<T>]) -> bool {
    let mut pairs = one.iter().zip(other);
    pairs.all(|(one, other)| one.is_none() || other.is_none() || one == other)
}

fn complete<T: Clone>(group: &mut [Option<T>], part: &[Option<T>]) {
    for (present, more) in group.iter_mut().zip(part) {
        if present.is_none() {
            present.clone_from(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(sizes: &[usize], outcomes: &str) -> Vec<String> {
        let outcomes: Vec<Option<char>> = outcomes
            .chars()
            .map(|outcome| (outcome != '.').then_some(outcome))
            .collect();
        let text = |row: Row<char>| {
            let values = row
                .values
                .iter()
                .map(|values| format!("{:?}", values.covered));
            let values: Vec<String> = values.collect();
            format!("{} {}", values.join(" "), row.outcomes[0].unwrap_or('.'))
        };
        fold(sizes, &outcomes).into_iter().map(text).collect()
    }

    #[test]
    fn a_difference_without_consequence_is_merged() {
        assert_eq!(
            folded(&[3, 2], "xyxyzz"),
            ["[0, 1] [0] x", "[0, 1] [1] y", "[2] [0, 1] z"]
        );
    }

    #[test]
    fn what_never_occurs_makes_no_row() {
        assert_eq!(folded(&[2, 2], "x..x"), ["[0, 1] [0, 1] x"]);
        assert!(folded(&[2, 2], "....").is_empty());
    }

    #[test]
    fn a_row_tells_what_could_have_been_from_what_never_occurs() {
        let rows = fold(&[3], &[Some('x'), None, Some('y')]);
        assert_eq!(
            rows[0].values,
            [Values {
                covered: vec![0, 1],
                occurring: vec![0, 2]
            }]
        );
    }
}
