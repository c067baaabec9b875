//! aicore-operator.

pub mod aicore;
pub mod api;
pub mod controller;
pub mod lifecycle;
