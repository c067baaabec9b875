//! What cannot be asked without harm.

use crate::conformance::point::{Outcome, Point};

pub(super) const POINTS: &[Point] = &[
    Point {
        id: "quota-answer",
        question: "How is a creation refused that is over the quota?",
        assumed: "a 4xx, after which nothing was created",
        readings: &[],
        read: |_| unasked("it would take the whole quota, which others may need"),
    },
    Point {
        id: "create-again",
        question: "Is a creation that is sent twice recognised as one?",
        assumed: "no: a second one would be created",
        readings: &[],
        read: |_| unasked("it would create a second deployment"),
    },
    Point {
        id: "unusable-configuration",
        question: "How is a creation from a configuration refused that does not exist?",
        assumed: "a 4xx, after which nothing was created",
        readings: &[],
        read: |_| unasked("if it were accepted, nobody could tell what was created"),
    },
    Point {
        id: "delete-in-unknown",
        question: "What is answered to a deletion while UNKNOWN?",
        assumed: "202",
        readings: &[],
        read: |_| unasked("it would end the only deployment before it runs"),
    },
    Point {
        id: "end-of-dead",
        question: "When does a DEAD deployment go by itself?",
        assumed: "after seven days",
        readings: &[],
        read: |_| unasked("it would take seven days"),
    },
    Point {
        id: "end-of-ttl",
        question: "What happens at the end of the ttl?",
        assumed: "the deployment is stopped and deleted",
        readings: &[],
        read: |_| unasked("the deployment would have to run for longer than this takes"),
    },
];

fn unasked(why: &str) -> Outcome {
    Err(why.to_owned())
}
