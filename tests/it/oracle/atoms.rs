//! Which addresses and ports are worth a packet, and what all packets together say of a path.
//!
//! Between two neighbouring edges of all blocks (or port ranges) no rule can tell two addresses (or ports) apart,
//! so that one packet for each stretch is as good as all of them.

use patch_preflight::network::{Ec2Messages, PortFamily, Target, Verdict};
use patch_preflight::snapshot::RegionFiles;

use super::simulator::{Answer, Block, Destination, Fate, HTTPS, Orders, World};

/// What no public name resolves to (decision 1).
const NOT_PUBLIC: [&str; 14] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// Decision 3.
const LINUX: (u32, u32) = (32768, 60999);
const WINDOWS: (u32, u32) = (49152, 65535);
const NAT_GATEWAY: (u32, u32) = (1024, 65535);

/// The verdicts in the order of [`Target::SERVICES`].
pub(super) fn verdicts(files: &RegionFiles, ports: PortFamily, ec2messages: Ec2Messages) -> Vec<Verdict> {
    let world = World::read(files);
    let mut known: Vec<(Case, Verdict)> = Vec::new();
    let ssmmessages = verdict(&world, Target::SsmMessages, ports, &mut known);
    let of = |target: &Target| match target {
        Target::SsmMessages => ssmmessages,
        // Decision 21.
        Target::Ec2Messages if !ec2messages.exists => Verdict::NotNeeded,
        Target::Ec2Messages if ec2messages.agent_prefers_ssmmessages && ssmmessages == Verdict::Reachable => Verdict::NotNeeded,
        other => verdict(&world, *other, ports, &mut known),
    };
    Target::SERVICES.iter().map(of).collect()
}

/// What may be the case, given what is known.
#[derive(Debug, Clone, PartialEq)]
struct Case {
    answer: Answer,
    is_s3: bool,
    range: (u32, u32),
    orders: Orders,
}

/// Every case is tried: where they disagree, the verdict is unknown.
fn verdict(world: &World, target: Target, ports: PortFamily, known: &mut Vec<(Case, Verdict)>) -> Verdict {
    let ranges = match ports {
        PortFamily::Linux => vec![LINUX],
        PortFamily::WindowsOrMac => vec![WINDOWS],
        PortFamily::Unknown => vec![LINUX, WINDOWS],
    };
    let mut verdicts = Vec::new();
    let answers = world.answers(target.service());
    // What servers answer that nobody sees matters where nothing else leads there.
    let of_unseen = world.asks_unseen(target.service()).then_some(Answer::Elsewhere);
    let known_answers = answers.len();
    for (number, answer) in answers.into_iter().chain(of_unseen).enumerate() {
        if number == known_answers && verdicts.iter().any(|verdict| *verdict != Verdict::Blocked) {
            continue;
        }
        for range in &ranges {
            for orders in world.all_orders() {
                let case = Case { is_s3: target == Target::S3 && answer == Answer::Public, answer: answer.clone(), range: *range, orders };
                let verdict = match known.iter().find(|(other, _)| *other == case) {
                    Some((_, verdict)) => *verdict,
                    None => {
                        let verdict = judge(world, &case);
                        known.push((case, verdict));
                        verdict
                    }
                };
                verdicts.push(verdict);
            }
        }
    }
    if verdicts.iter().all(|verdict| *verdict == verdicts[0]) { verdicts[0] } else { Verdict::Unknown }
}

fn judge(world: &World, case: &Case) -> Verdict {
    let destinations: Vec<Destination> = match &case.answer {
        Answer::Nothing => return Verdict::Blocked,
        // Wherever it is, a packet must get out first.
        Answer::Elsewhere if !world.lets_anything_out() => return Verdict::Blocked,
        Answer::Elsewhere => return Verdict::Unknown,
        Answer::Interfaces(interfaces) => interfaces.iter().copied().map(Destination::Interface).collect(),
        Answer::Public => public_addresses(world, case.is_s3).into_iter().map(Destination::Address).collect(),
    };
    let ports = stretches(case.range, &world.port_edges());
    let nat_ports = stretches(NAT_GATEWAY, &world.port_edges());
    let fates = |destination: &Destination| -> Vec<Fate> {
        let way = world.out(&case.orders, HTTPS, *destination);
        let mut fates = Vec::with_capacity(ports.len() * nat_ports.len());
        for port in &ports {
            if way.nat.is_none() {
                let fate = world.back(&case.orders, way, *destination, *port, 0);
                fates.extend(nat_ports.iter().map(|_| fate));
                continue;
            }
            fates.extend(nat_ports.iter().map(|nat_port| world.back(&case.orders, way, *destination, *port, *nat_port)));
        }
        fates
    };
    let fates: Vec<Vec<Fate>> = destinations.iter().map(fates).collect();
    let is_any_public = case.answer == Answer::Public && !case.is_s3;
    let surely = sum(&fates, |fate| fate == Fate::Passes, is_any_public);
    let at_best = sum(&fates, |fate| fate != Fate::Fails, is_any_public);
    if surely == at_best { surely } else { Verdict::Unknown }
}

/// What the packets say together; a row an address, a column a pair of ports.
fn sum(fates: &[Vec<Fate>], passes: impl Fn(Fate) -> bool, is_any_public: bool) -> Verdict {
    let of_row = |row: &Vec<Fate>| match (row.iter().all(|fate| passes(*fate)), row.iter().any(|fate| passes(*fate))) {
        (true, _) => Verdict::Reachable,
        (_, true) => Verdict::Partial,
        _ => Verdict::Blocked,
    };
    let rows: Vec<Verdict> = fates.iter().map(of_row).collect();
    match rows.iter().all(|row| *row == rows[0]) {
        true => rows[0],
        // Decision 1: which of the public addresses a service has, AWS does not say.
        false if is_any_public => Verdict::Unknown,
        false => Verdict::Partial,
    }
}

/// One address for each stretch of the target's addresses (decisions 1 and 2).
fn public_addresses(world: &World, is_s3: bool) -> Vec<u32> {
    let s3 = world.managed(&format!(".{}.s3", crate::topology::REGION));
    let others = [world.managed(".s3"), world.managed(".dynamodb")].concat();
    let not_public: Vec<Block> = NOT_PUBLIC.iter().filter_map(|block| Block::parse(block)).collect();
    let is_wanted = |address: u32| {
        if is_s3 {
            s3.iter().any(|block| block.holds(address))
        } else {
            !not_public.iter().chain(&others).any(|block| block.holds(address))
        }
    };
    let blocks = [world.blocks(), not_public.clone()].concat();
    let mut edges: Vec<u32> = blocks.iter().flat_map(|block| [Some(block.first), block.last.checked_add(1)]).flatten().collect();
    edges.push(0);
    edges.sort_unstable();
    edges.dedup();
    edges.retain(|address| is_wanted(*address));
    edges
}

/// One port for each stretch of a range.
fn stretches((first, last): (u32, u32), edges: &[u32]) -> Vec<u32> {
    let mut ports: Vec<u32> = edges.iter().copied().filter(|port| first < *port && *port <= last).chain([first]).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}
