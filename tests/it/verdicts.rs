//! From what passes to what is said.

use patch_preflight::network::Target::S3;
use patch_preflight::network::Verdict::{Blocked, Reachable};

use crate::exact::check;
use crate::topology::{Topology, base};

fn custom_dns(topology: Topology) -> Topology {
    topology.dns_servers(&["10.9.9.9"])
}

/// Decision 15: with the VPC's own DNS servers a gateway endpoint needs neither attribute.
#[test]
fn a_gateway_endpoint_and_dns() {
    let gateway = || base().gateway_endpoint("rtb-main");
    check(vec![
        ("66", gateway().dns_attributes(false, false), S3, Blocked, &["DNS_VPC_ATTRIBUTE_OFF"], &[]),
        ("own servers, DNS support off", custom_dns(gateway().dns_attributes(false, false)), S3, Reachable, &[], &[]),
        ("own servers", custom_dns(gateway()), S3, Reachable, &[], &[]),
        ("host names off", gateway().dns_attributes(true, false), S3, Reachable, &[], &[]),
    ]);
    let notes = gateway().dns_attributes(true, false).path(S3).notes;
    assert!(matches!(notes.as_slice(), [note] if note.starts_with("enableDnsHostnames of vpc-1 is off")), "{notes:?}");
    assert!(gateway().path(S3).notes.is_empty());
}
