//! From what is wrong to the changes that mend it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::change::{Change, Group, Origin, Placement};
use super::{acl, home};
use crate::facts::{CredentialSource, Learned, Ping};
use crate::model::known::Known;
use crate::model::{Estate, Region, is_word};
use crate::network::{Authorization, Blocker, Code, Destination, Path, Place, Target, Verdict, vpc_nets};
use crate::rules::FixGenerator;
use crate::snapshot::ec2::{Instance, InstanceNetworkInterface, VpcEndpoint};
use crate::snapshot::global::RoleDetail;

/// The instance that a finding is about.
#[derive(Debug, Clone, Copy)]
pub struct Patient<'s> {
    pub estate: &'s Estate<'s>,
    pub region: &'s Region<'s>,
    pub instance: &'s Instance,
    pub learned: &'s Learned,
}

impl<'s> Patient<'s> {
    /// The Region's files of the account that has a resource; the instance's own where that account was not seen.
    fn home(self, resource: &str) -> &'s Region<'s> {
        home::files(self.estate, self.region.account, self.region.name, resource).unwrap_or(self.region)
    }

    /// The account that has a group, where a rule of another account's group is to refer to it.
    fn owner(self, group: &str, of_rule: &str) -> Option<String> {
        let owner = self.home(group).account;
        (owner != self.home(of_rule).account).then(|| owner.to_owned())
    }
}

/// The changes that clear a finding of a rule that names this generator.
pub fn changes(patient: Patient<'_>, generator: FixGenerator, target: Option<Target>) -> Vec<Change> {
    let instance = patient.learned.facts.instance.id.clone();
    match generator {
        FixGenerator::NetworkPath => of_path(patient, target, |_| true),
        FixGenerator::NetworkRoute => of_path(patient, target, is_route),
        FixGenerator::NetworkEgress => of_path(patient, target, |blocker| matches!(blocker.place, Place::InstanceEgress { .. })),
        FixGenerator::EndpointPolicy => endpoint_policy(patient, target),
        // One that has no role is in the way of another.
        FixGenerator::InstanceProfile if patient.instance.iam_instance_profile.is_some() => {
            vec![Change::ReplaceInstanceProfile { instance, profile: usual_profile(patient) }]
        }
        FixGenerator::InstanceProfile => vec![Change::AttachInstanceProfile { instance, profile: usual_profile(patient) }],
        FixGenerator::RolePermissions => {
            vec![extend_role(patient, "AmazonSSMManagedInstanceCore", Vec::new(), "take away what denies its actions")]
        }
        FixGenerator::PatchPolicyAccess => {
            let tags = &patient.learned.facts.identity.patch_policy.lacking_tags;
            let tags: Vec<String> = tags.split(", ").filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
            vec![extend_role(patient, "AWSQuickSetupPatchPolicyBaselineAccess", tags, "")]
        }
        FixGenerator::MetadataEndpoint => vec![Change::EnableMetadataEndpoint { instance }],
        FixGenerator::AgentUpdate if takes_commands(patient) => vec![Change::UpdateAgent { instance }],
        FixGenerator::AgentUpdate => vec![Change::ByHand {
            what: format!(
                "Update SSM Agent on {instance} on the instance itself: it cannot take a command now, or nobody knows that it can"
            ),
            resource: instance,
        }],
        FixGenerator::AgentRegistration => registration(patient),
        FixGenerator::OsUpgrade => {
            let name = patient.learned.facts.platform.name.known().cloned().unwrap_or_else(|| "its operating system".to_owned());
            vec![Change::ByHand {
                what: format!(
                    "Move {instance} from {name} to a release that both its vendor and Patch Manager support, or patch it by other means"
                ),
                resource: instance,
            }]
        }
        FixGenerator::OtherTooling => vec![Change::ByHand {
            what: format!("Patch the instances of {} with a maintenance window or a State Manager association", patient.region.name),
            resource: patient.region.name.to_owned(),
        }],
    }
}

/// One of AWS's policies and the tags for the role, as far as it lacks them. Instances that share a role share the change.
fn extend_role(patient: Patient<'_>, policy: &str, tags: Vec<String>, besides: &str) -> Change {
    let facts = &patient.learned.facts;
    let role = facts.identity.role.clone();
    let accounts = &patient.estate.snapshot.accounts;
    let mut roles = accounts
        .get(patient.region.account)
        .and_then(|account| account.global.iam.as_ref())
        .into_iter()
        .flat_map(|file| &file.role_detail_list);
    let is_attached = roles.any(|detail| detail.role_name.as_ref() == Some(&role) && has_policy(detail, policy));
    let partition = facts.instance.arn.split(':').nth(1).unwrap_or("aws");
    let policies = if is_attached { Vec::new() } else { vec![format!("arn:{partition}:iam::aws:policy/{policy}")] };
    match (policies.is_empty() && tags.is_empty(), besides) {
        (true, "") => {
            let what =
                format!("To the role {role}: take away what keeps it from reading the bucket ({})", facts.identity.patch_policy.because);
            Change::ByHand { resource: role, what }
        }
        (true, besides) => Change::ByHand { what: format!("To the role {role}: {besides}"), resource: role },
        // What the role lacks may be all: that something denies besides is not said.
        (false, "") => Change::ExtendRole { role, policies, tags, besides: String::new() },
        (false, besides) => Change::ExtendRole { role, policies, tags, besides: format!("{besides}, if anything does") },
    }
}

fn has_policy(role: &RoleDetail, name: &str) -> bool {
    role.attached_managed_policies.iter().any(|policy| policy.policy_name.as_deref() == Some(name))
}

fn is_route(blocker: &Blocker) -> bool {
    matches!(blocker.place, Place::Route { .. } | Place::NoEndpoint { .. })
}

/// Whether Run Command reaches the agent: it reports, and has the way that its version takes commands by.
fn takes_commands(patient: Patient<'_>) -> bool {
    let agent = &patient.learned.facts.agent;
    let works = |target: Target| patient.learned.paths.iter().any(|path| path.target == target && path.verdict == Verdict::Reachable);
    let has_way = works(Target::Ec2Messages) || (agent.needs_no_ec2messages.is(&true) && works(Target::SsmMessages));
    agent.ping.is(&Ping::Online) && has_way
}

/// While something else keeps the agent from registering, that is what to mend; else only a look at the instance tells.
fn registration(patient: Patient<'_>) -> Vec<Change> {
    let facts = &patient.learned.facts;
    let has_credentials = !facts.identity.source.is(&CredentialSource::None);
    let has_paths = patient
        .learned
        .paths
        .iter()
        .filter(|path| matches!(path.target, Target::Ssm | Target::SsmMessages))
        .all(|path| path.blockers.is_empty());
    let has_metadata = !facts.instance.metadata_endpoint.is(&crate::facts::Switch::Disabled);
    if !(has_credentials && has_paths && has_metadata) {
        return Vec::new();
    }
    let instance = facts.instance.id.clone();
    if facts.platform.has_preinstalled_agent.is(&false) {
        let what = format!("Install SSM Agent on {instance}: images of its operating system come without it");
        return vec![Change::ByHand { resource: instance, what }];
    }
    vec![Change::RunDiagnosis { instance }]
}

fn of_path(patient: Patient<'_>, target: Option<Target>, concerns: impl Fn(&Blocker) -> bool) -> Vec<Change> {
    let Some(path) = path_to(patient, target) else { return Vec::new() };
    let mut changes: Vec<Change> =
        path.blockers.iter().filter(|blocker| concerns(blocker)).filter_map(|blocker| of_blocker(patient, path, blocker)).collect();
    let attributes: Vec<Change> = changes.iter().flat_map(|change| attributes_off(patient, change)).collect();
    changes.extend(attributes);
    changes.sort();
    changes.dedup();
    changes
}

/// AWS refuses private DNS while a DNS attribute of the VPC is off
/// (<https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html>).
fn attributes_off(patient: Patient<'_>, change: &Change) -> Vec<Change> {
    let vpc = match change {
        Change::CreateInterfaceEndpoint { vpc, .. } => Some(vpc),
        Change::EnablePrivateDns { endpoint } => {
            let listed = patient.home(endpoint).endpoint(endpoint).into_known().flatten();
            listed.and_then(|endpoint| endpoint.vpc_id.as_ref())
        }
        _ => None,
    };
    let Some(vpc) = vpc else { return Vec::new() };
    let home = patient.home(vpc);
    let attributes = [("enableDnsSupport", home.dns_support(vpc)), ("enableDnsHostnames", home.dns_hostnames(vpc))];
    let off = attributes.into_iter().filter(|(_, value)| value.is(&false));
    off.map(|(attribute, _)| Change::EnableVpcAttribute { vpc: vpc.clone(), attribute: attribute.to_owned() }).collect()
}

/// What to write into a policy is for its owner to decide: it may be narrow on purpose.
fn endpoint_policy(patient: Patient<'_>, target: Option<Target>) -> Vec<Change> {
    let Some(path) = path_to(patient, target) else { return Vec::new() };
    let Authorization::Denied { endpoint, because, .. } = &path.authorization else { return Vec::new() };
    vec![Change::ByHand { resource: endpoint.clone(), what: format!("Extend the policy of {endpoint}: {because}") }]
}

/// The path to a service, or the one over all that patches come from.
fn path_to(patient: Patient<'_>, target: Option<Target>) -> Option<&Path> {
    match target {
        Some(Target::Repository) => Some(&patient.learned.repository),
        _ => {
            // S3 is asked for by several names.
            let paths = patient.learned.paths.iter().filter(|path| Some(path.target) == target);
            paths.map(std::sync::Arc::as_ref).min_by_key(|path| {
                let is_blocked = matches!(path.verdict, Verdict::Blocked | Verdict::Partial);
                let is_refused = matches!(path.authorization, Authorization::Denied { .. });
                (!is_blocked, !is_refused)
            })
        }
    }
}

fn of_blocker(patient: Patient<'_>, path: &Path, blocker: &Blocker) -> Option<Change> {
    match &blocker.place {
        Place::InstanceEgress { groups, to, port } => {
            let group = groups.first()?.clone();
            let owner = if let Destination::Groups(named) = to { patient.owner(named.first()?, &group) } else { None };
            Some(Change::AllowEgress { group, to: to.clone(), owner, port: *port })
        }
        Place::EndpointIngress { endpoint, groups, from_address, from_groups } => {
            let group = groups.first()?.clone();
            let from = match from_groups.first() {
                Some(id) => Some(Origin::Group(Group { id: id.clone(), owner: patient.owner(id, &group) })),
                None => block_around(patient, from_address).map(Origin::Block),
            };
            Some(match from {
                Some(from) => Change::AllowEndpointIngress { endpoint: endpoint.clone(), group, from },
                // Of several addresses only AWS knows which one sends.
                None => Change::ByHand {
                    what: format!("Allow inbound TCP 443 from {from_address} on {group}, the security group of {endpoint}"),
                    resource: group,
                },
            })
        }
        Place::NetworkAcl { acl, egress, addresses, ports } => Some(allow_in_acl(patient, acl, *egress, addresses, *ports)),
        // A dead route is mended where it stands; a gateway endpoint's is made anew with the endpoint.
        Place::Route { route_table, destination: Some(destination), .. } if !is_prefix_list(destination) => Some(Change::ByHand {
            resource: route_table.clone(),
            what: format!("Point the route of {route_table} to {destination} at a target that exists"),
        }),
        Place::NoEndpoint { .. } if path.blockers.iter().any(has_dead_route) => None,
        Place::Route { route_table, vpc, .. } if is_of_s3(patient, path) => Some(route_to_s3(patient, route_table, vpc)),
        // An instance that the route leads to the internet gateway lacks an address, not an endpoint for each service.
        Place::NoEndpoint { .. } if path.blockers.iter().any(|other| matches!(other.place, Place::PublicAddress { .. })) => None,
        Place::NoEndpoint { vpc } if !is_of_s3(patient, path) => Some(interface_endpoint(patient, path.target, vpc)),
        // The missing or sleeping endpoint beside it is what to mend.
        Place::NoEndpoint { .. } | Place::Route { .. } if has_endpoint_cause(patient, path) => None,
        Place::Route { route_table, .. } if path.target == Target::Repository => Some(Change::ByHand {
            resource: route_table.clone(),
            what: format!(
                "Give {route_table} a route to {} through a NAT gateway, or have the instances take patches from a mirror or a proxy and declare it with --mirrors",
                path.host
            ),
        }),
        Place::Route { route_table, .. } => Some(Change::ByHand {
            resource: route_table.clone(),
            what: format!("Give {route_table} a route to {}: through a NAT gateway, or with an interface endpoint", path.host),
        }),
        Place::PrivateDns { endpoint } if blocker.code == Code::DnsPrivateDnsOff => {
            Some(Change::EnablePrivateDns { endpoint: endpoint.clone() })
        }
        // The endpoint that took the name has its own blocker.
        Place::PrivateDns { .. } | Place::NoEndpoint { .. } => None,
        Place::Resolver { vpc } => Some(Change::EnableVpcAttribute { vpc: vpc.clone(), attribute: "enableDnsSupport".to_owned() }),
        Place::VpcAttribute { vpc, attribute } => Some(Change::EnableVpcAttribute { vpc: vpc.clone(), attribute: (*attribute).to_owned() }),
        Place::EndpointState { endpoint } => Some(Change::ByHand {
            resource: endpoint.clone(),
            what: format!("Find out why endpoint {endpoint} is not available, and create it anew"),
        }),
        Place::PublicAddress { interface } => Some(Change::ByHand {
            resource: interface.clone(),
            what: format!("Route the subnet of {interface} through a NAT gateway, or associate an Elastic IP address with {interface}"),
        }),
        Place::Other if blocker.code == Code::DnsPhzNotAssociated => {
            let vpc = path.blockers.iter().find_map(|other| if let Place::NoEndpoint { vpc } = &other.place { Some(vpc) } else { None })?;
            let what =
                format!("Associate private hosted zone {} with {vpc}: it leads {} to an endpoint elsewhere", blocker.resource, path.host);
            Some(Change::ByHand { resource: blocker.resource.clone(), what })
        }
        Place::Other if blocker.code == Code::DnsNoIpv6Address && path.target != Target::Repository => {
            let what = format!(
                "Set Agent.UseDualStackEndpoint to true in amazon-ssm-agent.json (SSM Agent 3.3.3270.0 or later), or give the instances of {} another way to IPv4 names: DNS64 with a route of 64:ff9b::/96 to a NAT gateway, or an interface endpoint with IPv6 addresses",
                blocker.resource
            );
            Some(Change::ByHand { resource: blocker.resource.clone(), what })
        }
        Place::Other => {
            Some(Change::ByHand { resource: blocker.resource.clone(), what: format!("Mend {}: {}", blocker.resource, blocker.detail) })
        }
    }
}

/// The block of the instance's VPC in which an address lies, so that its neighbours share the rule; else the address by itself. `None`
/// where there is no one block.
fn block_around(patient: Patient<'_>, from: &str) -> Option<String> {
    let vpc = patient.instance.vpc_id.as_deref().unwrap_or_default();
    let blocks = patient.home(vpc).vpc(vpc).known().map(|vpc| vpc_nets(vpc)).unwrap_or_default();
    // A sender of which only the subnet is known.
    if let Ok(block) = from.parse::<IpNet>() {
        return Some(block.to_string());
    }
    let address = from.parse::<IpAddr>().ok()?;
    Some(blocks.into_iter().find(|block| block.contains(&address)).unwrap_or_else(|| IpNet::from(address)).to_string())
}

/// Whether the addresses behind a path are those of the Region's S3, which a gateway endpoint carries.
fn is_of_s3(patient: Patient<'_>, path: &Path) -> bool {
    let is_here = path.host.contains(&format!(".{}.", patient.learned.facts.region.name));
    is_here && (path.target == Target::S3 || (path.target == Target::Repository && path.host.contains(".s3.")))
}

fn is_prefix_list(destination: &str) -> bool {
    destination.starts_with("pl-")
}

fn has_dead_route(blocker: &Blocker) -> bool {
    matches!(&blocker.place, Place::Route { destination: Some(destination), .. } if !is_prefix_list(destination))
}

/// Whether a missing endpoint, or one that takes no part, explains why the public way is tried at all.
fn has_endpoint_cause(patient: Patient<'_>, path: &Path) -> bool {
    !is_of_s3(patient, path)
        && path.blockers.iter().any(|blocker| {
            matches!(
                blocker.place,
                Place::NoEndpoint { .. } | Place::EndpointState { .. } | Place::VpcAttribute { .. } | Place::Resolver { .. }
            ) || blocker.code == Code::DnsPrivateDnsOff
        })
}

fn endpoints<'s>(patient: Patient<'s>, vpc: &str) -> &'s [&'s VpcEndpoint] {
    match patient.home(vpc).endpoints(vpc) {
        Known::Known(endpoints) => endpoints,
        Known::Unknown(_) => &[],
    }
}

/// S3 by its gateway endpoint: free, and the existing one if there is one.
fn route_to_s3(patient: Patient<'_>, route_table: &str, vpc: &str) -> Change {
    let ending = format!(".{}.s3", patient.region.name);
    let existing = endpoints(patient, vpc).iter().find(|endpoint| {
        is_word(endpoint.vpc_endpoint_type.as_ref(), "Gateway")
            && is_word(endpoint.state.as_ref(), "available")
            && endpoint.service_name.as_deref().is_some_and(|name| name.ends_with(&ending))
    });
    match existing.and_then(|endpoint| endpoint.vpc_endpoint_id.clone()) {
        Some(endpoint) => Change::AssociateGatewayEndpoint { endpoint, route_table: route_table.to_owned() },
        None => Change::CreateGatewayEndpoint {
            vpc: vpc.to_owned(),
            service_name: service_name(patient.home(vpc), "s3"),
            route_tables: BTreeSet::from([route_table.to_owned()]),
        },
    }
}

/// The name under which the Region offers the service; partitions differ in its beginning.
fn service_name(region: &Region<'_>, service: &str) -> String {
    let ending = format!(".{}.{service}", region.name);
    let offered = region.files.endpoint_services.iter().flat_map(|file| &file.service_names);
    let usual = format!("com.amazonaws{ending}");
    let mut names: Vec<&String> = offered.filter(|name| name.ends_with(&ending)).collect();
    names.sort_by_key(|name| (**name != usual, (*name).clone()));
    names.first().map_or(usual, |name| (*name).clone())
}

fn interface_endpoint(patient: Patient<'_>, target: Target, vpc: &str) -> Change {
    // The owner of a shared VPC makes its endpoints, and names Availability Zones in its own way.
    let region = patient.home(vpc);
    let service_name = service_name(region, target.service());
    let Some(subnet) = endpoint_subnet(patient, region, vpc, &service_name) else {
        let what =
            format!("Give {vpc} a subnet in an Availability Zone that offers {service_name}, and create the interface endpoint in it");
        return Change::ByHand { resource: vpc.to_owned(), what };
    };
    let zone =
        region.subnet(&subnet).known().and_then(|subnet| subnet.availability_zone_id.clone().or_else(|| subnet.availability_zone.clone()));
    let blocks = region.vpc(vpc).known().map(|vpc| {
        let more = vpc.cidr_block_association_set.iter().filter_map(|block| block.cidr_block.clone());
        let mut blocks: Vec<String> = more.chain(vpc.cidr_block.clone()).collect();
        blocks.sort();
        blocks.dedup();
        blocks
    });
    let placement = Placement {
        subnets: BTreeMap::from([(zone.unwrap_or_default(), subnet)]),
        vpc_blocks: blocks.unwrap_or_default(),
        group_name: free_group_name(region, vpc, target.service()),
    };
    Change::CreateInterfaceEndpoint { vpc: vpc.to_owned(), service_name, placement }
}

/// The subnet of the primary interface if the service is offered there, else the first of the VPC in which it is.
fn endpoint_subnet(patient: Patient<'_>, region: &Region<'_>, vpc: &str, service_name: &str) -> Option<String> {
    let is_primary = |interface: &&InstanceNetworkInterface| {
        interface.attachment.as_ref().is_some_and(|at| at.device_index == Some(0) && at.network_card_index.unwrap_or(0) == 0)
    };
    let interfaces = &patient.instance.network_interfaces;
    let primary = interfaces.iter().find(is_primary).or(if let [only] = interfaces.as_slice() { Some(only) } else { None });
    let own = primary.and_then(|interface| interface.subnet_id.as_ref()).or(patient.instance.subnet_id.as_ref());
    let details = region.files.endpoint_services.iter().flat_map(|file| &file.service_details);
    let mut of_service = details.into_iter().filter(|detail| detail.service_name.as_deref() == Some(service_name));
    let zones = of_service.next().map(|detail| detail.availability_zones.as_slice()).filter(|zones| !zones.is_empty());
    let is_offered = |zone: Option<&String>| zones.is_none_or(|zones| zone.is_none_or(|zone| zones.contains(zone)));
    if let Some(own) = own
        && is_offered(region.subnet(own).known().and_then(|subnet| subnet.availability_zone.as_ref()))
    {
        return Some(own.clone());
    }
    let all = region.files.subnets.iter().flat_map(|file| &file.subnets);
    let of_vpc = all.into_iter().filter(|subnet| subnet.vpc_id.as_deref() == Some(vpc) && is_offered(subnet.availability_zone.as_ref()));
    of_vpc.filter_map(|subnet| subnet.subnet_id.clone()).min()
}

/// A VPC holds no two groups of the same name.
fn free_group_name(region: &Region<'_>, vpc: &str, service: &str) -> String {
    let groups = region.files.security_groups.iter().flat_map(|file| &file.security_groups);
    let of_vpc = groups.into_iter().filter(|group| group.vpc_id.as_deref() == Some(vpc));
    let taken: BTreeSet<String> = of_vpc.filter_map(|group| group.group_name.as_deref()).map(str::to_ascii_lowercase).collect();
    let usual = format!("{service}-endpoint");
    let numbered = (2..).map(|number| format!("{usual}-{number}"));
    std::iter::once(usual.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(usual)
}

fn allow_in_acl(patient: Patient<'_>, id: &str, is_egress: bool, addresses: &[String], ports: (u16, u16)) -> Change {
    let acls = patient.home(id).files.network_acls.iter().flat_map(|file| &file.network_acls);
    let found = acls.into_iter().find(|candidate| candidate.network_acl_id.as_deref() == Some(id));
    let addresses = found.map_or_else(|| addresses.to_vec(), |found| acl::blocks(found, is_egress, addresses));
    let rule_number = found.and_then(|found| acl::number(found, is_egress, &addresses, ports, &acl::Taken::new()));
    Change::AllowInNetworkAcl { acl: id.to_owned(), is_egress, addresses, ports, rule_number }
}

/// The instance profile that most instances of the Region use, among those whose role is known to have AWS's policy for managed nodes
/// and nothing that says administrator: what is proposed must let the agent in, and should give no more.
fn usual_profile(patient: Patient<'_>) -> Option<String> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for instance in Estate::instances(patient.region).values() {
        let arn = instance.iam_instance_profile.as_ref().and_then(|profile| profile.arn.as_deref());
        // The last part of the ARN is the name, whatever the path.
        if let Some(name) = arn.and_then(|arn| arn.rsplit('/').next()) {
            *uses.entry(name).or_default() += 1;
        }
    }
    let roles = patient.estate.snapshot.accounts.get(patient.region.account).and_then(|account| account.global.iam.as_ref());
    let fits = |role: &&RoleDetail| has_policy(role, "AmazonSSMManagedInstanceCore") && !has_policy(role, "AdministratorAccess");
    let fitting = roles.into_iter().flat_map(|file| &file.role_detail_list).filter(fits).flat_map(|role| &role.instance_profile_list);
    let fitting: BTreeSet<&str> = fitting.filter_map(|profile| profile.instance_profile_name.as_deref()).collect();
    uses.retain(|name, _| fitting.contains(name));
    uses.into_iter().max_by_key(|(name, count)| (*count, std::cmp::Reverse(*name))).map(|(name, _)| name.to_owned())
}
