//! The integration tests: one binary, a module a subject.

mod topology;
mod truth_table;
