//! The real SDK against an AWS that other people wrote: moto over HTTP, seeded through AWS's own calls by tests/aws/seed.py.

mod laws;
mod organization;
mod refusals;
mod server;
