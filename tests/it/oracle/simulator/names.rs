//! What the instance's resolver answers: decisions 4, 13 and 14.

use std::net::Ipv4Addr;

use patch_preflight::snapshot::ec2;

use super::{Answer, DNS, DNS_BY_TCP, Destination, Fate, Orders, Traffic, World, Zone, is_available};
use crate::topology::REGION;

impl World {
    /// Every answer that the instance may get for a service's name, given what is known.
    pub(in crate::oracle) fn answers(&self, service: &str) -> Vec<Answer> {
        let Some(servers) = &self.servers else {
            return if is_xen(&self.instance_type) || !self.dns_support {
                vec![Answer::Nothing]
            } else {
                self.amazon(service, &self.rules)
            };
        };
        let base_plus_two = Ipv4Addr::from(self.vpc.first + 2).to_string();
        let is_amazon = |server: &String| [&*base_plus_two, "169.254.169.253", "AmazonProvidedDNS"].contains(&&**server);
        let may_ask =
            |traffic| servers.iter().any(is_amazon) || servers.iter().any(|server| self.may_ask(server.parse().unwrap(), traffic));
        if !may_ask(DNS) && !may_ask(DNS_BY_TCP) {
            return vec![Answer::Nothing];
        }
        // By TCP alone some ask, and some do not.
        let perhaps = if may_ask(DNS) { Vec::new() } else { vec![Answer::Nothing] };
        let stands_here = |server: &String| server.parse::<Ipv4Addr>().is_ok_and(|server| self.vpc.holds(u32::from(server)));
        let inbound = if servers.iter().any(stands_here) { self.by_inbound_endpoint(service) } else { Vec::new() };
        match (servers.iter().all(is_amazon), self.dns_support) {
            (true, true) => self.amazon(service, &self.rules),
            (true, false) => vec![Answer::Nothing],
            (false, true) => [vec![Answer::Public], self.amazon(service, &self.rules), inbound, perhaps].concat(),
            (false, false) => [vec![Answer::Public], perhaps].concat(),
        }
    }

    /// Whether a DNS server with a private address stands in no VPC that was seen: what it answers, nobody knows.
    pub(in crate::oracle) fn asks_unseen(&self, service: &str) -> bool {
        let is_unseen =
            |server: &String| server.parse::<Ipv4Addr>().is_ok_and(|server| server.is_private() && !self.vpc.holds(u32::from(server)));
        self.servers.iter().flatten().any(is_unseen) && self.answers(service) != [Answer::Nothing]
    }

    /// Whether a question may get to a DNS server, and its answer back, from some port and with some order of the lists:
    /// what becomes of either need not be known, as long as it is not surely lost. Amazon's own server is beyond all rules.
    fn may_ask(&self, server: Ipv4Addr, traffic: Traffic) -> bool {
        let address = u32::from(server);
        // What it asks itself never leaves it.
        address == self.address || self.all_orders().iter().any(|orders| self.may_ask_by(orders, traffic, address))
    }

    fn may_ask_by(&self, orders: &Orders, traffic: Traffic, address: u32) -> bool {
        let server = self.server_at(orders, address);
        let way = self.out(orders, traffic, server);
        let ports: Vec<u32> = self.port_edges().into_iter().chain([1024]).filter(|port| (1024..=65535).contains(port)).collect();
        let comes_back = |port: u32| {
            // The ports of a NAT gateway are as many.
            ports.iter().any(|nat_port| self.back(orders, way, server, port, *nat_port) != Fate::Fails)
        };
        ports.iter().any(|port| comes_back(*port))
    }

    /// The interface that has the address, if it was seen and nothing stands before it.
    fn server_at(&self, orders: &Orders, address: u32) -> Destination {
        let is_beside = self.subnets[self.subnet].block.holds(address);
        let is_local = self.route(orders, self.subnets[self.subnet].table, address).is_some_and(|route| route.target == "local");
        match self.interfaces.iter().position(|interface| interface.address == address) {
            Some(interface) if is_beside || is_local => Destination::Interface(interface),
            _ => Destination::Address(address),
        }
    }

    /// What an inbound resolver endpoint of the VPC says besides: S3's endpoint may be private to those who ask there.
    fn by_inbound_endpoint(&self, service: &str) -> Vec<Answer> {
        let host = format!("a-bucket.{service}.{REGION}.amazonaws.com");
        if !self.dns_hostnames || self.zones.iter().any(|zone| is_under(&host, &zone.name)) {
            return Vec::new();
        }
        let endpoint = self.endpoints.iter().find(|endpoint| takes_name(endpoint, service));
        endpoint.map(|endpoint| self.interfaces_of(endpoint)).into_iter().collect()
    }

    /// What Amazon's resolver may say.
    fn amazon(&self, service: &str, rules: &[String]) -> Vec<Answer> {
        let service_name = format!("{service}.{REGION}.amazonaws.com");
        // S3 is asked for buckets, whose names lie below the service's.
        // https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html
        let host = if service == "s3" { format!("a-bucket.{service_name}") } else { service_name.clone() };
        let both = self.dns_support && self.dns_hostnames;
        let endpoint = self.endpoints.iter().find(|endpoint| both && captures(endpoint, service));
        let zone = self.zones.iter().filter(|zone| both && is_under(&host, &zone.name)).max_by_key(|zone| labels(&zone.name));
        let rule = rules.iter().filter(|rule| is_under(&host, rule)).max_by_key(|rule| labels(rule));

        let of_endpoint = endpoint.map(|_| labels(&service_name));
        let of_zone = zone.map(|zone| labels(&zone.name));
        let of_rule = rule.map(|rule| labels(rule));
        if let Some(rule) = rule.filter(|_| of_rule >= of_zone && of_rule >= of_endpoint) {
            let others: Vec<String> = rules.iter().filter(|other| *other != rule).cloned().collect();
            return [vec![Answer::Public], self.amazon(service, &others)].concat();
        }
        if let Some(zone) = zone.filter(|_| of_zone >= of_endpoint) {
            return vec![self.zone_answer(zone, &host)];
        }
        vec![endpoint.map_or(Answer::Public, |endpoint| self.interfaces_of(endpoint))]
    }

    fn zone_answer(&self, zone: &Zone, host: &str) -> Answer {
        let parent = host.split_once('.').unwrap().1;
        let alias = zone.aliases.iter().find(|(name, _)| name == host || *name == format!("*.{parent}"));
        let Some((_, target)) = alias else { return Answer::Nothing };
        let leads_here = |entry: &ec2::DnsEntry| entry.dns_name.as_deref() == Some(target);
        match self.endpoints.iter().find(|endpoint| endpoint.dns_entries.iter().any(leads_here)) {
            Some(endpoint) if is_available(endpoint.state.as_ref()) => self.interfaces_of(endpoint),
            _ => Answer::Elsewhere,
        }
    }

    fn interfaces_of(&self, endpoint: &ec2::VpcEndpoint) -> Answer {
        let position = |id: &String| self.interfaces.iter().position(|interface| interface.id == *id).unwrap();
        Answer::Interfaces(endpoint.network_interface_ids.iter().map(position).collect())
    }
}

/// Whether a name is the domain or ends in it.
fn is_under(name: &str, domain: &str) -> bool {
    domain.is_empty() || name == domain || name.ends_with(&format!(".{domain}"))
}

fn labels(domain: &str) -> usize {
    if domain.is_empty() { 0 } else { domain.split('.').count() }
}

/// Whether an interface endpoint takes the service's name for what stands in its VPC.
fn captures(endpoint: &ec2::VpcEndpoint, service: &str) -> bool {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html#private-dns-s3
    let only_inbound =
        endpoint.dns_options.as_ref().is_some_and(|options| options.private_dns_only_for_inbound_resolver_endpoint == Some(true));
    takes_name(endpoint, service) && !only_inbound
}

/// Whether it takes the name for those at least who ask an inbound resolver endpoint.
fn takes_name(endpoint: &ec2::VpcEndpoint, service: &str) -> bool {
    endpoint.vpc_endpoint_type.as_deref() == Some("Interface")
        && endpoint.vpc_id.as_deref() == Some("vpc-1")
        && endpoint.service_name.as_deref() == Some(&*format!("com.amazonaws.{REGION}.{service}"))
        && is_available(endpoint.state.as_ref())
        && endpoint.private_dns_enabled == Some(true)
}

/// Decision 14.
fn is_xen(instance_type: &str) -> bool {
    let (family, size) = instance_type.split_once('.').unwrap();
    size != "metal"
        && ["t1", "t2", "m1", "m2", "m3", "m4", "c1", "c3", "c4", "r3", "r4", "i2", "d2", "g2", "g3", "p2", "p3", "x1"].contains(&family)
}
