//! Which route a packet takes, and every order in which overlapping prefix lists may win.

use patch_preflight::snapshot::ec2;

use super::{Class, Orders, Route, Table, World};

impl World {
    /// The one route that a packet to the address takes.
    pub(super) fn route(&self, orders: &Orders, table: usize, address: u32) -> Option<&Route> {
        let routes = &self.tables[table].routes;
        let fitting = |route: &&Route| longest(route, address).is_some();
        // The VPC's own block: the local route, which stays that with another target.
        let is_local = routes.iter().filter(fitting).any(|route| route.class == Class::Static && route.blocks == [self.vpc]);
        let mut best: Option<(&Route, u32)> = None;
        let is_better = |route: &Route, than: Option<(&Route, u32)>| {
            let length = longest(route, address).unwrap();
            than.is_none_or(|(other, its_length)| length > its_length || (length == its_length && route.class < other.class))
        };
        for route in routes.iter().filter(fitting) {
            // https://docs.aws.amazon.com/vpn/latest/s2svpn/vpn-route-priority.html
            let hides_behind_local = is_local && route.class == Class::Propagated;
            if !hides_behind_local && is_better(route, best) {
                best = Some((route, longest(route, address).unwrap()));
            }
        }
        let (best, _) = best?;
        // Where a prefix list's route wins, any list that overlaps may stand in its place, which one AWS decides at random.
        let order = orders.get(table).filter(|_| best.list.is_some()).map_or(&[][..], Vec::as_slice);
        let first = order.iter().find_map(|id| routes.iter().filter(fitting).find(|route| route.list.as_ref() == Some(id)));
        Some(first.unwrap_or(best))
    }

    /// For each route table, every order in which its overlapping prefix lists may win.
    pub(in crate::oracle) fn all_orders(&self) -> Vec<Orders> {
        let mut all = vec![Orders::new()];
        for (position, table) in self.tables.iter().enumerate() {
            let orders = if self.is_consulted(position) { permutations(&contested(table)) } else { vec![Vec::new()] };
            all = all.iter().flat_map(|so_far| orders.iter().map(move |order| [so_far.clone(), vec![order.clone()]].concat())).collect();
        }
        all
    }

    /// Whether packets to public addresses may meet the table: the instance's, and those of NAT gateways' subnets.
    fn is_consulted(&self, table: usize) -> bool {
        let of_nat = |nat: &ec2::NatGateway| self.place_of(nat).is_some_and(|place| place.table == table);
        self.subnets[self.subnet].table == table || self.nats.iter().any(of_nat)
    }
}

/// The length of the route's longest block that holds the address.
fn longest(route: &Route, address: u32) -> Option<u32> {
    route.blocks.iter().filter(|block| block.holds(address)).map(|block| block.length).max()
}

/// The prefix lists of a table that overlap with another list that leads elsewhere.
fn contested(table: &Table) -> Vec<String> {
    let overlap = |left: &Route, right: &Route| {
        left.blocks.iter().any(|one| right.blocks.iter().any(|other| one.first <= other.last && other.first <= one.last))
    };
    let lists: Vec<&Route> = table.routes.iter().filter(|route| route.list.is_some()).collect();
    let quarrels = |route: &&&Route| {
        lists.iter().any(|other| {
            other.list != route.list && (other.target != route.target || other.is_blackhole != route.is_blackhole) && overlap(route, other)
        })
    };
    lists.iter().filter(quarrels).filter_map(|route| route.list.clone()).collect()
}

fn permutations(items: &[String]) -> Vec<Vec<String>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (position, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(position);
        for tail in permutations(&rest) {
            all.push([vec![first.clone()], tail].concat());
        }
    }
    all
}
