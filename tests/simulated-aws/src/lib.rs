//! Serves a snapshot of patch-preflight as the AWS APIs that it came from: real protocols, pages, refusals, and weather on request.
//!
//! On the loopback interface only. Signatures are not checked: an access key says which account it is of.

mod answer;
mod credentials;
pub mod generate;
mod http;
pub mod measure;
mod paging;
mod random;
mod rates;
mod refusal;
pub mod render;
mod request;
mod server;
mod session_policy;
mod store;
mod weather;
pub mod wire;

pub use credentials::Credentials;
pub use refusal::{Refusal, Trouble};
pub use server::{Recorded, Server, StartError};
pub use store::{Store, StoreError};
pub use weather::{Fault, Kind, Latency, Trust, Weather};
