//! Tables of what counts as proof. The rules ask no more than what these say.

use std::fmt::Debug;

use crate::aspect::Aspect;
use crate::aspects::{ending_word, proof_word, resolution_word};
use crate::evidence::{Missing, Past, Rivalry, Settling, resolution};
use crate::lifecycle::intent::Outcome;
use crate::table::{Table, Verdict};

/// The tables in Markdown.
pub fn markdown() -> [String; 3] {
    [absence().markdown(), ending().markdown(), call().markdown()]
}

/// Says of every value of `cases` what `word` says, and proves that the table says so too.
fn table<P: Clone + Debug>(
    title: &'static str,
    text: &'static str,
    aspects: Vec<Aspect<P>>,
    cases: &[P],
    word: impl Fn(&P) -> &'static str,
) -> Table<P> {
    let known = cases.iter().cloned();
    let known = known.map(|case| (case.clone(), Verdict::Known(word(&case))));
    let table = Table::new(
        title,
        text,
        aspects,
        vec![Aspect::only("what is known")],
        known,
    );
    for case in cases {
        assert_eq!(table.read(case), Verdict::Known(word(case)), "{case:?}");
    }
    table
}

/// All combinations of as many flags.
fn flags<const N: usize>() -> impl Iterator<Item = [bool; N]> {
    (0..1usize << N).map(|bits| std::array::from_fn(|bit| bits & (1 << bit) != 0))
}

fn absence() -> Table<Missing> {
    let cases: Vec<Missing> = flags()
        .map(|[delete_accepted, for_long, ever_seen]| Missing {
            delete_accepted,
            for_long,
            ever_seen,
        })
        .collect();
    table(
        "12. Whether a missing deployment is gone",
        "A complete and fresh list lacks it. Where that can prove anything, its id is asked for, and the answer is 404.",
        vec![
            Aspect::flag("its delete was accepted", |missing: &Missing| {
                missing.delete_accepted
            }),
            Aspect::flag("missing for long", |missing: &Missing| missing.for_long),
            Aspect::flag("ever seen", |missing: &Missing| missing.ever_seen),
        ],
        &cases,
        |missing| proof_word(missing.proof()),
    )
}

fn ending() -> Table<Past> {
    let cases: Vec<Past> = flags()
        .map(|[ended_by_us, delete_accepted, expired, inactive]| Past {
            ended_by_us,
            delete_accepted,
            expired,
            inactive,
        })
        .collect();
    table(
        "13. Why a deployment is gone",
        "By what the status and the operator's memory hold of it.",
        vec![
            Aspect::flag("our stop or delete is recorded", |past: &Past| {
                past.ended_by_us
            }),
            Aspect::flag("ttl ran out", |past: &Past| past.expired),
            Aspect::flag("our delete was accepted", |past: &Past| {
                past.delete_accepted
            }),
            Aspect::flag("last seen stopped or dead", |past: &Past| past.inactive),
        ],
        &cases,
        |past| ending_word(past.ending()),
    )
}

/// An open create call: what was found for it among all open calls, and how these stand.
type Call = (Outcome, Rivalry);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Candidates {
    None,
    Result,
    Ambiguous,
}

fn call() -> Table<Call> {
    let outcomes = [
        Outcome::NoCandidate,
        Outcome::Found(String::new()),
        Outcome::Ambiguous(Vec::new()),
    ];
    let settlings = [Settling::Going, Settling::Unseen, Settling::Over];
    let rivalries = settlings.into_iter().flat_map(|settling| {
        flags().map(move |[rivals, left]| Rivalry {
            rivals,
            left,
            settling,
        })
    });
    let cases: Vec<Call> = rivalries
        .flat_map(|rivalry| outcomes.clone().map(|outcome| (outcome, rivalry)))
        .collect();
    table(
        "14. What became of a create call",
        "Its candidates are the deployments of its configuration that nobody holds and that did not exist before it.",
        vec![
            Aspect::new(
                "its share of the candidates",
                &[Candidates::None, Candidates::Result, Candidates::Ambiguous],
                |candidates| match candidates {
                    Candidates::None => "none",
                    Candidates::Result => "one",
                    Candidates::Ambiguous => "not provable",
                },
                |(outcome, _): &Call| match outcome {
                    Outcome::NoCandidate => Candidates::None,
                    Outcome::Found(_) => Candidates::Result,
                    Outcome::Ambiguous(_) => Candidates::Ambiguous,
                },
            ),
            Aspect::flag("other open calls", |(_, rivalry): &Call| rivalry.rivals),
            Aspect::new(
                "settled",
                &settlings,
                |settling| match settling {
                    Settling::Going => "no",
                    Settling::Unseen => "since the list",
                    Settling::Over => "yes",
                },
                |(_, rivalry): &Call| rivalry.settling,
            ),
            Aspect::flag("any candidate is left", |(_, rivalry): &Call| rivalry.left),
        ],
        &cases,
        |(outcome, rivalry)| resolution_word(resolution(outcome, *rivalry)),
    )
}
