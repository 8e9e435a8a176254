//! Instances that no rule tells apart are judged once: those of one subnet, with the same groups, whose addresses lie on the same side of every
//! block and address that the network's configuration names.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::dns;
use super::goal::Goal;
use super::path;
use super::repository::{self, Wanted};
use super::set::IntervalSet;
use super::source::Source;
use super::verdict::{Authorization, Blocker, Code, Path, Place, Target, Verdict, Via, assumption};
use super::{Judged, Needs, PortFamily, nowhere};
use crate::model::known::Known;
use crate::model::{Assumptions, Estate, Region};
use crate::snapshot::ec2::Instance;

/// Judges the paths of instances, each class of them once.
#[derive(Debug)]
pub struct Network<'r, 'a> {
    estate: &'r Estate<'a>,
    assumptions: &'r Assumptions,
    /// Where an address begins to be told apart from the one below it, in order.
    cuts: Vec<u128>,
    classes: RefCell<HashMap<Class<'a>, Members>>,
}

/// What decides the paths of an instance, but for the goal and the ephemeral ports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Class<'a> {
    account: &'a str,
    region: &'a str,
    subnet: &'a str,
    groups: Vec<String>,
    has_public_address: bool,
    is_at_rest: bool,
    is_nitro: Option<bool>,
    is_ipv6: bool,
    /// How many cuts lie at or below the address.
    atom: usize,
}

/// The paths of a class, told of nobody: where a member is named a placeholder stands.
#[derive(Debug, Default)]
struct Members {
    paths: HashMap<(Goal, PortFamily, bool), Arc<Path>>,
    /// Of the names of the snapshots' bucket, which DNS tells apart from the others of S3.
    told_apart: Option<Vec<bool>>,
}

/// How texts name an instance's own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spelling {
    address: String,
    interface: String,
}

impl Spelling {
    fn of(source: &Source<'_, '_>) -> Self {
        Self { address: source.address.to_string(), interface: source.interface.to_owned() }
    }

    /// What no snapshot has for an address or an id, and no path for a part of another word.
    fn placeholder() -> Self {
        Self { address: "\u{1}address\u{1}".to_owned(), interface: "\u{1}interface\u{1}".to_owned() }
    }
}

impl<'r, 'a> Network<'r, 'a> {
    pub fn new(estate: &'r Estate<'a>, assumptions: &'r Assumptions) -> Self {
        Self { estate, assumptions, cuts: cuts(estate), classes: RefCell::default() }
    }

    /// Forgets the classes that were judged, so that the next instance is judged by itself: for measurements.
    pub fn forget(&self) {
        self.classes.borrow_mut().clear();
    }

    /// Judges the instance's paths.
    pub fn judge(&self, region: &'r Region<'a>, instance: &'a Instance, needs: &Needs) -> Judged {
        let source = Source::of(self.estate, region, instance);
        let others = Source::others(self.estate, region, instance);
        let over_ipv6 = source.known().and_then(Source::over_ipv6);
        let mut path_to = |goal: &Goal| match &source {
            Known::Known(source) => {
                let mut path = self.path(source, goal, needs.ports);
                for other in &others {
                    let remark = disagreement(source, other, path.verdict, self.path(other, goal, needs.ports).verdict);
                    Arc::make_mut(&mut path).notes.extend(remark);
                }
                if let Some(over_ipv6) = &over_ipv6 {
                    // A name without an IPv6 address is asked for over IPv4 anyway.
                    let of_ipv6 = (goal.has_ipv6 != Some(false)).then(|| self.path(over_ipv6, goal, needs.ports).verdict);
                    let remark = beside_ipv4(source, goal, path.verdict, of_ipv6);
                    Arc::make_mut(&mut path).notes.extend(remark);
                }
                self.blame_port_80(&mut path, source, goal, needs.ports);
                path
            }
            Known::Unknown(why) => Arc::new(nowhere(goal, why)),
        };
        let mut paths: Vec<Arc<Path>> =
            Target::CHANNELS.iter().map(|target| path_to(&Goal::of_service(region.name, *target, None))).collect();
        let ec2messages = needs.ec2messages;
        let ssmmessages_works = paths.iter().any(|path| path.target == Target::SsmMessages && path.verdict == Verdict::Reachable);
        if !ec2messages.exists || (ec2messages.agent_prefers_ssmmessages && ssmmessages_works) {
            let why = if ec2messages.exists {
                "The agent uses ssmmessages, which it reaches, and needs no ec2messages.".to_owned()
            } else {
                format!("{} has no ec2messages.", region.name)
            };
            for path in paths.iter_mut().filter(|path| path.target == Target::Ec2Messages) {
                *path = Arc::new(not_needed(path, why.clone()));
            }
        }
        let mut of_snapshot = source.known().map(|source| self.told_apart(source, needs)).unwrap_or_default();
        // A name that may not be asked for at all is worth telling where it fails.
        of_snapshot.retain(|wanted| {
            let path = wanted.perhaps.as_ref().map(|_| path_to(&wanted.goal));
            path.is_none_or(|path| path.verdict != Verdict::Reachable || path.authorization != Authorization::Allowed)
        });
        let of_s3 = needs.of_s3(region.name).into_iter().chain(of_snapshot).collect();
        let (to_s3, s3) = repository::judge_all(of_s3, &mut path_to);
        let (to_buckets, policy_buckets) = repository::judge_all(needs.of_policy_buckets(region.name), &mut path_to);
        let policy_buckets = (!to_buckets.is_empty()).then_some(policy_buckets);
        let (to_repositories, repository) = repository::judge(&needs.sources, path_to);
        paths.extend(to_s3.into_iter().chain(to_buckets).chain(to_repositories));
        Judged { paths, s3, policy_buckets, repository }
    }

    fn class(&self, source: &Source<'r, 'a>) -> Class<'a> {
        Class {
            account: source.region.account,
            region: source.region.name,
            subnet: source.position.subnet_id(),
            groups: source.groups.clone(),
            has_public_address: source.has_public_address,
            is_at_rest: source.is_at_rest,
            is_nitro: source.is_nitro,
            is_ipv6: source.address.is_ipv6(),
            atom: self.cuts.partition_point(|cut| *cut <= IntervalSet::number(source.address)),
        }
    }

    /// The path of one interface, judged with its class.
    fn path(&self, source: &Source<'r, 'a>, goal: &Goal, ports: PortFamily) -> Arc<Path> {
        let (own, anybody) = (Spelling::of(source), Spelling::placeholder());
        let mut classes = self.classes.borrow_mut();
        let members = classes.entry(self.class(source)).or_default();
        // Who is the target itself is no neighbour of the others.
        let key = (goal.clone(), ports, goal.is_at(source.address));
        let of_class = members.paths.entry(key).or_insert_with(|| {
            let path = path::judge(source, goal, ports, self.assumptions);
            Arc::new(path.respelt(&own, &anybody))
        });
        if of_class.names(&anybody) { Arc::new(of_class.respelt(&anybody, &own)) } else { Arc::clone(of_class) }
    }

    /// The bucket of the snapshots, where DNS answers for it otherwise than for the others of S3.
    fn told_apart(&self, source: &Source<'r, 'a>, needs: &Needs) -> Vec<Wanted> {
        let region = source.region.name;
        let snapshots = needs.of_snapshots(region);
        let mut classes = self.classes.borrow_mut();
        let members = classes.entry(self.class(source)).or_default();
        let are_told_apart = members.told_apart.get_or_insert_with(|| {
            let others = Goal::of_service(region, Target::S3, needs.buckets.as_ref());
            let place = path::place(source, self.assumptions);
            let of_others = dns::resolve(&place, &others).answers;
            snapshots.iter().map(|wanted| dns::resolve(&place, &wanted.goal).answers != of_others).collect()
        });
        snapshots.into_iter().zip(are_told_apart).filter_map(|(wanted, is_told_apart)| is_told_apart.then_some(wanted)).collect()
    }

    /// A rule that lets HTTPS out and not HTTP is the usual reason why packages do not come, and has a name of its own.
    fn blame_port_80(&self, path: &mut Arc<Path>, source: &Source<'r, 'a>, goal: &Goal, ports: PortFamily) {
        let is_of_port = |blocker: &Blocker| matches!(blocker.place, Place::InstanceEgress { .. } | Place::NetworkAcl { .. });
        if path.target != Target::Repository || path.port != 80 || !path.blockers.iter().any(is_of_port) {
            return;
        }
        if self.path(source, &Goal { port: 443, ..goal.clone() }, ports).verdict == Verdict::Reachable {
            let blockers = Arc::make_mut(path).blockers.iter_mut();
            blockers.filter(|blocker| is_of_port(blocker)).for_each(|blocker| blocker.code = Code::RepoPort80Blocked);
        }
    }
}

fn not_needed(path: &Path, why: String) -> Path {
    Path {
        verdict: Verdict::NotNeeded,
        via: Via::None,
        blockers: Vec::new(),
        unknowns: Vec::new(),
        hops: Vec::new(),
        authorization: Authorization::Allowed,
        notes: vec![why],
        ..path.clone()
    }
}

/// The primary interface decides; that another one would decide differently is worth a remark (decision 6 of docs/reachability.md).
fn disagreement(source: &Source<'_, '_>, other: &Source<'_, '_>, verdict: Verdict, of_other: Verdict) -> Option<String> {
    (verdict != of_other).then(|| {
        let (other, of_other, own, verdict) = (other.interface, of_other.as_str(), source.interface, verdict.as_str());
        let what =
            format!("the instance's other interface {other} would be {of_other}; its primary interface {own} decides, which is {verdict}");
        assumption(104, &what)
    })
}

/// IPv4 decides where there is any; that IPv6 is there too, and what it would change, is worth a remark (decision 10 of docs/reachability.md).
fn beside_ipv4(source: &Source<'_, '_>, goal: &Goal, verdict: Verdict, of_ipv6: Option<Verdict>) -> Option<String> {
    let interface = source.interface;
    match of_ipv6.filter(|of_ipv6| *of_ipv6 != verdict) {
        Some(of_ipv6) => {
            let (host, port, of_ipv6, verdict) = (&goal.host, goal.port, of_ipv6.as_str(), verdict.as_str());
            let condition = if goal.has_ipv6.is_none() { ", if the name has an IPv6 address" } else { "" };
            Some(format!(
                "{host}:{port} would be {of_ipv6} over IPv6, which {interface} has too{condition}; IPv4 decides, by which it is {verdict}."
            ))
        }
        // Said once for all paths.
        None => (goal.target == Target::Ssm).then(|| format!("{interface} has an IPv6 address too; its paths are judged over IPv4.")),
    }
}

impl Path {
    fn texts(&self) -> impl Iterator<Item = &String> {
        let of_blockers = self
            .blockers
            .iter()
            .flat_map(|blocker| [&blocker.resource, &blocker.detail].into_iter().chain(&blocker.when).chain(blocker.place.texts()));
        let of_unknowns = self.unknowns.iter().flat_map(|unknown| [&unknown.resource, &unknown.settled_by]);
        let of_hops = self.hops.iter().flat_map(|hop| [&hop.resource, &hop.because].into_iter().chain(&hop.way));
        of_blockers.chain(of_unknowns).chain(of_hops).chain(&self.notes)
    }

    fn names(&self, spelling: &Spelling) -> bool {
        let is_in = |text: &str, word: &str| !word.is_empty() && text.contains(word);
        self.texts().any(|text| is_in(text, &spelling.address) || is_in(text, &spelling.interface))
    }

    fn respelt(&self, from: &Spelling, to: &Spelling) -> Self {
        let mut path = self.clone();
        let change = |text: &mut String| {
            if text.contains(&from.address) {
                *text = replace_word(text, &from.address, &to.address);
            }
            if text.contains(&from.interface) {
                *text = replace_word(text, &from.interface, &to.interface);
            }
        };
        for blocker in &mut path.blockers {
            change(&mut blocker.resource);
            change(&mut blocker.detail);
            blocker.when.iter_mut().for_each(change);
            blocker.place.texts_mut().into_iter().for_each(change);
        }
        for unknown in &mut path.unknowns {
            change(&mut unknown.resource);
            change(&mut unknown.settled_by);
        }
        for hop in &mut path.hops {
            change(&mut hop.resource);
            change(&mut hop.because);
            hop.way.iter_mut().for_each(change);
        }
        path.notes.iter_mut().for_each(change);
        path
    }
}

impl Place {
    /// The texts in it that may name the instance's own address or interface.
    fn texts(&self) -> Vec<&String> {
        match self {
            Self::EndpointIngress { from_address, .. } => vec![from_address],
            Self::NetworkAcl { addresses, .. } => addresses.iter().collect(),
            Self::PublicAddress { interface } => vec![interface],
            _ => Vec::new(),
        }
    }

    fn texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::EndpointIngress { from_address, .. } => vec![from_address],
            Self::NetworkAcl { addresses, .. } => addresses.iter_mut().collect(),
            Self::PublicAddress { interface } => vec![interface],
            _ => Vec::new(),
        }
    }
}

/// Replaces an address or id where it stands alone: not as a part of a longer one.
fn replace_word(text: &str, from: &str, to: &str) -> String {
    // An instance whose file tells no id has nothing to replace.
    if from.is_empty() {
        return text.to_owned();
    }
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == ':' || c == '-';
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        let begins = before.chars().next_back().or_else(|| result.chars().next_back()).is_none_or(|c| !goes_on(c));
        let mut following = after.chars();
        let ends = match following.next() {
            // The end of a sentence, or of a part of one, is no part of an address.
            Some('.' | ':') => following.next().is_none_or(char::is_whitespace),
            next => next.is_none_or(|c| !goes_on(c)),
        };
        result.push_str(before);
        result.push_str(if begins && ends { to } else { from });
        rest = after;
    }
    result.push_str(rest);
    result
}

/// Every block and address that the configuration of any network names: an instance's own verdict can differ from its neighbour's only where one
/// of them lies between the two.
fn cuts(estate: &Estate<'_>) -> Vec<u128> {
    let mut cuts = Vec::new();
    let mut cut = |text: Option<&String>| {
        let Some(text) = text else { return };
        let ranges = match (text.parse(), text.parse::<IpAddr>()) {
            (Ok(net), _) => IntervalSet::net(net),
            (_, Ok(address)) => IntervalSet::address(address),
            _ => return,
        };
        cuts.extend(ranges.bounds());
    };
    for region in estate.regions() {
        let files = region.files;
        for permission in files
            .security_groups
            .iter()
            .flat_map(|file| &file.security_groups)
            .flat_map(|group| group.ip_permissions.iter().chain(&group.ip_permissions_egress))
        {
            permission.ip_ranges.iter().for_each(|range| cut(range.cidr_ip.as_ref()));
            permission.ipv6_ranges.iter().for_each(|range| cut(range.cidr_ipv6.as_ref()));
        }
        for entry in files.network_acls.iter().flat_map(|file| &file.network_acls).flat_map(|acl| &acl.entries) {
            cut(entry.cidr_block.as_ref());
            cut(entry.ipv6_cidr_block.as_ref());
        }
        for route in files.route_tables.iter().flat_map(|file| &file.route_tables).flat_map(|table| &table.routes) {
            cut(route.destination_cidr_block.as_ref());
            cut(route.destination_ipv6_cidr_block.as_ref());
        }
        for list in files.prefix_lists.iter().flat_map(|file| &file.prefix_lists) {
            list.cidrs.iter().for_each(|cidr| cut(Some(cidr)));
        }
        for entry in files.prefix_list_entries.iter().flat_map(|file| file.prefix_list_entries.values().flatten()) {
            cut(entry.cidr.as_ref());
        }
        for route in files.transit_gateway_routes.iter().flat_map(|file| file.transit_gateway_routes.values().flatten()) {
            cut(route.destination_cidr_block.as_ref());
        }
        for vpc in files.vpcs.iter().flat_map(|file| &file.vpcs) {
            cut(vpc.cidr_block.as_ref());
            vpc.cidr_block_association_set.iter().for_each(|block| cut(block.cidr_block.as_ref()));
            vpc.ipv6_cidr_block_association_set.iter().for_each(|block| cut(block.ipv6_cidr_block.as_ref()));
        }
        for subnet in files.subnets.iter().flat_map(|file| &file.subnets) {
            cut(subnet.cidr_block.as_ref());
            subnet.ipv6_cidr_block_association_set.iter().for_each(|block| cut(block.ipv6_cidr_block.as_ref()));
        }
        for side in files
            .peering_connections
            .iter()
            .flat_map(|file| &file.vpc_peering_connections)
            .flat_map(|connection| connection.accepter_vpc_info.iter().chain(&connection.requester_vpc_info))
        {
            cut(side.cidr_block.as_ref());
            side.cidr_block_set.iter().for_each(|block| cut(block.cidr_block.as_ref()));
            side.ipv6_cidr_block_set.iter().for_each(|block| cut(block.ipv6_cidr_block.as_ref()));
        }
        // Addresses by themselves appear in texts, and must not be taken there for an instance's.
        for options in files.dhcp_options.iter().flat_map(|file| &file.dhcp_options).flat_map(|options| &options.dhcp_configurations) {
            options.values.iter().for_each(|value| cut(value.value.as_ref()));
        }
        for endpoint in files.vpc_endpoints.iter().flat_map(|file| &file.vpc_endpoints) {
            for interface in endpoint.network_interface_ids.iter().filter_map(|id| region.interface(id).into_known()) {
                cut(interface.private_ip_address.as_ref());
                interface.ipv6_addresses.iter().for_each(|ipv6| cut(ipv6.ipv6_address.as_ref()));
            }
        }
        for own in files.nat_gateways.iter().flat_map(|file| &file.nat_gateways).flat_map(|nat| &nat.nat_gateway_addresses) {
            cut(own.private_ip.as_ref());
        }
        for record in files.record_sets.iter().flat_map(|file| file.resource_record_sets.values().flatten()) {
            record.resource_records.iter().for_each(|value| cut(value.value.as_ref()));
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

#[cfg(test)]
mod tests {
    use super::replace_word;

    #[test]
    fn an_address_is_replaced_where_it_stands_alone() {
        let cases = [
            ("from 10.0.1.1, and guards", "from X, and guards"),
            ("10.0.1.1/32", "X/32"),
            ("10.0.1.10 and 110.0.1.1", "10.0.1.10 and 110.0.1.1"),
            ("back to 10.0.1.1. Then", "back to X. Then"),
            ("10.0.1.1.example.com", "10.0.1.1.example.com"),
            ("10.0.1.1", "X"),
            ("10.0.1.1-10.0.1.1", "10.0.1.1-10.0.1.1"),
            ("", ""),
        ];
        assert_eq!(replace_word("text", "", "X"), "text");
        for (text, expected) in cases {
            assert_eq!(replace_word(text, "10.0.1.1", "X"), expected, "{text}");
        }
    }
}
