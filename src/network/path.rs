//! Judges one path: every answer that DNS may give, every way the routes may split it, every port the instance may use.

use std::collections::BTreeSet;

use super::PortFamily;
use super::dns::{self, Answer, Resolution};
use super::dns_server::{self, Way};
use super::egress::leave_interface;
use super::goal::{self, Addresses, AnsweredBy, Goal};
use super::host;
use super::hosted_zone;
use super::interface_endpoint;
use super::journey::{Journey, note_filtered};
use super::next_hop;
use super::private_dns;
use super::set::IntervalSet;
use super::source::Source;
use super::trace::Trace;
use super::verdict::{Blocker, Code, Decision, Destination, Hop, HopKind, Path, Place, Target, Verdict, Via, assumption};
use super::world::{World, combine};
use crate::model::known::{Known, Unknown};
use crate::model::{Assumptions, is_word};
use crate::snapshot::ec2::{UserIdGroupPair, VpcEndpoint};

/// What the resolver question needs to know of an interface.
pub(super) fn place<'p, 'r, 'a>(source: &'p Source<'r, 'a>, assumptions: &'p Assumptions) -> dns::Place<'p, 'r, 'a> {
    dns::Place {
        estate: source.estate,
        position: &source.position,
        is_nitro: source.is_nitro,
        is_ipv6: source.address.is_ipv6(),
        assumptions,
    }
}

pub(super) fn judge(source: &Source<'_, '_>, goal: &Goal, ports: PortFamily, assumptions: &Assumptions) -> Path {
    let place = place(source, assumptions);
    let mut resolution = if goal.answered_by == AnsweredBy::Undeclared {
        let settled_by = format!("declare the addresses of {} in the file of mirrors: where it is, AWS does not know", goal.host);
        let why = vec![Unknown::new("mirror_address", goal.host.clone(), settled_by)];
        Resolution::either(vec![Answer::Anything], why, "its addresses are not declared")
    } else if goal.is_resolved {
        dns::resolve(&place, goal)
    } else {
        Resolution::one(Answer::Public, "its addresses are declared")
    };
    if let Some(servers) = dns::own_servers(&place).filter(|_| goal.is_resolved) {
        match dns_server::way_to(source, &servers, assumptions) {
            Way::Open => {}
            Way::Closed(blockers) => resolution = Resolution::one(Answer::NoServer { blockers }, "no DNS server can be asked"),
            Way::Unclear(blockers, why) => {
                resolution.answers.push(Answer::NoServer { blockers });
                resolution.depends_on.extend(why);
            }
        }
    }
    if let Some(why) = &source.owner_unseen {
        resolution.answers = vec![Answer::Anything];
        resolution.depends_on = vec![why.clone()];
        "the owner of the shared VPC was not scanned".clone_into(&mut resolution.because);
    }
    let journey = Journey::start(source, goal, assumptions, None);
    // One row for each answer, in it a cell for each range of ports.
    let row = |answer: &Answer<'_, '_>| -> Vec<Vec<World>> {
        let of_ports = |range: &(u16, u16)| -> Vec<World> {
            let from = format!("it asks from the ports {}", IntervalSet::ports(*range).as_ports());
            let worlds = judge_answer(&journey, answer, &resolution.because, &resolution.depends_on, *range);
            worlds.into_iter().map(|world| world.under(&*from).under(answer.told())).collect()
        };
        ports.ranges().iter().map(of_ports).collect()
    };
    let (of_unseen, known): (Vec<_>, Vec<_>) = resolution.answers.iter().partition(|answer| **answer == Answer::Unseen);
    let mut worlds: Vec<Vec<Vec<World>>> = known.into_iter().map(row).collect();
    if worlds.iter().flatten().flatten().all(|world| world.verdict == Verdict::Blocked) {
        worlds.extend(of_unseen.into_iter().map(row));
    }
    let verdicts: Vec<Vec<BTreeSet<Verdict>>> =
        worlds.iter().map(|row| row.iter().map(|cell| cell.iter().map(|world| world.verdict).collect()).collect()).collect();
    // Where whatever is asked for is blocked, the name does not matter.
    let name_matters = ports.ranges().iter().any(|range| to_anywhere(&journey, "", &[], *range).verdict != Verdict::Blocked);
    let assumed = if name_matters { assumed_of_names(&place, goal, &resolution) } else { Vec::new() };
    let mut doubts = Vec::new();
    if !are_alike(&verdicts) {
        doubts.extend(resolution.depends_on);
    }
    if !verdicts.iter().all(|row| are_alike(row)) {
        let settled_by =
            "learn the operating system (register the instance, or use an image whose system is known): its ephemeral ports depend on it";
        doubts.push(Unknown::new("fact_not_collected", "the operating system", settled_by));
    }
    let mut path = combine(goal, &worlds.into_iter().flatten().flatten().collect::<Vec<_>>(), doubts);
    if path.verdict != Verdict::Unknown {
        path.notes.extend(assumed);
    }
    let is_nameless = path.blockers.iter().any(|blocker| blocker.code == Code::DnsNoIpv6Address);
    if is_nameless && goal.target != Target::Repository {
        path.notes.push(DUAL_STACK_AGENT.to_owned());
    }
    path.notes.sort();
    path
}

/// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-server-patching-iPv6-tutorial.html>, the version by
/// <https://github.com/aws/amazon-ssm-agent/releases/tag/3.3.3270.0>)
const DUAL_STACK_AGENT: &str = "SSM Agent 3.3.3270.0 and later ask for names that have IPv6 addresses if Agent.UseDualStackEndpoint is true in amazon-ssm-agent.json. AWS does not show whether it is: it is taken for false, as it comes.";

/// What the answers rest on that AWS does not document.
fn assumed_of_names(place: &dns::Place<'_, '_, '_>, goal: &Goal, resolution: &Resolution<'_, '_>) -> Vec<String> {
    let mut assumed = Vec::new();
    if resolution.depends_on.iter().any(|why| matches!(why.code.as_str(), "custom_dns" | "on_prem")) {
        let what = "DNS servers of your own answer with what a VPC's resolver answers, or with the public addresses";
        assumed.push(assumption(68, what));
    }
    if resolution.answers.contains(&Answer::Public)
        && let Some(endpoint) = private_dns::of_other_type(place, goal)
    {
        let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
        assumed.push(assumption(93, &format!("{id}, of another type than Interface and Gateway, answers for no name of a service")));
    }
    assumed
}

fn are_alike<T: PartialEq>(things: &[T]) -> bool {
    things.windows(2).all(|pair| matches!(pair, [left, right] if left == right))
}

fn judge_answer(
    journey: &Journey<'_, '_, '_>,
    answer: &Answer<'_, '_>,
    because: &str,
    doubts: &[Unknown],
    range: (u16, u16),
) -> Vec<World> {
    match answer {
        Answer::NoSuchName { zone } => {
            let host = &journey.goal.asked;
            let detail = format!("claims {host} as a private hosted zone and has no record for it, so the public name is never asked");
            vec![nameless(journey, range, World::nameless(Code::DnsPhzNxdomain, zone, detail, Place::Other))]
        }
        Answer::Refused { group } => {
            let detail = format!("refuses {} to the resolver of {}", journey.goal.asked, journey.at.vpc_id);
            vec![nameless(journey, range, World::nameless(Code::DnsFirewallRule, group, detail, Place::Other))]
        }
        Answer::NoServer { blockers } => {
            let mut world = World::unasked(blockers.clone());
            if blockers.is_empty() {
                let because = "none of the DNS servers that the DHCP options name can be asked".to_owned();
                let resource = journey.at.vpc_id.to_owned();
                world.hops.push(Hop { resource, kind: HopKind::Name, decision: Decision::Block, because, way: Vec::new() });
            }
            vec![nameless(journey, range, world)]
        }
        Answer::NoResolver { is_switched_off } => {
            let vpc = journey.at.vpc_id;
            let world = if *is_switched_off {
                let place = Place::Resolver { vpc: vpc.to_owned() };
                World::nameless(Code::DnsVpcAttributeOff, vpc, "has enableDnsSupport off, so no name resolves".to_owned(), place)
            } else {
                let detail = "has DHCP options without a DNS server, and the instance runs on the Xen hypervisor, so no name resolves";
                World::nameless(Code::DnsNoResolver, vpc, detail.to_owned(), Place::Other)
            };
            vec![nameless(journey, range, world)]
        }
        Answer::Anything | Answer::Unseen => vec![to_anywhere(journey, because, doubts, range)],
        Answer::Endpoint(reached) => {
            let mut world = interface_endpoint::judge(journey, reached, because, range);
            let at = &journey.at;
            let is_own = reached.endpoint.vpc_id.as_deref() == Some(at.vpc_id) && reached.home.account == at.home.account;
            if is_own && matches!(world.verdict, Verdict::Blocked | Verdict::Partial) {
                blame_capture(&mut world, journey, reached.endpoint, because, range);
            }
            vec![world]
        }
        Answer::Public => to_public(journey, because, range),
    }
}

/// To wherever a name leads: perhaps to an endpoint, whose interfaces may carry any group, in the instance's own subnet, where no network ACL counts.
fn to_anywhere(journey: &Journey<'_, '_, '_>, because: &str, doubts: &[Unknown], range: (u16, u16)) -> World {
    let (source, goal) = (journey.source, journey.goal);
    let mut trace = Trace::new(IntervalSet::family_of(source.address), range, false);
    trace.hop(HopKind::Name, &goal.host, Decision::Unknown, because);
    trace.doubt(doubts.iter().cloned());
    leave_interface(&mut trace, source, goal, &Destination::Internet, &|_| Known::Known(IntervalSet::everything()));
    World::of_anywhere(trace, Vec::new())
}

/// A world without an answer, beside which is named what would keep the instance from any answer.
fn nameless(journey: &Journey<'_, '_, '_>, range: (u16, u16), mut world: World) -> World {
    let anywhere = to_anywhere(journey, "", &[], range);
    if anywhere.verdict == Verdict::Blocked {
        let is_new = |blocker: &Blocker| !world.blockers.iter().any(|own| (own.code, &own.resource) == (blocker.code, &blocker.resource));
        // How wide a rule is wanted depends on the name.
        let more: Vec<Blocker> =
            anywhere.blockers.into_iter().filter(is_new).map(|blocker| Blocker { place: Place::Other, ..blocker }).collect();
        world.hops.extend(anywhere.hops.into_iter().filter(|hop| hop.decision == Decision::Block));
        world.blockers.extend(more);
    }
    world
}

/// Names an endpoint that takes the name for the whole VPC, where the public way would work.
fn blame_capture(world: &mut World, journey: &Journey<'_, '_, '_>, endpoint: &VpcEndpoint, because: &str, range: (u16, u16)) {
    let public = to_public(journey, because, range);
    if public.is_empty() || public.iter().any(|world| world.verdict != Verdict::Reachable) {
        return;
    }
    let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    let detail = format!(
        "takes {} for all of {} with its private DNS, so the public way, which would work, is not used",
        journey.goal.host, journey.at.vpc_id
    );
    world.blockers.push(Blocker::new(Code::DnsCapturedByEndpoint, id, detail, Place::PrivateDns { endpoint: id.to_owned() }));
}

/// To the public addresses of a service: of the family that the instance has.
pub(super) fn to_public(journey: &Journey<'_, '_, '_>, because: &str, range: (u16, u16)) -> Vec<World> {
    let goal = journey.goal;
    if journey.source.address.is_ipv4() || matches!(goal.answered_by, AnsweredBy::Addresses(_)) {
        return to_addresses(journey, goal::public_ipv4(journey.at.home, &journey.at.nets, &goal.answered_by), because, range);
    }
    let over_ipv6 = || to_addresses(journey, goal::public_ipv6(&journey.at.nets), because, range);
    let over_ipv4 = || {
        let nameless = || {
            let detail = format!("has no DNS64, {} has no IPv6 address, and the instance has no IPv4 address", goal.host);
            vec![World::nameless(Code::DnsNoIpv6Address, journey.at.subnet_id(), detail, Place::Other)]
        };
        let by_nat64 = || to_addresses(journey, goal::by_nat64(journey.at.home, &journey.at.nets, &goal.answered_by), because, range);
        match journey.at.subnet.and_then(|subnet| subnet.enable_dns64) {
            Some(true) => by_nat64(),
            Some(false) => nameless(),
            None => {
                let settled_by = "collect ec2-describe-subnets.json again: EnableDns64 is missing";
                let untold = Unknown::new("fact_not_collected", journey.at.subnet_id(), settled_by);
                let with = by_nat64().into_iter().map(|world| world.under("the subnet has DNS64"));
                let without = nameless().into_iter().map(|world| world.under("the subnet has no DNS64"));
                let mut worlds: Vec<World> = with.chain(without).collect();
                for world in &mut worlds {
                    world.unknowns.push(untold.clone());
                }
                worlds
            }
        }
    };
    match goal.has_ipv6 {
        Some(true) => over_ipv6(),
        Some(false) => over_ipv4(),
        None => {
            let with = over_ipv6().into_iter().map(|world| world.under("the name has an IPv6 address"));
            with.chain(over_ipv4().into_iter().map(|world| world.under("the name has no IPv6 address"))).collect()
        }
    }
}

/// To a set of addresses, over whatever the subnet's routes say.
fn to_addresses(journey: &Journey<'_, '_, '_>, addresses: Addresses, because: &str, range: (u16, u16)) -> Vec<World> {
    let Addresses { set, is_exact, destination } = addresses;
    let (source, goal) = (journey.source, journey.goal);
    let avoids_aws_lists = !goal.answered_by.is_s3();
    let is_own_host = matches!(goal.answered_by, AnsweredBy::Addresses { .. });
    let because = match destination {
        _ if is_own_host => because.to_owned(),
        Destination::Nat64 => format!("addresses in 64:ff9b::/96, which DNS64 gives for the public IPv4 ones: {because}"),
        _ => format!("public addresses: {because}"),
    };
    let name = Hop { resource: goal.host.clone(), kind: HopKind::Name, decision: Decision::Pass, because, way: Vec::new() };
    // None of AWS's public addresses is in a group of the user's.
    let members = |pair: &UserIdGroupPair| if is_own_host { host::members(&journey.at, pair) } else { Known::Known(IntervalSet::empty()) };
    // What a host asks itself never leaves it.
    if goal.is_at(source.address) {
        return vec![World::of(&[Trace::new(set.clone(), range, avoids_aws_lists)], &set, is_exact, vec![name])];
    }
    // Inside a subnet no route counts.
    if is_own_host && journey.at.subnet.is_some() && set.difference(&journey.at.addresses()).is_empty() {
        let mut trace = Trace::new(set.clone(), range, avoids_aws_lists);
        trace.via = Via::Other;
        leave_interface(&mut trace, source, goal, &destination, &members);
        host::arrive(&mut trace, journey);
        return vec![World::of(&[trace], &set, is_exact, vec![name])];
    }
    let mut worlds = Vec::new();
    match journey.at.table() {
        Known::Unknown(why) => {
            let mut trace = Trace::new(set.clone(), range, avoids_aws_lists);
            leave_interface(&mut trace, source, goal, &destination, &members);
            journey.leave_subnet_by(&mut trace, None);
            trace.doubt(why);
            worlds.push(World::of(&[trace], &set, is_exact, vec![name]));
        }
        Known::Known(table) => {
            let table_id = table.route_table_id.as_deref().unwrap_or_default();
            let splits = journey.split(table, &set, avoids_aws_lists);
            for split in &splits {
                let mut traces = Vec::new();
                for share in &split.shares {
                    let mut trace = Trace::new(share.addresses.clone(), range, avoids_aws_lists);
                    leave_interface(&mut trace, source, goal, &destination, &members);
                    note_filtered(&mut trace, table);
                    next_hop::follow(&mut trace, journey, share, table_id);
                    traces.push(trace);
                }
                let world = World::of(&traces, &set, is_exact, vec![name.clone()]);
                worlds.push(if split.when.is_empty() { world } else { world.under(&*split.when) });
            }
            let verdicts: Vec<Verdict> = worlds.iter().map(|world| world.verdict).collect();
            if !are_alike(&verdicts) {
                for world in &mut worlds {
                    world.unknowns.extend(splits.iter().flat_map(|split| split.depends_on.iter().cloned()));
                }
            }
        }
    }
    for world in &mut worlds {
        explain_public_answer(world, journey, range);
    }
    worlds
}

/// Whether the instance would get to the endpoint that is answered, but for rules that let traffic pass.
fn leads_to_endpoint(journey: &Journey<'_, '_, '_>, answer: &Answer<'_, '_>, range: (u16, u16)) -> bool {
    let Answer::Endpoint(reached) = answer else { return false };
    let is_of_rules =
        |place: &Place| matches!(place, Place::InstanceEgress { .. } | Place::EndpointIngress { .. } | Place::NetworkAcl { .. });
    interface_endpoint::judge(journey, reached, "", range).blockers.iter().all(|blocker| is_of_rules(&blocker.place))
}

/// Where the public answer leads nowhere, says why no endpoint answered instead.
fn explain_public_answer(world: &mut World, journey: &Journey<'_, '_, '_>, range: (u16, u16)) {
    let lacks_way_out = world.blockers.iter().any(|blocker| {
        !matches!(blocker.place, Place::InstanceEgress { .. } | Place::NetworkAcl { .. } | Place::VpcAttribute { .. })
            && blocker.code != Code::PrefixListPartial
    });
    let goal = journey.goal;
    let Some(service) = goal.answered_by.service() else { return };
    if !matches!(world.verdict, Verdict::Blocked | Verdict::Partial) || !lacks_way_out {
        return;
    }
    let home = journey.at.home;
    let vpc = journey.at.vpc_id;
    let Known::Known(endpoints) = home.endpoints(vpc) else { return };
    let serving: Vec<&&VpcEndpoint> = endpoints.iter().filter(|endpoint| private_dns::serves(endpoint, goal, home.name)).collect();
    let mut add = |code, resource: &str, detail: String, place| world.blockers.push(Blocker::new(code, resource, detail, place));
    let is_of = |endpoint: &VpcEndpoint, kind: &str| is_word(endpoint.vpc_endpoint_type.as_ref(), kind);
    if goal.answered_by.is_s3() && !serving.iter().any(|endpoint| is_of(endpoint, "Gateway")) {
        // S3 has two kinds of endpoints. One fix is enough, and that of a gateway endpoint is free.
        let interfaces = serving.iter().filter(|endpoint| is_of(endpoint, "Interface"));
        let mut asleep = interfaces.filter_map(|endpoint| Some((endpoint.vpc_endpoint_id.as_deref()?, private_dns::why_asleep(endpoint)?)));
        let beside = asleep.next().map(|(id, why)| format!(", and private DNS of {id} is {why}")).unwrap_or_default();
        let detail = format!("has no gateway endpoint for {service}{beside}");
        add(Code::EndpointMissing, vpc, detail, Place::NoEndpoint { vpc: vpc.to_owned() });
    } else if serving.is_empty() && !matches!(goal.answered_by, AnsweredBy::S3Elsewhere(_)) {
        add(Code::EndpointMissing, vpc, format!("has no interface endpoint for {service}"), Place::NoEndpoint { vpc: vpc.to_owned() });
    }
    let leads_there = |answers: &[Answer<'_, '_>]| answers.iter().any(|answer| leads_to_endpoint(journey, answer, range));
    if serving.is_empty()
        && let Some((zone, _)) =
            hosted_zone::elsewhere(&place(journey.source, journey.assumptions), goal).iter().find(|(_, answers)| leads_there(answers))
    {
        let detail = format!("answers for {} in other VPCs, and is not associated with {vpc}", goal.host);
        add(Code::DnsPhzNotAssociated, zone, detail, Place::Other);
    }
    if goal.private_zone.is_none() {
        return;
    }
    for endpoint in serving.into_iter().filter(|endpoint| is_of(endpoint, "Interface")) {
        let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
        if private_dns::is_down(endpoint) {
            let state = endpoint.state.as_deref().unwrap_or_default();
            add(Code::BadState, id, format!("is {state}, not available"), Place::EndpointState { endpoint: id.to_owned() });
        } else if goal.answered_by == AnsweredBy::DualStackS3 && private_dns::covers_dual_stack(endpoint) == Some(false) {
            let detail = format!("answers for the IPv4 names of S3 alone, not for {}", goal.host);
            add(Code::DnsDualstackNotCovered, id, detail, Place::PrivateDns { endpoint: id.to_owned() });
        } else if endpoint.private_dns_enabled == Some(false) {
            if goal.answered_by.service() != Some("s3") {
                let detail = "has private DNS off, so the service's name leads to public addresses".to_owned();
                add(Code::DnsPrivateDnsOff, id, detail, Place::PrivateDns { endpoint: id.to_owned() });
            }
        } else {
            let attributes = [("enableDnsSupport", home.dns_support(vpc)), ("enableDnsHostnames", home.dns_hostnames(vpc))];
            for (attribute, _) in attributes.into_iter().filter(|(_, value)| value.is(&false)) {
                let detail = format!("has {attribute} off, so private DNS of {id} has no effect");
                add(Code::DnsVpcAttributeOff, vpc, detail, Place::VpcAttribute { vpc: vpc.to_owned(), attribute });
            }
        }
    }
}
