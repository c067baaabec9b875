//! A state diagram: what becomes of an object under one goal.

use std::collections::{BTreeMap, BTreeSet};

use crate::aspect::{Aspect, Point, number, size};
use crate::aspects;
use crate::fold::fold;
use crate::lifecycle::next_step;
use crate::situation::{Record, Remote, Situation};
use crate::step::Step;
use crate::words;

/// Where an object is: the kind of its record, and the number of the values that the diagram tells apart of that kind.
type Place = (usize, usize);

/// What follows in a place, by the number of the condition under which it does: a step, and the places that this can lead to.
type Moves = BTreeMap<usize, (Step, BTreeSet<Place>)>;

/// A diagram.
pub struct Diagram {
    kinds: Vec<Kind>,
    conditions: Vec<Aspect>,
    places: BTreeMap<Place, Moves>,
}

impl Diagram {
    /// Draws what becomes of `situations`. `next` says what can follow when a step was taken, and `conditions` are what is written at the arrows
    /// and not in the states.
    pub fn new(
        situations: &[Situation],
        conditions: Vec<Aspect>,
        next: impl Fn(&Situation, Step) -> Vec<Situation>,
    ) -> Self {
        let mut diagram = Self {
            kinds: kinds(),
            conditions,
            places: BTreeMap::new(),
        };
        for situation in situations {
            let step = next_step(situation);
            let following = match step {
                Step::Done(_) | Step::Release(_) | Step::Stall(_) => Vec::new(),
                step => next(situation, step),
            };
            let following = following.iter().map(|next| diagram.place(next)).collect();
            let condition = number(&diagram.conditions, &Point::from(*situation));
            let place = diagram.place(situation);
            let moves = diagram.places.entry(place).or_default();
            let before = moves.insert(condition, (step, following));
            assert_eq!(before, None, "two situations in one place: {situation:?}");
        }
        diagram
    }

    fn place(&self, situation: &Situation) -> Place {
        let kind = kind_of(&situation.record);
        (
            kind,
            number(&self.kinds[kind].aspects, &Point::from(*situation)),
        )
    }

    /// The diagram in the language of Mermaid.
    pub fn mermaid(&self) -> String {
        let states = self.states();
        let mut members: BTreeMap<usize, Vec<Place>> = BTreeMap::new();
        for (place, state) in &states {
            members.entry(*state).or_default().push(*place);
        }
        let mut lines = vec!["stateDiagram-v2".to_owned()];
        for (state, places) in &members {
            let name = self.name(places);
            lines.push(format!("    state \"{name}\" as s{state}"));
        }
        for (state, places) in &members {
            // All places of a state have the same arrows.
            for arrow in self.arrows(&self.places[&places[0]], &states) {
                lines.push(format!("    s{state} --> {arrow}"));
            }
        }
        if lines.iter().any(|line| line.contains(PERSON)) {
            lines.insert(1, format!("    state \"a person must act\" as {PERSON}"));
        }
        lines.join("\n")
    }

    /// The number of the state that each place belongs to: places where the same steps lead to the same states are one state.
    fn states(&self) -> BTreeMap<Place, usize> {
        let mut states: BTreeMap<Place, usize> =
            self.places.keys().map(|place| (*place, 0)).collect();
        loop {
            let mut numbers = BTreeMap::new();
            let mut finer = BTreeMap::new();
            for (place, moves) in &self.places {
                let meaning: Vec<String> = moves
                    .iter()
                    .map(|(condition, (step, next))| {
                        let next: BTreeSet<usize> = next.iter().map(|next| states[next]).collect();
                        format!("{condition} {step:?} {next:?}")
                    })
                    .collect();
                let fresh = numbers.len();
                finer.insert(
                    *place,
                    *numbers.entry((states[place], meaning)).or_insert(fresh),
                );
            }
            if finer == states {
                return states;
            }
            states = finer;
        }
    }

    /// The arrows that leave a state: where they end, the step, and the condition under which it is taken.
    fn arrows(&self, moves: &Moves, states: &BTreeMap<Place, usize>) -> Vec<String> {
        let mut arrows: BTreeMap<(String, String), BTreeSet<usize>> = BTreeMap::new();
        for (condition, (step, next)) in moves {
            let ends: BTreeSet<String> = match step {
                Step::Stall(_) => [PERSON.to_owned()].into(),
                Step::Done(_) | Step::Release(_) => ["[*]".to_owned()].into(),
                _ => next
                    .iter()
                    .map(|next| format!("s{}", states[next]))
                    .collect(),
            };
            // A colon ends the text at an arrow.
            let step = words::of(*step).replace(':', "");
            for end in ends {
                arrows
                    .entry((end, step.clone()))
                    .or_default()
                    .insert(*condition);
            }
        }
        let arrows = arrows.into_iter().map(|((end, step), taken)| {
            let occurring = moves.keys().copied().collect();
            let rows = describe(&self.conditions, &occurring, &taken).into_iter();
            let rows = rows.map(|row| {
                let parts = row
                    .into_iter()
                    .map(|(aspect, values)| format!("{aspect} = {values}"));
                parts.collect::<Vec<String>>().join(" and ")
            });
            match rows.collect::<Vec<String>>().join(", or ").as_str() {
                "" => format!("{end} : {step}"),
                condition => format!("{end} : {step} [{condition}]"),
            }
        });
        arrows.collect()
    }

    /// What a state is called: what its places have in common.
    fn name(&self, places: &[Place]) -> String {
        let kinds = self.kinds.iter().enumerate();
        let names = kinds.flat_map(|(number, kind)| {
            let occurring = values_of(self.places.keys(), number);
            let chosen = values_of(places.iter(), number);
            let rows = describe(&kind.aspects, &occurring, &chosen).into_iter();
            rows.map(|row| kind.name(row))
        });
        let names: Vec<String> = names.collect();
        match names.as_slice() {
            [name] => name.clone(),
            names => format!("({})", names.join(") or (")),
        }
    }
}

fn values_of<'a>(places: impl Iterator<Item = &'a Place>, kind: usize) -> BTreeSet<usize> {
    let places = places.filter(|(other, _)| *other == kind);
    places.map(|(_, values)| *values).collect()
}

/// The state in which nothing goes on by itself.
const PERSON: &str = "person";

/// A kind of records, and what is told apart of it.
struct Kind {
    name: Option<&'static str>,
    aspects: Vec<Aspect>,
}

impl Kind {
    /// What a state with these values is called.
    fn name(&self, values: Vec<(&'static str, String)>) -> String {
        let values = values.into_iter().map(|(aspect, values)| match aspect {
            "target" => format!("target {values}"),
            _ => values,
        });
        let parts = self.name.map(str::to_owned).into_iter().chain(values);
        parts.collect::<Vec<String>>().join("; ")
    }
}

/// Every kind of records.
fn kinds() -> Vec<Kind> {
    let named = |name, aspects| Kind {
        name: Some(name),
        aspects,
    };
    let listed = Kind {
        name: None,
        aspects: vec![aspects::state(), aspects::target()],
    };
    vec![
        named("nothing recorded", vec![aspects::look(), aspects::source()]),
        named("create call", vec![aspects::resolution()]),
        named("deployment recorded", vec![]),
        listed,
        named("gone", vec![aspects::ending()]),
    ]
}

/// The number of a record's kind among `kinds`.
fn kind_of(record: &Record) -> usize {
    match record {
        Record::Nothing { .. } => 0,
        Record::Intent(_) => 1,
        Record::Deployment { remote, .. } => match remote {
            Remote::Unobserved => 2,
            Remote::Present(_) => 3,
            Remote::Absent { .. } => 4,
        },
    }
}

/// Tells `chosen` among the `occurring` combinations of values: for each row that they fold into, the aspects that matter and their values.
fn describe(
    aspects: &[Aspect],
    occurring: &BTreeSet<usize>,
    chosen: &BTreeSet<usize>,
) -> Vec<Vec<(&'static str, String)>> {
    let sizes: Vec<usize> = aspects.iter().map(|aspect| aspect.words.len()).collect();
    let outcomes: Vec<Option<bool>> = (0..size(aspects))
        .map(|values| {
            occurring
                .contains(&values)
                .then(|| chosen.contains(&values))
        })
        .collect();
    let rows = fold(&sizes, &outcomes).into_iter();
    let rows = rows.filter(|row| row.outcomes == [Some(true)]).map(|row| {
        let parts = aspects
            .iter()
            .zip(&row.values)
            .map(|(aspect, values)| (aspect.name, words::list(&aspect.words, values)));
        parts.filter(|(_, values)| values != "*").collect()
    });
    rows.collect()
}
