//! The undecided points, one table for each part of the contract.

mod creation;
mod deletion;
mod fields;
mod lists;
mod refusals;
mod server;
mod stop;
mod unasked;

use super::point::Point;

/// Every point, in the order in which they are reported.
pub fn points() -> impl Iterator<Item = &'static Point> {
    [
        server::POINTS,
        creation::POINTS,
        fields::POINTS,
        lists::POINTS,
        refusals::POINTS,
        stop::POINTS,
        deletion::POINTS,
        unasked::POINTS,
    ]
    .into_iter()
    .flatten()
}
