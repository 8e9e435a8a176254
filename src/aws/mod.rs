//! Looking: everything that is asked of AWS. The only code that names the SDK or waits.
//!
//! Nothing is ever changed, and user data is never asked for. Every call that gives no whole answer leaves a [`Gap`].

mod desk;
mod ec2;
mod gap;
mod hub;
mod iam;
mod organization;
mod pace;
mod quick_setup;
mod referred;
mod resource_groups;
mod route53;
mod run;
mod session;
mod shapes;
mod ssm;
mod whole;

use crate::scope::{Selection, SelectionError};
use crate::snapshot::{Gap, Snapshot};

/// What to look at, and as whom.
#[derive(Debug, Clone)]
pub struct Request {
    pub selection: Selection,
    /// The Regions in which Quick Setup may hold patch policies, for the partition `aws`; each lists its own alone.
    pub quick_setup_regions: Vec<String>,
    /// Whether to ask of each online node, in a call of its own, whether its channel for messages is open.
    pub connection_status: bool,
    /// The resource groups to ask for beside those that associations and maintenance windows target: of plans.
    pub resource_groups: Vec<String>,
    /// Whether to ask of each Linux node, in ten calls and more, which packages are installed.
    pub installed_packages: bool,
    /// The role to assume in every account but the caller's own, with its path if it has one.
    pub role_name: String,
    pub external_id: Option<String>,
    /// As `--profile` of the AWS CLI; `AWS_PROFILE` and the other variables count as they do there.
    pub profile: Option<String>,
    /// For every service; without it `AWS_ENDPOINT_URL` and its kin count.
    pub endpoint_url: Option<String>,
    /// The Region to ask first; without it the configured one, or else the partition's first.
    pub region_hint: Option<String>,
    /// How many Regions, over all accounts, are looked at side by side.
    pub concurrency: usize,
    pub tool_version: String,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            quick_setup_regions: Vec::new(),
            connection_status: false,
            resource_groups: Vec::new(),
            installed_packages: false,
            role_name: "OrganizationAccountAccessRole".to_owned(),
            external_id: None,
            profile: None,
            endpoint_url: None,
            region_hint: None,
            concurrency: 32,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub snapshot: Snapshot,
    /// The user stopped the scan; what was not asked any more is a gap.
    pub interrupted: bool,
}

/// Something that happened while looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    AccountsFound {
        /// How many will be looked at.
        scanned: usize,
        skipped: usize,
    },
    RegionsFound {
        account_id: String,
        regions: usize,
    },
    RegionDone {
        account_id: String,
        region: String,
        instances: usize,
    },
    AccountDone {
        account_id: String,
    },
    /// The network of a Region was looked into once more, because other accounts' or Regions' traffic depends on it.
    Followed {
        account_id: String,
        region: String,
    },
    /// AWS asked to slow down, and the scan does.
    Throttled {
        operation: String,
    },
    Gap(Gap),
    /// Ctrl-C was pressed: nothing more is asked.
    Interrupted,
}

/// Who wants to know how far the scan is.
pub trait Progress: Sync {
    fn event(&self, event: Event);
}

/// Nobody does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _event: Event) {}
}

/// A scan that saw nothing at all.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    #[error(
        "no AWS credentials found: set AWS_PROFILE or give --profile, run `aws sso login` or `aws configure`, or set AWS_ACCESS_KEY_ID; \
         --demo and --snapshot need none"
    )]
    NoCredentials,
    #[error(
        "profile {profile} gives no AWS credentials: check its name and its section in ~/.aws/config and ~/.aws/credentials, or run \
         `aws sso login --profile {profile}`; --demo and --snapshot need none"
    )]
    NoSuchProfile { profile: String },
    #[error("the AWS credentials cannot be used: {0}; `aws sso login` may refresh them, and --demo and --snapshot need none")]
    CredentialsFailed(String),
    #[error("AWS does not say whose credentials these are: {0}")]
    CallerUnknown(String),
    #[error("cannot use the certificates of {path}: {problem}")]
    CaBundle { path: String, problem: String },
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(
        "the organization cannot be read ({}: {}): scan from the management account or a delegated administrator, or choose with --account",
        .0.operation, .0.message
    )]
    OrganizationUnreadable(Box<Gap>),
    #[error("nothing could be read in any account; first {}: {}", .first.operation, .first.message)]
    NothingReadable {
        first: Box<Gap>,
        /// All of them, sorted.
        gaps: Vec<Gap>,
    },
    #[error("interrupted before anything was seen")]
    Interrupted,
    #[error("cannot start the scan on this machine: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Looks at everything that was chosen, and returns what was seen with its gaps. Blocks until done; Ctrl-C ends it early with what
/// was seen by then.
///
/// # Errors
/// When nothing at all could be seen: no credentials, a choice that cannot be carried out, or no account that can be read.
pub fn look(request: &Request, progress: &dyn Progress) -> Result<Seen, LookError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run::look(request, progress))
}
