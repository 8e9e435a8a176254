//! The policy language: a table of cases, laws over random policies, a second evaluator, and AWS's own policies.

mod cases;
mod dumb;
mod managed;
mod properties;
