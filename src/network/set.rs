//! Sets of addresses and ports as sorted intervals, and sets of flows (addresses × ports): the algebra under every verdict.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

/// The first of the IPv6 addresses that stand for IPv4 ones, `64:ff9b::` (<https://www.rfc-editor.org/rfc/rfc6052>).
const NAT64: u128 = 0x0064_ff9b << 96;

/// The interval of a block; of an IPv6 block that holds all of IPv4, what lies on either side of it; of one within IPv4, nothing.
fn block(net: IpNet) -> impl Iterator<Item = (u128, u128)> {
    let (first, last) = (IntervalSet::number(net.network()), IntervalSet::number(net.broadcast()));
    let is_around = matches!(net, IpNet::V6(_)) && first <= IPV4.0 && IPV4.1 <= last;
    let is_within = matches!(net, IpNet::V6(_)) && IPV4.0 <= first && last <= IPV4.1;
    let (low, high) = match () {
        () if is_within => (None, None),
        () if is_around => (Some((first, IPV4.0 - 1)), Some((IPV4.1 + 1, last))),
        () => (Some((first, last)), None),
    };
    low.into_iter().chain(high)
}

/// A set of addresses of both families, or of ports: disjoint inclusive intervals, in order, never touching.
///
/// IPv4 lies where IPv6 maps it, at `::ffff:0:0/96`: a rule of one family never covers an address of the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct IntervalSet(Vec<(u128, u128)>);

/// The first and last IPv4 address among those of both families (<https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2>).
pub(super) const IPV4: (u128, u128) = (0xffff_0000_0000, 0xffff_ffff_ffff);

impl IntervalSet {
    pub fn empty() -> Self {
        Self::default()
    }

    /// All values from `first` to `last`, both included; empty when they are the wrong way round.
    pub fn range(first: u128, last: u128) -> Self {
        if first > last { Self::empty() } else { Self(vec![(first, last)]) }
    }

    pub fn everything() -> Self {
        Self::range(0, u128::MAX)
    }

    /// Where an address lies among those of both families.
    pub fn number(address: IpAddr) -> u128 {
        match address {
            IpAddr::V4(address) => IPV4.0 + u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        }
    }

    /// The values at which membership changes.
    pub fn bounds(&self) -> impl Iterator<Item = u128> {
        self.0.iter().flat_map(|&(first, last)| [Some(first), last.checked_add(1)]).flatten()
    }

    pub fn net(net: IpNet) -> Self {
        Self::from_ranges(block(net).collect())
    }

    pub fn nets<'a>(nets: impl IntoIterator<Item = &'a IpNet>) -> Self {
        Self::from_ranges(nets.into_iter().copied().flat_map(block).collect())
    }

    pub fn address(address: IpAddr) -> Self {
        Self::range(Self::number(address), Self::number(address))
    }

    /// Ports from `first` to `last`, both included.
    pub fn ports((first, last): (u16, u16)) -> Self {
        Self::range(first.into(), last.into())
    }

    fn from_ranges(mut ranges: Vec<(u128, u128)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, address: IpAddr) -> bool {
        self.contains(Self::number(address))
    }

    fn contains(&self, value: u128) -> bool {
        self.0.iter().any(|&(first, last)| first <= value && value <= last)
    }

    /// How many values there are; of all of them together, one less.
    pub fn len(&self) -> u128 {
        self.0.iter().fold(0, |sum, &(first, last)| sum.saturating_add((last - first).saturating_add(1)))
    }

    /// The lowest and the highest value, read as ports.
    pub fn port_bounds(&self) -> (u16, u16) {
        let port = |value: Option<u128>| value.and_then(|value| u16::try_from(value).ok()).unwrap_or_default();
        (port(self.0.first().map(|&(first, _)| first)), port(self.0.last().map(|&(_, last)| last)))
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_ranges(self.0.iter().chain(&other.0).copied().collect())
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(&&(a, b)), Some(&&(c, d))) = (left.peek(), right.peek()) {
            let (first, last) = (a.max(c), b.min(d));
            if first <= last {
                both.push((first, last));
            }
            if b < d {
                left.next();
            } else {
                right.next();
            }
        }
        Self(both)
    }

    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.intersection(&other.complement())
    }

    fn complement(&self) -> Self {
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut next = Some(0);
        for &(first, last) in &self.0 {
            if let Some(start) = next
                && start < first
            {
                gaps.push((start, first - 1));
            }
            next = last.checked_add(1);
        }
        if let Some(start) = next {
            gaps.push((start, u128::MAX));
        }
        Self(gaps)
    }

    /// The IPv6 addresses that stand for the IPv4 addresses of the set.
    #[must_use]
    pub fn to_nat64(&self) -> Self {
        let ipv4 = self.intersection(&Self::range(IPV4.0, IPV4.1));
        Self(ipv4.0.iter().map(|&(first, last)| (first - IPV4.0 + NAT64, last - IPV4.0 + NAT64)).collect())
    }

    /// The IPv4 addresses for which those of the set stand.
    #[must_use]
    pub fn from_nat64(&self) -> Self {
        let standing = self.intersection(&Self::nat64());
        Self(standing.0.iter().map(|&(first, last)| (first - NAT64 + IPV4.0, last - NAT64 + IPV4.0)).collect())
    }

    /// Every address of the family of this one.
    pub fn family_of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::range(IPV4.0, IPV4.1) } else { Self::ipv6() }
    }

    /// Every IPv6 address.
    pub fn ipv6() -> Self {
        Self::everything().difference(&Self::range(IPV4.0, IPV4.1))
    }

    /// Every IPv6 address that stands for an IPv4 one.
    pub fn nat64() -> Self {
        Self::range(NAT64, NAT64 + (IPV4.1 - IPV4.0))
    }

    /// The fewest CIDR blocks that make up the set, read as addresses.
    pub fn to_nets(&self) -> Vec<IpNet> {
        let ipv4 = Self::range(IPV4.0, IPV4.1);
        let low = |value: u128| Ipv4Addr::from_bits(u32::try_from(value - IPV4.0).unwrap_or(u32::MAX));
        let of_ipv4 = self.intersection(&ipv4).0.into_iter().flat_map(move |(first, last)| Ipv4Subnets::new(low(first), low(last), 0));
        let of_ipv6 = self.difference(&ipv4).0.into_iter();
        let of_ipv6 = of_ipv6.flat_map(|(first, last)| Ipv6Subnets::new(Ipv6Addr::from_bits(first), Ipv6Addr::from_bits(last), 0));
        of_ipv4.map(IpNet::V4).chain(of_ipv6.map(IpNet::V6)).collect()
    }

    /// The set as a person reads addresses: CIDR blocks, a few of them.
    pub fn as_addresses(&self) -> String {
        shorten(self.addresses_and_blocks())
    }

    /// The same, however many they are.
    pub fn as_all_addresses(&self) -> String {
        self.addresses_and_blocks().join(", ")
    }

    fn addresses_and_blocks(&self) -> Vec<String> {
        let word = |net: &IpNet| if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() };
        self.to_nets().iter().map(word).collect()
    }

    /// The set as a person reads ports: `443`, `1024-65535`.
    pub fn as_ports(&self) -> String {
        shorten(self.0.iter().map(|&(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") }).collect())
    }
}

fn shorten(items: Vec<String>) -> String {
    const SHOWN: usize = 4;
    if items.is_empty() {
        return "none".to_owned();
    }
    let rest = items.len().saturating_sub(SHOWN);
    let shown: Vec<_> = items.into_iter().take(SHOWN).collect();
    if rest == 0 { shown.join(", ") } else { format!("{} and {rest} more", shown.join(", ")) }
}

/// A set of flows: for disjoint runs of ports, in order, the addresses that pass with them. Runs with no address are left out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FlowSet(Vec<((u128, u128), IntervalSet)>);

impl fmt::Debug for FlowSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self.0.iter().map(|((first, last), addresses)| (format!("{first}-{last}"), addresses.as_addresses()));
        formatter.debug_map().entries(runs).finish()
    }
}

impl FlowSet {
    pub fn empty() -> Self {
        Self::default()
    }

    /// Every address with every port.
    pub fn product(addresses: &IntervalSet, ports: &IntervalSet) -> Self {
        if addresses.is_empty() {
            return Self::empty();
        }
        Self(ports.0.iter().map(|&run| (run, addresses.clone())).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, IntervalSet::union)
    }

    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, IntervalSet::intersection)
    }

    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(other, IntervalSet::difference)
    }

    /// The addresses that pass with at least one port.
    pub fn addresses(&self) -> IntervalSet {
        IntervalSet::from_ranges(self.0.iter().flat_map(|(_, addresses)| addresses.0.iter().copied()).collect())
    }

    /// The ports that pass with at least one address.
    pub fn ports(&self) -> IntervalSet {
        IntervalSet::from_ranges(self.0.iter().map(|&(run, _)| run).collect())
    }

    /// The addresses that pass with every one of `ports`.
    pub fn addresses_with_all(&self, ports: &IntervalSet) -> IntervalSet {
        let missing = Self::product(&self.addresses(), ports).difference(self).addresses();
        self.addresses().difference(&missing)
    }

    /// The same flows, to other addresses.
    #[must_use]
    pub fn with_addresses(&self, change: impl Fn(&IntervalSet) -> IntervalSet) -> Self {
        Self(self.0.iter().map(|(run, addresses)| (*run, change(addresses))).filter(|(_, addresses)| !addresses.is_empty()).collect())
    }

    /// The flows as products, one for each set of addresses: these, with all of those ports.
    pub fn products(&self) -> Vec<(IntervalSet, IntervalSet)> {
        let mut products: Vec<(IntervalSet, Vec<(u128, u128)>)> = Vec::new();
        for (run, addresses) in &self.0 {
            match products.iter_mut().find(|(same, _)| same == addresses) {
                Some((_, runs)) => runs.push(*run),
                None => products.push((addresses.clone(), vec![*run])),
            }
        }
        products.into_iter().map(|(addresses, runs)| (addresses, IntervalSet::from_ranges(runs))).collect()
    }

    fn combine(&self, other: &Self, operation: impl Fn(&IntervalSet, &IntervalSet) -> IntervalSet) -> Self {
        let mut cuts: Vec<u128> = Vec::new();
        for ((first, last), _) in self.0.iter().chain(&other.0) {
            cuts.push(*first);
            cuts.push(last.saturating_add(1));
        }
        cuts.sort_unstable();
        cuts.dedup();
        let nothing = IntervalSet::empty();
        let mut runs: Vec<((u128, u128), IntervalSet)> = Vec::new();
        for (&first, &end) in cuts.iter().zip(cuts.iter().skip(1)) {
            let last = end - 1;
            let addresses = operation(self.at(first).unwrap_or(&nothing), other.at(first).unwrap_or(&nothing));
            if addresses.is_empty() {
                continue;
            }
            match runs.last_mut() {
                Some(((_, end), same)) if end.checked_add(1) == Some(first) && *same == addresses => *end = last,
                _ => runs.push(((first, last), addresses)),
            }
        }
        Self(runs)
    }

    fn at(&self, port: u128) -> Option<&IntervalSet> {
        self.0.iter().find(|((first, last), _)| *first <= port && port <= *last).map(|(_, addresses)| addresses)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FlowSet, IntervalSet};
    use ipnet::IpNet;

    const SPACE: u128 = 24;

    fn a_set() -> impl Strategy<Value = IntervalSet> {
        let range = (0..SPACE, 0..SPACE).prop_map(|(a, b)| (a.min(b), a.max(b)));
        prop::collection::vec(range, 0..4).prop_map(IntervalSet::from_ranges)
    }

    fn some_flows() -> impl Strategy<Value = FlowSet> {
        let rectangle = (a_set(), a_set()).prop_map(|(addresses, ports)| FlowSet::product(&addresses, &ports));
        prop::collection::vec(rectangle, 0..3).prop_map(|all| all.iter().fold(FlowSet::empty(), |sum, each| sum.union(each)))
    }

    fn holds(flows: &FlowSet, address: u128, port: u128) -> bool {
        flows.at(port).is_some_and(|addresses| addresses.contains(address))
    }

    /// What IPv6 writes of IPv4 is no block of IPv6, and what is all of IPv6 is none of IPv4.
    #[test]
    fn a_block_of_one_family_holds_nothing_of_the_other() {
        let set = |block: &str| IntervalSet::net(block.parse::<IpNet>().expect("a block"));
        let address = |text: &str| IntervalSet::number(text.parse().expect("an address"));
        assert!(set("::ffff:10.0.0.0/104").is_empty());
        assert!(set("::ffff:0:0/96").is_empty());
        for block in ["::/0", "::/64"] {
            assert!(!set(block).contains(address("10.0.0.1")) && set(block).contains(address("::1")), "{block}");
        }
        assert!(set("::/0").contains(address("2001:db8::1")));
    }

    proptest! {
        #[test]
        fn sets_agree_with_membership(a in a_set(), b in a_set()) {
            for value in 0..=SPACE {
                prop_assert_eq!(a.union(&b).contains(value), a.contains(value) || b.contains(value));
                prop_assert_eq!(a.intersection(&b).contains(value), a.contains(value) && b.contains(value));
                prop_assert_eq!(a.difference(&b).contains(value), a.contains(value) && !b.contains(value));
            }
            prop_assert_eq!(a.union(&b), b.union(&a), "one set has one form");
        }

        #[test]
        fn flows_agree_with_membership(a in some_flows(), b in some_flows(), all in a_set()) {
            for address in 0..=SPACE {
                for port in 0..=SPACE {
                    let (left, right) = (holds(&a, address, port), holds(&b, address, port));
                    prop_assert_eq!(holds(&a.union(&b), address, port), left || right);
                    prop_assert_eq!(holds(&a.intersection(&b), address, port), left && right);
                    prop_assert_eq!(holds(&a.difference(&b), address, port), left && !right);
                }
                let some = (0..=SPACE).any(|port| holds(&a, address, port));
                let every = some && (0..=SPACE).all(|port| !all.contains(port) || holds(&a, address, port));
                prop_assert_eq!(a.addresses().contains(address), some);
                prop_assert_eq!(a.addresses_with_all(&all).contains(address), every);
            }
        }

        #[test]
        fn nets_cover_the_set_exactly(a in a_set()) {
            prop_assert_eq!(IntervalSet::nets(&a.to_nets()), a);
        }
    }

    #[test]
    fn the_ends_of_the_space_are_values_too() {
        let all = IntervalSet::everything();
        assert!(all.difference(&all).is_empty());
        assert_eq!(all.difference(&IntervalSet::range(0, u128::MAX - 1)), IntervalSet::range(u128::MAX, u128::MAX));
    }

    #[test]
    fn the_families_are_apart() {
        let nets = ["0.0.0.0/0", "::/0", "64:ff9b::/96"].map(|net| net.parse::<IpNet>().expect("a block"));
        let [ipv4, ipv6, nat64] = nets.map(IntervalSet::net);
        assert_eq!(ipv4.len(), 1 << 32);
        assert!(ipv4.intersection(&ipv6).is_empty());
        assert_eq!(ipv4.union(&ipv6), IntervalSet::everything());
        assert_eq!(ipv6.intersection(&nat64), nat64);
        assert_eq!(ipv4.as_addresses(), "0.0.0.0/0");
        assert_eq!(nat64.as_addresses(), "64:ff9b::/96");
        assert_eq!((IntervalSet::nat64(), ipv4.to_nat64(), nat64.from_nat64()), (nat64.clone(), nat64, ipv4.clone()));
        assert!(ipv4.has("10.0.0.1".parse().expect("an address")));
    }
}
