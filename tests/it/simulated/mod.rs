//! The real SDK against the project's own simulated AWS (tests/simulated-aws), which serves any snapshot: every fixture tests the
//! looking half, too, with real pages, refusals and broken answers.

mod calls;
mod cli;
mod faults;
mod files;
mod hubs;
mod laws;
mod networks;
mod paging;
mod served;
mod sessions;
