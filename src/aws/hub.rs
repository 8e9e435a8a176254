//! The second look: the networks of other accounts and Regions that the instances' traffic depends on, where nobody asked for them yet.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::Semaphore;

use super::desk::{Desk, Office};
use super::gap::Refusal;
use super::referred::{self, Place};
use super::route53::{self, profiles};
use super::{Event, ec2};
use crate::snapshot::{AccountSnapshot, Gap, GapReason, RegionFiles};

/// Each round finds whom the one before refers to. A path crosses a few transit gateways, each with its owner and the VPC behind it.
const MOST_ROUNDS: usize = 10;

/// Looks into what is referred to, among the accounts that were entered and the Regions that were looked at. Returns the gaps.
pub(super) async fn look(
    office: &Office,
    desks: &BTreeMap<String, Desk>,
    accounts: &mut BTreeMap<String, AccountSnapshot>,
    turns: &Semaphore,
) -> Vec<Gap> {
    let mut asked = asked_already(accounts);
    let mut gaps = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let mut visits = FuturesUnordered::new();
        for (place, vpcs) in referred::places(accounts) {
            let known = asked.get(&place);
            let new: BTreeSet<String> = vpcs.into_iter().filter(|vpc| known.is_none_or(|known| !known.contains(vpc))).collect();
            let (is_new, is_more) = (known.is_none(), !new.is_empty());
            let files = accounts.get_mut(&place.account).and_then(|seen| seen.regions.get_mut(&place.region));
            if let (Some(files), Some(desk), true) = (files, desks.get(&place.account), is_new || is_more) {
                asked.entry(place.clone()).or_default().extend(new.iter().cloned());
                visits.push(visit(office, desk, place, new, is_new, std::mem::take(files), turns));
            }
        }
        if visits.is_empty() {
            break;
        }
        while let Some((place, files, of_place)) = visits.next().await {
            gaps.extend(of_place);
            if let Some(seen) = accounts.get_mut(&place.account) {
                seen.regions.insert(place.region, files);
            }
        }
    }
    gaps.extend(zones(desks, accounts).await);
    gaps
}

/// The Regions with instances were looked into, for the VPCs that hold them.
fn asked_already(accounts: &BTreeMap<String, AccountSnapshot>) -> BTreeMap<Place, BTreeSet<String>> {
    let regions = accounts.iter().flat_map(|(account, seen)| seen.regions.iter().map(move |(region, files)| (account, region, files)));
    let with_instances = regions.filter_map(|(account, region, files)| {
        let instances = files.instances.as_ref()?;
        ec2::judged(instances).next()?;
        Some((Place { account: account.clone(), region: region.clone() }, ec2::judged_vpcs(instances)))
    });
    with_instances.collect()
}

async fn visit(
    office: &Office,
    desk: &Desk,
    place: Place,
    vpcs: BTreeSet<String>,
    is_new: bool,
    mut files: RegionFiles,
    turns: &Semaphore,
) -> (Place, RegionFiles, Vec<Gap>) {
    let _permit = turns.acquire().await;
    let desk = desk.in_region(&place.region);
    if is_new {
        Box::pin(ec2::network(&desk, &mut files)).await;
    }
    if !vpcs.is_empty() {
        if is_new {
            route53::look(&desk, &mut files).await;
        }
        ec2::of_vpcs(&desk, &vpcs, &mut files).await;
        Box::pin(route53::of_vpcs(&desk, &place.region, &vpcs, &mut files)).await;
    }
    office.tell(Event::Followed { account_id: place.account.clone(), region: place.region.clone() });
    (place, files, desk.close())
}

/// A zone's owner and its id.
type Zone = (String, String);

/// What others see of private zones that another account owns: asked of the owner, once each, and kept where the zone answers.
async fn zones(desks: &BTreeMap<String, Desk>, accounts: &mut BTreeMap<String, AccountSnapshot>) -> Vec<Gap> {
    let names = wanted(accounts, route53::profile_zones_of_others);
    let mut gaps = ask(desks, accounts, names, profiles::ZONE, profiles::zone_of, |files, zone, answer| {
        files.profile_zones.get_or_insert_default().hosted_zones.insert(zone, answer);
    })
    .await;
    let records = wanted(accounts, route53::records_of_others);
    let of_records = ask(desks, accounts, records, route53::RECORDS, route53::records_of, |files, zone, answer| {
        files.record_sets.get_or_insert_default().resource_record_sets.insert(zone, answer);
    });
    gaps.extend(of_records.await);
    gaps
}

fn wanted(
    accounts: &BTreeMap<String, AccountSnapshot>,
    of_others: impl Fn(&str, &RegionFiles) -> BTreeMap<String, String>,
) -> BTreeMap<Zone, Vec<Place>> {
    let mut zones: BTreeMap<Zone, Vec<Place>> = BTreeMap::new();
    for (account, seen) in accounts {
        for (region, files) in &seen.regions {
            for (zone, owner) in of_others(account, files) {
                zones.entry((owner, zone)).or_default().push(Place { account: account.clone(), region: region.clone() });
            }
        }
    }
    zones
}

async fn ask<'d, T: Clone>(
    desks: &'d BTreeMap<String, Desk>,
    accounts: &mut BTreeMap<String, AccountSnapshot>,
    zones: BTreeMap<Zone, Vec<Place>>,
    operation: &str,
    question: impl AsyncFn(&'d Desk, &str) -> Result<T, Refusal>,
    keep: impl Fn(&mut RegionFiles, String, T),
) -> Vec<Gap> {
    let question = &question;
    let mut answers: FuturesUnordered<_> = zones
        .into_iter()
        .map(|((owner, zone), places)| async move {
            let answer = match desks.get(&owner) {
                Some(desk) => question(desk, &zone).await,
                None => {
                    let why = format!(
                        "not asked: account {owner} owns private zone {zone}, nobody else is shown what is in it, and it was not scanned"
                    );
                    Err(Refusal::new(GapReason::AccessDenied, why))
                }
            };
            (zone, places, answer)
        })
        .collect();
    let mut gaps = Vec::new();
    while let Some((zone, places, answer)) = answers.next().await {
        for place in places {
            let files = accounts.get_mut(&place.account).and_then(|seen| seen.regions.get_mut(&place.region));
            match (files, &answer, desks.get(&place.account)) {
                (Some(files), Ok(answer), _) => keep(files, zone.clone(), answer.clone()),
                (_, Err(refusal), Some(desk)) => {
                    let desk = desk.in_region(&place.region);
                    desk.miss(operation, refusal.clone());
                    gaps.extend(desk.close());
                }
                _ => {}
            }
        }
    }
    gaps
}
