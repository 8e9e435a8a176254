//! What is said of one path: the verdict, everything that blocks it, what is unknown, and the hops in order.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::known::Unknown;

/// Whether new connections over a path work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All destinations, with all source ports.
    Reachable,
    /// Some of them: it works sometimes.
    Partial,
    /// None of them.
    Blocked,
    /// It depends on something that is not known.
    Unknown,
    /// The instance does not use this path.
    NotNeeded,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Partial => "partial",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
            Self::NotNeeded => "not_needed",
        }
    }
}

/// The service at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    Ssm,
    SsmMessages,
    Ec2Messages,
    S3,
    /// Where the operating system's package manager takes patches from.
    Repository,
}

impl Target {
    /// What every managed instance needs.
    pub const SERVICES: [Self; 4] = [Self::Ssm, Self::SsmMessages, Self::Ec2Messages, Self::S3];
    /// Those that Systems Manager talks to the agent by.
    pub const CHANNELS: [Self; 3] = [Self::Ssm, Self::SsmMessages, Self::Ec2Messages];

    /// The word for it: of a service, how an endpoint service's name ends and the public host name begins.
    pub fn service(self) -> &'static str {
        match self {
            Self::Ssm => "ssm",
            Self::SsmMessages => "ssmmessages",
            Self::Ec2Messages => "ec2messages",
            Self::S3 => "s3",
            Self::Repository => "repository",
        }
    }
}

/// One path, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub target: Target,
    pub host: String,
    /// TCP, at the destination.
    pub port: u16,
    pub verdict: Verdict,
    pub via: Via,
    /// Everything that surely blocks the path or a part of it, first the one to look at first.
    pub blockers: Vec<Blocker>,
    pub unknowns: Vec<Unknown>,
    pub hops: Vec<Hop>,
    /// Whether the policies of the endpoints on the way let the requests pass, which is no matter of the network.
    pub authorization: Authorization,
    /// Remarks that do not change the verdict, in whole sentences.
    pub notes: Vec<String>,
}

/// The note of a verdict that hangs on what AWS does not document (docs/reachability.md, "Assumptions of the model").
pub(super) fn assumption(number: u8, what: &str) -> String {
    format!("Model assumption A-{number}: {what}.")
}

/// Whether the policies of the endpoints on a path let its requests pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Authorization {
    #[default]
    Allowed,
    /// They surely refuse one that is needed: `because` is a fragment of a sentence whose subject is the endpoint.
    Denied {
        endpoint: String,
        /// The actions that are refused.
        actions: BTreeSet<&'static str>,
        because: String,
    },
    Unknown(Vec<Unknown>),
}

impl Authorization {
    /// All of them must let the requests pass.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (denied @ Self::Denied { .. }, _) | (_, denied @ Self::Denied { .. }) => denied,
            (Self::Unknown(mut left), Self::Unknown(right)) => {
                left.extend(right);
                left.sort();
                left.dedup();
                Self::Unknown(left)
            }
            (unknown @ Self::Unknown(_), Self::Allowed) | (Self::Allowed, unknown @ Self::Unknown(_)) => unknown,
            (Self::Allowed, Self::Allowed) => Self::Allowed,
        }
    }

    /// One of them comes true, and it is not known which: a refusal is sure where each refuses.
    pub(super) fn one_of(ways: &[Self]) -> Self {
        match ways.iter().cloned().fold(Self::Allowed, Self::and) {
            Self::Denied { endpoint, because, .. } if !ways.iter().all(|way| matches!(way, Self::Denied { .. })) => {
                let settled_by = format!("settle what the path depends on: by one way {endpoint} is passed, and {because}");
                Self::Unknown(vec![Unknown::new("endpoint_policy", endpoint, settled_by)])
            }
            all => all,
        }
    }
}

/// The next hop that carries a path: with several, the one that carries the most addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    InterfaceEndpoint,
    GatewayEndpoint,
    NatGateway,
    InternetGateway,
    EgressOnlyGateway,
    TransitGateway,
    Peering,
    VirtualPrivateGateway,
    NetworkInterface,
    GatewayLoadBalancerEndpoint,
    Other,
    None,
}

/// One thing that surely blocks a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blocker {
    pub code: Code,
    /// The id of the resource to change.
    pub resource: String,
    /// What it does, as a fragment of a sentence.
    pub detail: String,
    pub place: Place,
    /// On what it hangs that is not known, from the widest condition to the narrowest; empty where it blocks whatever that is.
    pub when: Vec<String>,
}

impl Blocker {
    pub(super) fn new(code: Code, resource: impl Into<String>, detail: impl Into<String>, place: Place) -> Self {
        Self { code, resource: resource.into(), detail: detail.into(), place, when: Vec::new() }
    }

    /// Whether the same is to be mended: of a network ACL the entries of one direction.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let is_egress = |place: &Place| if let Place::NetworkAcl { egress, .. } = place { Some(*egress) } else { None };
        (self.code, &self.resource, is_egress(&self.place)) == (other.code, &other.resource, is_egress(&other.place))
    }

    /// What it does, and when.
    pub fn told(&self) -> String {
        self.when.iter().fold(self.detail.clone(), |told, condition| format!("{told}, if {condition}"))
    }
}

/// Where a blocker sits, with what a fix needs to know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The security groups of the instance let no such traffic out.
    InstanceEgress {
        groups: Vec<String>,
        to: Destination,
        port: u16,
    },
    /// The security groups of an interface endpoint do not let the instance in.
    EndpointIngress {
        endpoint: String,
        groups: Vec<String>,
        from_address: String,
        from_groups: Vec<String>,
    },
    /// A network ACL denies, in the direction of `egress`, these remote addresses and these ports.
    NetworkAcl {
        acl: String,
        egress: bool,
        addresses: Vec<String>,
        ports: (u16, u16),
    },
    /// The subnet's route table leads nowhere.
    Route {
        route_table: String,
        subnet: String,
        vpc: String,
        destination: Option<String>,
    },
    /// The VPC has no endpoint for the service.
    NoEndpoint {
        vpc: String,
    },
    /// The endpoint is there and takes no part.
    PrivateDns {
        endpoint: String,
    },
    /// An endpoint of the VPC is not available.
    EndpointState {
        endpoint: String,
    },
    VpcAttribute {
        vpc: String,
        attribute: &'static str,
    },
    /// The VPC's resolver is switched off, and no other is asked: where a name would lead cannot be said.
    Resolver {
        vpc: String,
    },
    /// The interface has no public address, and its subnet's default route needs one.
    PublicAddress {
        interface: String,
    },
    Other,
}

/// The far end of a flow, as a rule would name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    PrefixList(String),
    Groups(Vec<String>),
    /// Blocks of one family or of both.
    Blocks(Vec<String>),
    Internet,
    InternetIpv6,
    /// IPv4 addresses hidden in IPv6 ones.
    Nat64,
}

crate::facts::words! {
    /// Why a path is blocked. The names are those of VPC Reachability Analyzer where it has one for the cause
    /// (<https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html>); the rest are this program's own.
    pub enum Code {
        BadState = "BAD_STATE",
        BadStateAttachment = "BAD_STATE_ATTACHMENT",
        BadStateRoute = "BAD_STATE_ROUTE",
        CannotRoute = "CANNOT_ROUTE",
        DnsCapturedByEndpoint = "DNS_CAPTURED_BY_ENDPOINT",
        DnsDualstackNotCovered = "DNS_DUALSTACK_NOT_COVERED",
        DnsFirewallRule = "DNS_FIREWALL_RULE",
        DnsNoIpv6Address = "DNS_NO_IPV6_ADDRESS",
        DnsNoResolver = "DNS_NO_RESOLVER",
        DnsPhzNotAssociated = "DNS_PHZ_NOT_ASSOCIATED",
        DnsPhzNxdomain = "DNS_PHZ_NXDOMAIN",
        DnsPrivateDnsOff = "DNS_PRIVATE_DNS_OFF",
        DnsVpcAttributeOff = "DNS_VPC_ATTRIBUTE_OFF",
        EndpointMissing = "ENDPOINT_MISSING",
        EniSgRulesMismatch = "ENI_SG_RULES_MISMATCH",
        EniSourceDestCheckRestriction = "ENI_SOURCE_DEST_CHECK_RESTRICTION",
        EphemeralPartial = "EPHEMERAL_PARTIAL",
        IgwDestinationAddressNotInRfc1918Egress = "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS",
        IgwPublicIpAssociationForEgress = "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
        NoRouteToDestination = "NO_ROUTE_TO_DESTINATION",
        PcxRequiresAddressInVpcCidr = "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR",
        PrefixListPartial = "PREFIX_LIST_PARTIAL",
        ProtocolRestriction = "PROTOCOL_RESTRICTION",
        RepoPort80Blocked = "REPO_PORT80_BLOCKED",
        SgHasNoRules = "SG_HAS_NO_RULES",
        SgReferencesNotPreserved = "SG_REFERENCES_NOT_PRESERVED",
        SgReferencingSupport = "SG_REFERENCING_SUPPORT",
        SubnetAclRestriction = "SUBNET_ACL_RESTRICTION",
        TgwAttachMissingTgwRtbAssociation = "TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION",
        TgwRouteAzRestriction = "TGW_ROUTE_AZ_RESTRICTION",
        TgwRtbBadStateRoute = "TGW_RTB_BAD_STATE_ROUTE",
        TgwRtbNoRouteToTgwAttachment = "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT",
        VpcBlockPublicAccessEnabled = "VPC_BLOCK_PUBLIC_ACCESS_ENABLED",
        VpcEncryptionControlsEnforced = "VPC_ENCRYPTION_CONTROLS_ENFORCED",
    }
}

/// One step of a path, in the order that a packet takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    pub resource: String,
    pub kind: HopKind,
    pub decision: Decision,
    /// The rule, route or entry that decided, as a fragment of a sentence.
    pub because: String,
    /// Which of the addresses come by here, where they part: from the widest part to the narrowest. Empty where all of them do.
    pub way: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HopKind {
    Name,
    SecurityGroup,
    NetworkAcl,
    RouteTable,
    InterfaceEndpoint,
    GatewayEndpoint,
    EndpointPolicy,
    NatGateway,
    InternetGateway,
    EgressOnlyGateway,
    Peering,
    TransitGateway,
    Other,
}

/// What a hop does with the flows of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Pass,
    Part,
    Block,
    Unknown,
}
