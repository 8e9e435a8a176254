//! Random DNS: attributes, servers, private zones and resolver rules.

use std::collections::BTreeMap;

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::{one_of, usually, usually_false, usually_true};

/// DNS servers of the user's own: outside the VPC, private and public, in each of its subnets, and where an endpoint may stand.
const OWN_SERVERS: &[&[&str]] = &[
    &["10.9.9.9"],
    &["192.168.1.1"],
    &["9.9.9.9"],
    &["9.9.9.9"],
    &["10.0.0.3"],
    &["10.0.1.53"],
    &["10.0.2.53"],
    &["10.0.9.53"],
    &["10.0.2.100"],
    &["10.0.0.3", "192.168.1.1"],
    &["9.9.9.9", "10.0.2.53"],
];

#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) support: bool,
    pub(super) hostnames: bool,
    pub(super) servers: Servers,
    pub(super) zones: BTreeMap<&'static str, (Records, bool)>,
    /// Domain, type, whether it is associated with this VPC.
    pub(super) rules: BTreeMap<&'static str, (&'static str, bool)>,
}

#[derive(Debug, Clone)]
pub(super) enum Servers {
    Default,
    None,
    These(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Records {
    None,
    /// Each service's name is an alias of its endpoint.
    Endpoint,
    /// The same, and `*.` below it.
    EndpointAndBelow,
    Elsewhere,
}

pub(super) fn names() -> BoxedStrategy<Names> {
    let servers: [&'static [&'static str]; 4] =
        [&["AmazonProvidedDNS"], &["169.254.169.253"], &["10.0.0.2"], &["10.0.0.2", "169.254.169.253"]];
    let servers = prop_oneof![
        8 => one_of(&servers).prop_map(Servers::These),
        1 => Just(Servers::Default),
        1 => Just(Servers::None),
        5 => one_of(OWN_SERVERS).prop_map(Servers::These),
    ];
    let zone = one_of(&[
        "amazonaws.com.",
        "eu-central-1.amazonaws.com",
        "ssm.eu-central-1.amazonaws.com.",
        "ssmmessages.eu-central-1.amazonaws.com",
        "s3.eu-central-1.amazonaws.com.",
        "central-1.amazonaws.com.",
        "example.com",
    ]);
    let records = one_of(&[Records::None, Records::Endpoint, Records::EndpointAndBelow, Records::EndpointAndBelow, Records::Elsewhere]);
    let zones = prop_oneof![4 => Just(BTreeMap::new()), 1 => btree_map(zone, (records, usually_false(5)), 1..3)];
    let domain = one_of(&[
        ".",
        "amazonaws.com",
        "eu-central-1.amazonaws.com.",
        "ssm.eu-central-1.amazonaws.com",
        "s3.eu-central-1.amazonaws.com.",
        "example.com.",
    ]);
    let rule = (usually("FORWARD", 4, &["SYSTEM", "RECURSIVE"]), usually_true(6));
    let rules = prop_oneof![6 => Just(BTreeMap::new()), 1 => btree_map(domain, rule, 1..3)];
    (usually_true(10), usually_true(8), servers, zones, rules)
        .prop_map(|(support, hostnames, servers, zones, rules)| Names { support, hostnames, servers, zones, rules })
        .boxed()
}
