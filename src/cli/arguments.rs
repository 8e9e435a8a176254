//! The command line's words.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::Assumption;
use crate::report::Format;
use crate::report::types::Severity;
use crate::scope::{Regions, Selection};

/// Says, before a Systems Manager patch policy is rolled out, which EC2 instances it will really patch,
/// what blocks the others, and the change that fixes it. Looks only; changes nothing.
#[derive(Debug, Parser)]
#[command(name = "patch-preflight", version, max_term_width = 110, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// When to use colour; `NO_COLOR` counts as `never`
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, help_heading = "General")]
    pub(crate) color: ColorChoice,
    /// No progress, no remarks: errors only
    #[arg(long, short, global = true, help_heading = "General")]
    pub(crate) quiet: bool,
    /// Tell on stderr what is done, line by line
    #[arg(long, short, global = true, conflicts_with = "quiet", help_heading = "General")]
    pub(crate) verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at accounts (or a snapshot), judge every instance, report
    Scan(Box<ScanArguments>),
    /// Look at accounts and keep what was seen as a snapshot; judge nothing
    Collect(Box<CollectArguments>),
    /// Show the whole chain of evidence of one instance, hop by hop; or a rule's page
    Explain(Box<ExplainArguments>),
    /// List, show or test the rules
    Rules(RulesArguments),
    /// Print the least-privilege IAM policy of the scanner, or the StackSet template of its role
    Permissions(PermissionsArguments),
    /// Print a shell's completion script
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
    /// Print the JSON Schema of the JSON report, or of a planned patch policy
    Schema {
        #[arg(value_enum, default_value_t = SchemaKind::Report)]
        of: SchemaKind,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    Report,
    PatchPolicy,
}

/// Which accounts and Regions.
#[derive(Debug, Args)]
pub(crate) struct SelectionArguments {
    /// The whole organization of the caller's account
    #[arg(long, help_heading = "What to look at")]
    org: bool,
    /// An organizational unit with all below it: its id, or its path such as /Prod/Web (repeatable)
    #[arg(long, value_name = "ID-OR-PATH", help_heading = "What to look at")]
    ou: Vec<String>,
    /// An account (repeatable) [default: the caller's own]
    #[arg(long, value_name = "ID", help_heading = "What to look at")]
    account: Vec<String>,
    /// Leave out an organizational unit (repeatable)
    #[arg(long, value_name = "ID-OR-PATH", help_heading = "What to look at")]
    exclude_ou: Vec<String>,
    /// Leave out an account (repeatable)
    #[arg(long, value_name = "ID", help_heading = "What to look at")]
    exclude_account: Vec<String>,
    /// A Region (repeatable), or `all` [default: every Region enabled in each account]
    #[arg(long, value_name = "REGION", help_heading = "What to look at")]
    region: Vec<String>,
    /// Ask of each online managed instance whether its message channel is open (one call each)
    #[arg(long, help_heading = "What to look at")]
    pub(crate) connection_status: bool,
    /// Ask of each managed Linux instance which packages are installed, to know its Python (ten calls and more each)
    #[arg(long, help_heading = "What to look at")]
    pub(crate) installed_packages: bool,
}

impl SelectionArguments {
    pub(crate) fn selection(&self) -> Selection {
        let is_all = self.region.is_empty() || self.region.iter().any(|region| region == "all");
        Selection {
            organization: self.org,
            accounts: self.account.clone(),
            ous: self.ou.clone(),
            exclude_accounts: self.exclude_account.clone(),
            exclude_ous: self.exclude_ou.clone(),
            regions: if is_all { Regions::Enabled } else { Regions::Named(self.region.clone()) },
        }
    }
}

/// How to get into the accounts.
#[derive(Debug, Args)]
pub(crate) struct AccessArguments {
    /// The role to assume in every account but the caller's own
    #[arg(long, value_name = "NAME", default_value = "OrganizationAccountAccessRole", help_heading = "Access")]
    pub(crate) role_name: String,
    /// The external id that the role asks for
    #[arg(long, value_name = "ID", help_heading = "Access")]
    pub(crate) external_id: Option<String>,
    /// The AWS profile; `AWS_PROFILE` and its kin count as in other AWS tools
    #[arg(long, value_name = "NAME", help_heading = "Access")]
    pub(crate) profile: Option<String>,
    /// Another endpoint for every AWS service; `AWS_ENDPOINT_URL` counts as in other AWS tools
    #[arg(long, value_name = "URL", help_heading = "Access")]
    pub(crate) endpoint_url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ScanArguments {
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Judge a snapshot instead of AWS
    #[arg(long, value_name = "DIR", conflicts_with_all = ["demo", "connection_status", "installed_packages"], help_heading = "What to look at")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Judge the built-in sample organization
    #[arg(long, conflicts_with_all = ["connection_status", "installed_packages"], help_heading = "What to look at")]
    pub(crate) demo: bool,
    /// Keep what was seen, as a snapshot
    #[arg(long, value_name = "DIR", help_heading = "What to look at")]
    pub(crate) save_snapshot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) access: AccessArguments,
    #[command(flatten)]
    pub(crate) judging: JudgingArguments,
    /// A format of the report: table or json, to stdout or to a file (repeatable) [default: table]
    #[arg(long, value_name = "FORMAT[=FILE]", help_heading = "Report")]
    pub(crate) output: Vec<Output>,
    /// The table with every row, however long
    #[arg(long, help_heading = "Report")]
    pub(crate) wide: bool,
    /// The lowest severity of a finding that makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Error, help_heading = "Report")]
    pub(crate) fail_on: FailOn,
    /// Whether what could not be read, or is not known, makes the exit code 3
    #[arg(long, value_enum, default_value_t = Incomplete::Fail, help_heading = "Report")]
    pub(crate) incomplete: Incomplete,
}

/// By what to judge.
#[derive(Debug, Args)]
pub(crate) struct JudgingArguments {
    /// A folder of more rules (repeatable)
    #[arg(long, value_name = "DIR", help_heading = "Rules")]
    pub(crate) rules: Vec<PathBuf>,
    /// Set a rule's level, or switch it off (repeatable)
    #[arg(long, value_name = "ID=off|note|warning|error", help_heading = "Rules")]
    pub(crate) rule: Vec<String>,
    /// A table that overrides entries of the operating system matrix
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(crate) operating_systems: Option<PathBuf>,
    /// From which hosts of your own (a mirror, WSUS, Satellite, a proxy) instances take patches
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(crate) mirrors: Option<PathBuf>,
    /// A planned patch policy (YAML, or what `aws ssm-quicksetup get-configuration-manager` prints): say whom it reaches, and judge nothing else.
    /// Several files are several environments (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Rules")]
    pub(crate) policy: Vec<PathBuf>,
    /// Something that you vouch for and the snapshot does not hold: no-private-dns-overrides (no private hosted zone and no resolver rule
    /// overrides a name of AWS's), dns-firewall-passes-aws-names (no DNS Firewall refuses them, though it was not collected or its lists are not shown), no-organization-policies (no service control policy and no resource control policy takes away what patching needs), no-unseen-patch-policies (no patch policy exists beside those that were seen), quick-setup-bucket-policies (the buckets of patch policies have the policies that Quick Setup writes), or GATEWAY=internet (a gateway or attachment leads to the internet and back) (repeatable)
    #[arg(long, value_name = "WHAT", help_heading = "Rules")]
    pub(crate) assume: Vec<Assumption>,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// An instance (i-…) or a rule
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Find the instance in a snapshot
    #[arg(long, value_name = "DIR", help_heading = "What to look at")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Find it in a JSON report that `scan` wrote
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["snapshot", "rules", "rule", "policy", "mirrors", "assume", "operating_systems"],
        help_heading = "What to look at"
    )]
    pub(crate) report: Option<PathBuf>,
    /// Find it in the built-in sample organization
    #[arg(long, conflicts_with_all = ["snapshot", "report"], help_heading = "What to look at")]
    pub(crate) demo: bool,
    #[command(flatten)]
    pub(crate) judging: JudgingArguments,
    #[arg(long, value_enum, default_value_t = ExplainFormat::Text, help_heading = "Report")]
    pub(crate) format: ExplainFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    Text,
    Json,
    /// A diagram for Markdown pages that draw Mermaid
    Mermaid,
}

#[derive(Debug, Args)]
pub(crate) struct CollectArguments {
    /// The folder to write
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// A resource group that a planned patch policy targets; those that are targeted already are asked for anyway (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "What to look at")]
    pub(crate) resource_group: Vec<String>,
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    #[command(flatten)]
    pub(crate) access: AccessArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArguments {
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
    /// A folder of more rules (repeatable)
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) rules: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Every rule with its severity
    List,
    /// One rule: what it finds, why it matters, how to fix it
    Show {
        /// As `rules list` prints it
        id: String,
    },
    /// Run the cases of the built-in rules, and of a folder's
    Test {
        /// A folder of rules to run beside the built-in ones
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PermissionsArguments {
    /// What to print
    #[arg(value_enum, default_value_t = PermissionsKind::Member)]
    pub(crate) kind: PermissionsKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PermissionsKind {
    /// The policy of the role in each account
    Member,
    /// What the caller needs in the management account besides
    Management,
    /// The CloudFormation template that deploys the role as a StackSet
    StackSet,
    /// Every action with what it is for
    List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl FailOn {
    /// Whether a failed finding of this severity counts.
    pub(crate) fn counts(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity >= Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Note => severity >= Severity::Note,
            Self::Never => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Incomplete {
    Fail,
    Warn,
}

/// A format, and the file it goes to (`None` is stdout).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("the file's name is missing after `=`".to_owned()),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        match Format::ALL.into_iter().find(|format| format.as_str() == name) {
            Some(format) => Ok(Self { format, file }),
            None => {
                let known: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
                Err(format!("there is no format {name:?}: use {}", known.join(" or ")))
            }
        }
    }
}
