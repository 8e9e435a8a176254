//! Judges one path: every answer that DNS may give, every way the routes may split it, every port the instance may use.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::dns::{self, Answer};
use super::endpoint_policy;
use super::local;
use super::network_acl;
use super::next_hop::{self, Denied, blame_acl};
use super::route::{self, NextHop};
use super::security_group::{self, Direction};
use super::set::{FlowSet, IntervalSet};
use super::source::{Source, group_ids};
use super::target::{self, Addresses};
use super::trace::{Reach, Sieve, Trace};
use super::verdict::{Blocker, Code, Decision, Destination, Hop, HopKind, Path, Place, Target, Verdict, Via};
use super::{Assumptions, PortFamily};
use crate::model::known::{Known, Unknown};
use crate::model::{address, is_word};
use crate::snapshot::ec2::VpcEndpoint;

const HTTPS: u16 = 443;

/// The verdict if the unknown facts were one certain way.
#[derive(Debug)]
struct World {
    verdict: Verdict,
    via: Via,
    blockers: Vec<Blocker>,
    unknowns: Vec<Unknown>,
    hops: Vec<Hop>,
    notes: Vec<String>,
}

pub(super) fn judge(source: &Source<'_, '_>, target: Target, ports: PortFamily, assumptions: Assumptions) -> Path {
    let host = target::host(source.region.name, target);
    let place = dns::Place {
        region: source.home,
        vpc: source.vpc,
        vpc_id: source.vpc_id,
        is_nitro: source.is_nitro,
        assume_no_overrides: assumptions.no_private_dns_overrides,
    };
    let mut resolution = dns::resolve(&place, target, &host);
    if let Some(why) = &source.owner_unseen {
        resolution.answers = vec![Answer::Anything];
        resolution.depends_on = vec![why.clone()];
        "the owner of the shared VPC was not scanned".clone_into(&mut resolution.because);
    }
    let mut worlds = Vec::new();
    for answer in &resolution.answers {
        for range in ports.ranges() {
            worlds.extend(judge_answer(source, target, answer, &resolution.because, &resolution.depends_on, *range));
        }
    }
    let mut doubts = resolution.depends_on;
    if ports.ranges().len() > 1 {
        let settled_by =
            "learn the operating system (register the instance, or use an image whose system is known): its ephemeral ports depend on it";
        doubts.push(Unknown::new("fact_not_collected", "the operating system", settled_by));
    }
    combine(target, host, worlds, doubts)
}

/// One verdict where all worlds agree, else unknown with what it depends on.
fn combine(target: Target, host: String, worlds: Vec<World>, doubts: Vec<Unknown>) -> Path {
    let verdicts: BTreeSet<Verdict> = worlds.iter().map(|world| world.verdict).collect();
    let agreed = if verdicts.len() == 1 { verdicts.first().copied() } else { None };
    let verdict = agreed.unwrap_or(Verdict::Unknown);
    let mut blockers: Vec<Blocker> = worlds.iter().flat_map(|world| world.blockers.iter().cloned()).collect();
    if verdict == Verdict::Unknown {
        // Only what blocks whichever way it is, is sure.
        blockers.retain(|blocker| worlds.iter().all(|world| world.blockers.contains(blocker)));
    }
    blockers.sort_by(|left, right| (rank(left), left).cmp(&(rank(right), right)));
    blockers.dedup();
    let mut unknowns = Vec::new();
    if verdict == Verdict::Unknown {
        if agreed.is_none() {
            unknowns.extend(doubts);
        }
        unknowns.extend(worlds.iter().flat_map(|world| world.unknowns.iter().cloned()));
    }
    unknowns.sort();
    unknowns.dedup();
    if verdict == Verdict::Unknown && unknowns.is_empty() {
        unknowns.push(Unknown::new("unexplained", host.clone(), "report this with the snapshot: the model should know why it cannot tell"));
    }
    let via = worlds.first().map_or(Via::None, |world| world.via);
    let mut notes: Vec<String> = worlds.iter().flat_map(|world| world.notes.iter().cloned()).collect();
    notes.sort();
    notes.dedup();
    let hops = worlds.into_iter().next().map(|world| world.hops).unwrap_or_default();
    Path { target, host, port: HTTPS, verdict, via, blockers, unknowns, hops, notes }
}

/// What to look at first: a broken endpoint, the name, the way out, the groups, the network ACLs.
fn rank(blocker: &Blocker) -> u8 {
    match (&blocker.place, blocker.code) {
        (Place::EndpointState { .. }, _) => 0,
        (
            _,
            Code::DnsCapturedByEndpoint | Code::DnsPrivateDnsOff | Code::DnsVpcAttributeOff | Code::DnsPhzNxdomain | Code::DnsNoResolver,
        ) => 1,
        (Place::InstanceEgress { .. }, _) => 3,
        (Place::EndpointIngress { .. }, _) => 4,
        (Place::NetworkAcl { .. }, _) => 5,
        (_, Code::EndpointMissing) => 6,
        _ => 2,
    }
}

fn judge_answer(
    source: &Source<'_, '_>,
    target: Target,
    answer: &Answer<'_>,
    because: &str,
    doubts: &[Unknown],
    range: (u32, u32),
) -> Vec<World> {
    let host = target::host(source.region.name, target);
    match answer {
        Answer::NoSuchName { zone } => {
            let host = target::asked_host(source.region.name, target);
            let detail = format!("claims {host} as a private hosted zone and has no record for it, so the public name is never asked");
            vec![World::nameless(Code::DnsPhzNxdomain, zone, detail, Place::Other)]
        }
        Answer::NoResolver { is_switched_off: true } => {
            let place = Place::VpcAttribute { vpc: source.vpc_id.to_owned(), attribute: "enableDnsSupport" };
            vec![World::nameless(
                Code::DnsVpcAttributeOff,
                source.vpc_id,
                "has enableDnsSupport off, so no name resolves".to_owned(),
                place,
            )]
        }
        Answer::NoResolver { is_switched_off: false } => {
            let detail =
                "has DHCP options without a DNS server, and the instance runs on the Xen hypervisor, so no name resolves".to_owned();
            vec![World::nameless(Code::DnsNoResolver, source.vpc_id, detail, Place::Other)]
        }
        Answer::Anything => {
            let mut trace = Trace::new(IntervalSet::everything(), range, false);
            trace.hop(HopKind::Name, &host, Decision::Unknown, because);
            trace.doubt(doubts.iter().cloned());
            // The name may lead to an endpoint, whose interfaces may carry any group, in the instance's own subnet, where no network ACL counts.
            leave_interface(&mut trace, source, &Destination::Internet, &|_| IntervalSet::everything());
            vec![World::of(&[trace], &IntervalSet::everything(), false, Vec::new())]
        }
        Answer::Endpoint(endpoint) => to_endpoint(source, target, endpoint, &host, because, range),
        Answer::Public => to_public(source, target, &host, because, range),
    }
}

impl World {
    fn nameless(code: Code, resource: &str, detail: String, place: Place) -> Self {
        let hop = Hop { resource: resource.to_owned(), kind: HopKind::Name, decision: Decision::Block, because: detail.clone() };
        Self {
            verdict: Verdict::Blocked,
            via: Via::None,
            blockers: vec![Blocker { code, resource: resource.to_owned(), detail, place }],
            unknowns: Vec::new(),
            hops: vec![hop],
            notes: Vec::new(),
        }
    }

    fn of(traces: &[Trace], target: &IntervalSet, is_exact: bool, first_hops: Vec<Hop>) -> Self {
        let reach = traces.iter().fold(Reach::default(), |sum, trace| sum.union(&trace.reach()));
        let verdict = reach.verdict(target, is_exact);
        let mut unknowns: Vec<Unknown> = traces.iter().flat_map(|trace| trace.unknowns.iter().cloned()).collect();
        if verdict == Verdict::Unknown && !is_exact && unknowns.is_empty() && reach.is_part_of(target) {
            let taken: IntervalSet =
                target.difference(&traces.iter().fold(IntervalSet::empty(), |sum, trace| sum.union(&trace.passing().1)));
            unknowns.push(Unknown::new(
                "partial_public_range",
                taken.as_addresses(),
                "let the traffic go to every public address, or use an endpoint: the service answers from addresses that AWS may change",
            ));
        }
        let carrier = traces.iter().max_by_key(|trace| (trace.addresses.len(), std::cmp::Reverse(trace.via)));
        Self {
            verdict,
            via: carrier.map_or(Via::None, |trace| trace.via),
            blockers: traces.iter().flat_map(|trace| trace.blockers.iter().cloned()).collect(),
            unknowns,
            hops: first_hops.into_iter().chain(traces.iter().flat_map(|trace| trace.hops.iter().cloned())).collect(),
            notes: traces.iter().flat_map(|trace| trace.notes.iter().cloned()).collect(),
        }
    }
}

/// To the public addresses of a service, over whatever the subnet's routes say.
fn to_public(source: &Source<'_, '_>, target: Target, host: &str, because: &str, range: (u32, u32)) -> Vec<World> {
    let Addresses { set, is_exact, destination } = target::public_addresses(source.home, target);
    let avoids_aws_lists = target != Target::S3;
    let name =
        Hop { resource: host.to_owned(), kind: HopKind::Name, decision: Decision::Pass, because: format!("public addresses: {because}") };
    let mut worlds = Vec::new();
    match source.home.route_table(source.subnet_id, source.vpc_id) {
        Known::Unknown(why) => {
            let mut trace = Trace::new(set.clone(), range, avoids_aws_lists);
            leave_interface(&mut trace, source, &destination, &|_| IntervalSet::empty());
            cross_subnet_boundary(&mut trace, source);
            trace.doubt(why);
            worlds.push(World::of(&[trace], &set, is_exact, vec![name]));
        }
        Known::Known(table) => {
            let table_id = table.route_table_id.as_deref().unwrap_or_default();
            for split in route::split(source.home, table, &source.vpc_nets, &set, avoids_aws_lists) {
                let mut traces = Vec::new();
                for share in &split.shares {
                    let mut trace = Trace::new(share.addresses.clone(), range, avoids_aws_lists);
                    leave_interface(&mut trace, source, &destination, &|_| IntervalSet::empty());
                    if !matches!(share.next_hop, NextHop::Local) {
                        cross_subnet_boundary(&mut trace, source);
                    }
                    next_hop::follow(&mut trace, source, share, table_id, target);
                    traces.push(trace);
                }
                let mut world = World::of(&traces, &set, is_exact, vec![name.clone()]);
                if world.verdict == Verdict::Unknown {
                    world.unknowns.extend(split.depends_on);
                }
                worlds.push(world);
            }
            let agree = worlds.windows(2).all(|pair| matches!(pair, [left, right] if left.verdict == right.verdict));
            if !agree {
                let depends_on: Vec<Unknown> = route::split(source.home, table, &source.vpc_nets, &set, avoids_aws_lists)
                    .into_iter()
                    .flat_map(|split| split.depends_on)
                    .collect();
                for world in &mut worlds {
                    world.unknowns.extend(depends_on.iter().cloned());
                }
            }
        }
    }
    for world in &mut worlds {
        explain_public_answer(world, source, target);
    }
    worlds
}

/// Where the public answer leads nowhere, says why no endpoint answered instead.
fn explain_public_answer(world: &mut World, source: &Source<'_, '_>, target: Target) {
    let lacks_way_out = world.blockers.iter().any(|blocker| {
        !matches!(blocker.place, Place::InstanceEgress { .. } | Place::NetworkAcl { .. } | Place::VpcAttribute { .. })
            && blocker.code != Code::PrefixListPartial
    });
    if !matches!(world.verdict, Verdict::Blocked | Verdict::Partial) || !lacks_way_out {
        return;
    }
    let Known::Known(endpoints) = source.home.endpoints(source.vpc_id) else { return };
    let serving: Vec<&&VpcEndpoint> = endpoints.iter().filter(|endpoint| dns::serves(endpoint, target, source.home.name)).collect();
    let mut add =
        |code, resource: &str, detail: String, place| world.blockers.push(Blocker { code, resource: resource.to_owned(), detail, place });
    let vpc = source.vpc_id;
    if serving.is_empty() {
        let kind = if target == Target::S3 { "gateway endpoint" } else { "interface endpoint" };
        let detail = format!("has no {kind} for {}", target.service());
        add(Code::EndpointMissing, vpc, detail, Place::NoEndpoint { vpc: vpc.to_owned() });
    }
    for endpoint in serving.into_iter().filter(|endpoint| is_word(endpoint.vpc_endpoint_type.as_ref(), "Interface")) {
        let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
        if dns::is_down(endpoint) {
            let state = endpoint.state.as_deref().unwrap_or_default();
            add(Code::BadState, id, format!("is {state}, not available"), Place::EndpointState { endpoint: id.to_owned() });
        } else if endpoint.private_dns_enabled == Some(false) {
            if target != Target::S3 {
                let detail = "has private DNS off, so the service's name leads to public addresses".to_owned();
                add(Code::DnsPrivateDnsOff, id, detail, Place::PrivateDns { endpoint: id.to_owned() });
            }
        } else {
            let attributes = [("enableDnsSupport", source.home.dns_support(vpc)), ("enableDnsHostnames", source.home.dns_hostnames(vpc))];
            for (attribute, _) in attributes.into_iter().filter(|(_, value)| value.is(&false)) {
                let detail = format!("has {attribute} off, so private DNS of {id} has no effect");
                add(Code::DnsVpcAttributeOff, vpc, detail, Place::VpcAttribute { vpc: vpc.to_owned(), attribute });
            }
        }
    }
}

/// To the private addresses of an interface endpoint in the VPC: each of its interfaces is an answer that DNS may give.
fn to_endpoint(
    source: &Source<'_, '_>,
    target: Target,
    endpoint: &VpcEndpoint,
    host: &str,
    because: &str,
    range: (u32, u32),
) -> Vec<World> {
    let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    let mut ends = Vec::new();
    let mut missing = Vec::new();
    for interface in &endpoint.network_interface_ids {
        match source.home.interface(interface) {
            Known::Known(interface) => match (address(interface.private_ip_address.as_ref()), interface.subnet_id.as_deref()) {
                (Some(address), Some(subnet)) => {
                    let groups = if interface.groups.is_empty() { group_ids(&endpoint.groups) } else { group_ids(&interface.groups) };
                    ends.push(End { address, subnet: subnet.to_owned(), groups });
                }
                _ => missing.push(Unknown::new(
                    "fact_not_collected",
                    id,
                    "collect ec2-describe-network-interfaces.json again: an address or subnet is missing",
                )),
            },
            Known::Unknown(why) => missing.extend(why),
        }
    }
    if ends.is_empty() && missing.is_empty() {
        missing.push(Unknown::new(
            "fact_not_collected",
            id,
            "collect ec2-describe-vpc-endpoints.json again: the endpoint shows no network interfaces",
        ));
    }
    let name = Hop { resource: host.to_owned(), kind: HopKind::Name, decision: Decision::Pass, because: because.to_owned() };
    if !missing.is_empty() {
        let mut trace = Trace::new(IntervalSet::everything(), range, false);
        trace.doubt(missing);
        leave_interface(&mut trace, source, &Destination::Groups(group_ids(&endpoint.groups)), &|_| IntervalSet::everything());
        trace.via = Via::InterfaceEndpoint;
        return vec![World::of(&[trace], &IntervalSet::everything(), false, vec![name])];
    }
    ends.sort_by_key(|end| end.address);
    let members = |group: &str| {
        let carriers = ends.iter().filter(|end| end.groups.iter().any(|own| own == group));
        carriers.fold(IntervalSet::empty(), |sum, end| sum.union(&IntervalSet::address(end.address)))
    };
    let mut traces = Vec::new();
    let mut all = IntervalSet::empty();
    for end in &ends {
        let addresses = IntervalSet::address(end.address);
        all = all.union(&addresses);
        let mut trace = Trace::new(addresses, range, false);
        trace.via = Via::InterfaceEndpoint;
        leave_interface(&mut trace, source, &Destination::Groups(end.groups.clone()), &members);
        if end.subnet != source.subnet_id {
            cross_subnet_boundary(&mut trace, source);
            let there = trace.addresses.clone();
            local::stays_local(&mut trace, source, source.home.route_table(source.subnet_id, source.vpc_id), &there);
            acl_of_endpoint_subnet(&mut trace, source, &end.subnet);
            let back = IntervalSet::address(source.address);
            local::stays_local(&mut trace, source, source.home.route_table(&end.subnet, source.vpc_id), &back);
        }
        enter_endpoint(&mut trace, source, id, end);
        trace.doubt_if(endpoint_policy::doubt(endpoint, target));
        traces.push(trace);
    }
    let mut world = World::of(&traces, &all, true, vec![name]);
    if matches!(world.verdict, Verdict::Blocked | Verdict::Partial) {
        let public = to_public(source, target, host, because, range);
        if !public.is_empty() && public.iter().all(|world| world.verdict == Verdict::Reachable) {
            let detail =
                format!("takes {host} for all of {} with its private DNS, so the public way, which would work, is not used", source.vpc_id);
            world.blockers.push(Blocker {
                code: Code::DnsCapturedByEndpoint,
                resource: id.to_owned(),
                detail,
                place: Place::PrivateDns { endpoint: id.to_owned() },
            });
        }
    }
    vec![world]
}

/// One network interface of an endpoint.
struct End {
    address: Ipv4Addr,
    subnet: String,
    groups: Vec<String>,
}

/// The instance's security groups, outbound.
fn leave_interface(trace: &mut Trace, source: &Source<'_, '_>, to: &Destination, members: security_group::Members<'_>) {
    let allowed = security_group::allowed(source.region, &source.groups, Direction::Egress, HTTPS, members);
    let taken = trace.sift(&allowed.sieve);
    let resource = source.groups.first().map_or(source.interface, String::as_str);
    let groups = source.groups.join(", ");
    if !allowed.unknowns.is_empty() && !trace.addresses.difference(&allowed.sieve.must).is_empty() {
        trace.unknowns.extend(allowed.unknowns.iter().cloned());
    }
    if taken.is_empty() {
        let is_sure = trace.addresses.difference(&allowed.sieve.must).is_empty();
        let (decision, because) =
            if is_sure { (Decision::Pass, "a rule lets TCP 443 out") } else { (Decision::Unknown, "a rule may let TCP 443 out") };
        trace.hop(HopKind::SecurityGroup, &groups, decision, because);
        return;
    }
    let is_part = trace.decision(&taken) == Decision::Part;
    let (code, detail) = if allowed.has_no_rules {
        (Code::SgHasNoRules, "has no outbound rule".to_owned())
    } else if taken.difference(&allowed.with_other_protocol).is_empty() {
        (Code::ProtocolRestriction, format!("lets another protocol or port out to {}, not TCP 443", trace.describe(&taken)))
    } else if is_part && matches!(to, Destination::PrefixList(_)) {
        (Code::PrefixListPartial, format!("lets TCP 443 out to a part of the prefix list only, not to {}", trace.describe(&taken)))
    } else {
        (Code::EniSgRulesMismatch, format!("has no outbound rule for TCP 443 to {}", far_end(to, &taken)))
    };
    trace.hop(HopKind::SecurityGroup, &groups, trace.decision(&taken), detail.clone());
    let place = Place::InstanceEgress { groups: source.groups.clone(), to: to.clone() };
    trace.blame(code, resource, detail, place);
}

fn far_end(to: &Destination, taken: &IntervalSet) -> String {
    match to {
        Destination::PrefixList(id) => format!("prefix list {id}"),
        Destination::Groups(groups) => format!("the endpoint at {} ({})", taken.as_addresses(), groups.join(", ")),
        Destination::Internet => "the service's public addresses".to_owned(),
    }
}

/// The network ACL of the instance's subnet: out to the service, back in to the instance's ephemeral ports.
fn cross_subnet_boundary(trace: &mut Trace, source: &Source<'_, '_>) {
    let acl = match source.home.network_acl(source.subnet_id) {
        Known::Known(acl) => acl,
        Known::Unknown(why) => {
            trace.hop(HopKind::NetworkAcl, source.subnet_id, Decision::Unknown, "the network ACL of the subnet is not known");
            trace.doubt(why);
            return;
        }
    };
    let id = acl.network_acl_id.as_deref().unwrap_or_default();
    let https = IntervalSet::range(u32::from(HTTPS), u32::from(HTTPS));
    let addresses = trace.addresses.clone();
    let ports = trace.ports.clone();
    match (network_acl::filter(acl, true, &addresses, &https), network_acl::filter(acl, false, &addresses, &ports)) {
        (Known::Known(out), Known::Known(back)) => {
            let taken = trace.sift(&Sieve::known(out.allowed.addresses()));
            if taken.is_empty() {
                trace.hop(HopKind::NetworkAcl, id, Decision::Pass, "lets TCP 443 out");
            } else {
                blame_acl(
                    trace,
                    acl,
                    &Denied { is_egress: true, addresses: &taken, ports: &https, asked: &https, deniers: &out.deniers() },
                );
            }
            let taken = trace.sift_flows(&back.allowed);
            if taken.is_empty() {
                trace.hop(HopKind::NetworkAcl, id, Decision::Pass, "lets the answers back in");
            } else {
                let denied = Denied {
                    is_egress: false,
                    addresses: &taken.addresses(),
                    ports: &taken.ports(),
                    asked: &ports,
                    deniers: &back.deniers(),
                };
                blame_acl(trace, acl, &denied);
            }
        }
        (out, back) => {
            trace.hop(HopKind::NetworkAcl, id, Decision::Unknown, "an entry cannot be read");
            trace.doubt(out.reasons().iter().chain(back.reasons()).cloned().collect::<Vec<_>>());
        }
    }
}

/// The network ACL of an endpoint's subnet: in from the instance, back out to its ephemeral ports.
fn acl_of_endpoint_subnet(trace: &mut Trace, source: &Source<'_, '_>, subnet: &str) {
    let acl = match source.home.network_acl(subnet) {
        Known::Known(acl) => acl,
        Known::Unknown(why) => {
            trace.doubt(why);
            return;
        }
    };
    let https = IntervalSet::range(u32::from(HTTPS), u32::from(HTTPS));
    let instance = IntervalSet::address(source.address);
    let (addresses, ports) = (trace.addresses.clone(), trace.ports.clone());
    match (network_acl::filter(acl, false, &instance, &https), network_acl::filter(acl, true, &instance, &ports)) {
        (Known::Known(entering), Known::Known(back)) => {
            if entering.allowed.is_empty() {
                trace.sift(&Sieve::nothing());
                blame_acl(
                    trace,
                    acl,
                    &Denied { is_egress: false, addresses: &instance, ports: &https, asked: &https, deniers: &entering.deniers() },
                );
            }
            let taken = trace.sift_flows(&FlowSet::product(&addresses, &back.allowed.ports()));
            if !taken.is_empty() {
                let denied =
                    Denied { is_egress: true, addresses: &instance, ports: &taken.ports(), asked: &ports, deniers: &back.deniers() };
                blame_acl(trace, acl, &denied);
            }
        }
        (entering, back) => trace.doubt(entering.reasons().iter().chain(back.reasons()).cloned().collect::<Vec<_>>()),
    }
}

/// The endpoint's security groups, inbound. Its outbound rules play no part: answers to tracked connections always pass.
fn enter_endpoint(trace: &mut Trace, source: &Source<'_, '_>, endpoint: &str, end: &End) {
    let instance = source.address;
    let members =
        |group: &str| if source.groups.iter().any(|own| own == group) { IntervalSet::address(instance) } else { IntervalSet::empty() };
    let allowed = security_group::allowed(source.home, &end.groups, Direction::Ingress, HTTPS, &members);
    let groups = end.groups.join(", ");
    match allowed.allows(instance) {
        Some(true) => trace.hop(HopKind::InterfaceEndpoint, endpoint, Decision::Pass, format!("{groups} lets {instance} in on TCP 443")),
        None => {
            trace.hop(HopKind::InterfaceEndpoint, endpoint, Decision::Unknown, format!("whether {groups} lets {instance} in is not known"));
            trace.doubt(allowed.unknowns);
        }
        Some(false) => {
            let (code, detail) = if allowed.has_no_rules {
                (Code::SgHasNoRules, format!("has no inbound rule, and guards {endpoint}"))
            } else if allowed.with_other_protocol.contains(instance.to_bits()) {
                (
                    Code::ProtocolRestriction,
                    format!("lets {instance} in with another protocol or port, not with TCP 443, and guards {endpoint}"),
                )
            } else {
                (Code::EniSgRulesMismatch, format!("has no inbound rule for TCP 443 from {instance}, and guards {endpoint}"))
            };
            trace.hop(HopKind::InterfaceEndpoint, endpoint, Decision::Block, detail.clone());
            let place = Place::EndpointIngress {
                endpoint: endpoint.to_owned(),
                groups: end.groups.clone(),
                from_address: instance.to_string(),
                from_groups: source.groups.clone(),
            };
            let resource = end.groups.first().map_or(endpoint, String::as_str);
            trace.block(code, resource, detail, place);
        }
    }
}
