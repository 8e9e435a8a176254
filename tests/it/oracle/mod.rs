//! Layer four of the tests: the engine, which reckons with sets, against a dumb simulator of single packets, on random networks.
//!
//! `ORACLE_CASES` sets how many networks are tried, new ones at every run. Without it there are as many as take a few seconds, the same
//! each time, so that a change is judged by what it changes.

mod atoms;
mod differences;
mod laws;
mod simulator;
mod topologies;

use patch_preflight::network::Verdict::{self, Partial, Reachable};
use patch_preflight::network::{PortFamily, Target};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
#[cfg(feature = "aws")]
use proptest::{strategy::ValueTree as _, test_runner::TestRunner};

use crate::topology::{ALL_IN, ALL_OUT, Topology, base};

/// The laws take one network for every four of the comparison.
fn cases(share: u32) -> Config {
    let cases: u32 = std::env::var("ORACLE_CASES").map_or(2000, |cases| cases.parse().expect("ORACLE_CASES is a number"));
    let rng_seed = if std::env::var_os("ORACLE_CASES").is_some() { RngSeed::Random } else { RngSeed::Fixed(2026) };
    Config { cases: cases / share, failure_persistence: None, max_shrink_iters: 20_000, rng_seed, ..Config::default() }
}

/// Some of the networks, the same ones each time, for the tests of the looking half.
#[cfg(feature = "aws")]
pub(crate) fn networks(count: usize) -> Vec<Topology> {
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(2026), ..Config::default() });
    let plans = topologies::plans();
    (0..count).map(|_| plans.new_tree(&mut runner).unwrap().current().topology()).collect()
}

fn by_engine(topology: &Topology) -> Vec<Verdict> {
    let paths = topology.paths();
    let of = |target: &Target| paths.iter().find(|path| path.target == *target).unwrap().verdict;
    Target::SERVICES.iter().map(of).collect()
}

fn by_simulator(topology: &Topology) -> Vec<Verdict> {
    atoms::verdicts(&topology.files, topology.ports, topology.ec2messages)
}

proptest! {
    #![proptest_config(cases(1))]

    #[test]
    fn the_engine_agrees_with_a_packet_by_packet_simulator(plan in topologies::plans()) {
        let topology = plan.topology();
        prop_assert_eq!(by_engine(&topology), by_simulator(&topology), "engine, then simulator, for {:?}", Target::SERVICES);
    }
}

proptest! {
    #![proptest_config(cases(4))]

    /// What AWS lists in another order is the same network.
    #[test]
    fn the_order_of_answers_never_matters(plan in topologies::plans()) {
        let topology = plan.topology();
        prop_assert_eq!(by_engine(&topology), by_engine(&topology.clone().with(laws::reverse)));
    }

    /// A block is its two halves.
    #[test]
    fn a_block_is_its_two_halves(plan in topologies::plans()) {
        let topology = plan.topology();
        prop_assert_eq!(by_engine(&topology), by_engine(&topology.clone().with(laws::halve)));
    }

    /// Instances of one subnet are judged by classes, and each of them as if it were alone: to the letter.
    #[test]
    fn classes_say_what_each_instance_alone_would(plan in topologies::plans(), hosts in proptest::collection::vec(1..255u8, 1..4)) {
        let topology = plan.topology().with(|files| laws::add_neighbours(files, &hosts));
        for (by_class, alone) in topology.all_paths(true).into_iter().zip(topology.all_paths(false)) {
            prop_assert_eq!(by_class, alone);
        }
    }

    #[test]
    fn another_allow_rule_never_makes_a_verdict_worse(
        plan in topologies::plans(),
        permission in topologies::one_permission(),
        to_instance in any::<bool>(),
    ) {
        let topology = plan.topology();
        let more = topology.clone().with(|files| laws::allow(files, permission, to_instance));
        for (before, after) in by_engine(&topology).into_iter().zip(by_engine(&more)) {
            prop_assert!(laws::is_no_worse(before, after), "{:?} became {:?}", before, after);
        }
    }
}

/// Single ports at the edges of the ranges of decision 3, where chance seldom strikes: one port less is less than all.
#[test]
fn the_edges_of_port_ranges() {
    let instances = [(PortFamily::Linux, 32768, 60999), (PortFamily::WindowsOrMac, 49152, 65535)];
    let of_instance = instances.map(|(ports, first, last)| ("subnet-p", ports, first, last));
    let of_nat_gateway = [("subnet-u", PortFamily::Linux, 1024, 65535)];
    for (subnet, ports, first, last) in of_instance.into_iter().chain(of_nat_gateway) {
        for (port, verdict) in [(first - 1, Reachable), (first, Partial), (last, Partial), (last + 1, Reachable)] {
            let deny = format!("90 in tcp {port} 0.0.0.0/0 deny");
            let topology = base().nat().ports(ports).subnet_acl(subnet, &[&deny, ALL_IN, ALL_OUT]);
            assert_eq!(by_simulator(&topology), [verdict; 4], "{subnet} {port}, by the simulator");
            assert_eq!(by_engine(&topology), [verdict; 4], "{subnet} {port}, by the engine");
        }
    }
}
