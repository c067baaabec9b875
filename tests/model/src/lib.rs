//! The operator's rules, explored together with everything that can go wrong around them.
//!
//! The model is made of the operator's own pure functions, `lifecycle::next_step` and `lifecycle::intent::resolve`, and of a small world around
//! them: AI Core, which answers late, loses answers and serves old lists; Kubernetes, whose watch lags and whose answers get lost; an operator
//! that dies between any two effects, and a former leader that does not know yet that it is one; users and strangers. All that can happen in
//! this world within the [budget](budget::Budget) of an exploration is tried, in every order, and the [laws] are asked in every state.

pub mod action;
pub mod budget;
pub mod cluster;
pub mod effects;
pub mod exploration;
pub mod fairness;
pub mod ids;
pub mod instances;
pub mod laws;
pub mod look;
pub mod model;
pub mod mutant;
pub mod observe;
pub mod plan;
pub mod possible;
pub mod process;
pub mod protocol;
pub mod remote;
pub mod state;
pub mod story;
pub mod surroundings;
pub mod users;
