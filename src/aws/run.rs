//! The course of a scan: who asks, which accounts, which Regions, and what is put together from the answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_config::SdkConfig;
use futures::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc, watch};

use super::desk::{Desk, Office};
use super::gap::Refusal;
use super::session::Session;
use super::{Event, LookError, Progress, Request, Seen, ec2, hub, iam, organization, quick_setup, route53, ssm};
use crate::scope::{Decision, Regions, ScopedAccount, SelectionError};
use crate::snapshot::{
    AccountSnapshot, Gap, GapReason, Manifest, ManifestAccount, ManifestRegion, OrganizationFiles, RegionFiles, Snapshot,
};

/// How many accounts are entered side by side; the Regions of all of them share [`Request::concurrency`].
const ACCOUNTS_SIDE_BY_SIDE: usize = 16;

pub(super) async fn look(request: &Request, progress: &dyn Progress) -> Result<Seen, LookError> {
    let (events, mut told) = mpsc::unbounded_channel();
    let (stop, stopped) = watch::channel(false);
    let office = Office { events, stop: stopped };
    let scan = async {
        let seen = Box::pin(scan(request, &office)).await;
        // The last sender goes with the office, and ends the telling.
        drop(office);
        seen
    };
    let tell = async {
        while let Some(event) = told.recv().await {
            progress.event(event);
        }
    };
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_ok() {
            progress.event(Event::Interrupted);
            // Nobody waiting any more means that the scan is over.
            let _ = stop.send(true);
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        (seen, ()) = async { futures::join!(scan, tell) } => seen,
        () = interrupt => Err(LookError::Interrupted),
    }
}

async fn scan(request: &Request, office: &Office) -> Result<Seen, LookError> {
    let session = tokio::select! {
        session = Box::pin(Session::open(request)) => session?,
        () = office.stopped() => return Err(LookError::Interrupted),
    };
    let mut gaps = Vec::new();
    let organization = organization(request, office, &session, &mut gaps).await?;
    let scope = request.selection.select(&organization, Some(&session.caller.account_id)).map_err(|error| match error {
        SelectionError::AccountsUnknown | SelectionError::UnitsUnknown => match gaps.first() {
            Some(gap) => LookError::OrganizationUnreadable(Box::new(Gap::clone(gap))),
            None => LookError::Selection(error),
        },
        other => LookError::Selection(other),
    })?;
    let management = organization.organization.as_ref().and_then(|file| file.organization.master_account_id.clone());
    let mut manifest = Manifest {
        captured_at: Some(now()),
        tool_version: Some(request.tool_version.clone()),
        partition: Some(session.partition.clone()),
        caller: Some(session.caller.clone()),
        notes: scope.notes,
        ..Manifest::default()
    };
    let chosen: Vec<&ScopedAccount> = scope.accounts.iter().filter(|account| account.decision == Decision::Scan).collect();
    office.tell(Event::AccountsFound { scanned: chosen.len(), skipped: scope.accounts.len() - chosen.len() });
    let entrance = Semaphore::new(ACCOUNTS_SIDE_BY_SIDE);
    let regions = Arc::new(Semaphore::new(request.concurrency.max(1)));
    let mut visits: FuturesUnordered<_> = chosen
        .iter()
        .map(|account| async {
            let _permit = entrance.acquire().await;
            let is_management =
                management.as_ref().is_none_or(|management| *management == account.id) && account.id == session.caller.account_id;
            let visit = Box::pin(visit(request, office, &session, &account.id, is_management, &regions)).await;
            office.tell(Event::AccountDone { account_id: account.id.clone() });
            (account.id.clone(), visit)
        })
        .collect();
    let (mut accounts, mut desks) = (BTreeMap::new(), BTreeMap::new());
    while let Some((id, visit)) = visits.next().await {
        gaps.extend(visit.gaps);
        desks.extend(visit.desk.map(|desk| (id.clone(), desk)));
        let regions = visit
            .regions
            .iter()
            .map(|(region, complete)| (region.clone(), ManifestRegion { captured_at: Some(now()), complete: *complete }));
        manifest.accounts.insert(id.clone(), ManifestAccount { regions: regions.collect(), skipped: None });
        if let Some(seen) = visit.seen {
            accounts.insert(id, seen);
        }
    }
    drop(visits);
    let of_hubs = Box::pin(hub::look(office, &desks, &mut accounts, &regions)).await;
    for gap in of_hubs.into_iter().chain(desks.into_values().flat_map(Desk::close)) {
        let regions = manifest.accounts.get_mut(&gap.account_id).map(|account| &mut account.regions);
        if let Some(region) = regions.and_then(|regions| regions.get_mut(gap.region.as_ref()?)) {
            region.complete = false;
        }
        gaps.push(gap);
    }
    for account in &scope.accounts {
        if let Decision::Skip(why) = &account.decision {
            manifest.accounts.insert(account.id.clone(), ManifestAccount { skipped: Some(why.clone()), ..ManifestAccount::default() });
        }
    }
    gaps.sort();
    // What was refused in the second look as in the first is one gap.
    gaps.dedup_by(|next, one| {
        (&next.account_id, &next.region, &next.operation, next.reason) == (&one.account_id, &one.region, &one.operation, one.reason)
    });
    let interrupted = office.is_stopped();
    let has_anything = accounts.values().any(|account: &AccountSnapshot| account.regions.values().any(|region| region.instances.is_some()));
    if !has_anything
        && !interrupted
        && let Some(first) = gaps.first()
    {
        return Err(LookError::NothingReadable { first: Box::new(first.clone()), gaps });
    }
    manifest.gaps = gaps;
    Ok(Seen { snapshot: Snapshot { manifest, organization, accounts }, interrupted })
}

fn now() -> String {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

/// The organization, where the choice needs it; else as far as it can be read without a fuss, for names and units.
async fn organization(request: &Request, office: &Office, session: &Session, gaps: &mut Vec<Gap>) -> Result<OrganizationFiles, LookError> {
    let desk = Desk::of_account(office, &session.config, &session.caller.account_id, organization::home(&session.partition));
    if !request.selection.needs_organization() {
        return Ok(organization::of_account(&desk).await);
    }
    let files = organization::look(&desk).await;
    gaps.extend(desk.close());
    if files.accounts.is_none() {
        if office.is_stopped() {
            return Err(LookError::Interrupted);
        }
        if let Some(gap) = gaps.iter().find(|gap| gap.operation == "organizations:ListAccounts").or(gaps.first()) {
            return Err(LookError::OrganizationUnreadable(Box::new(gap.clone())));
        }
    }
    Ok(files)
}

/// What came of one account.
#[derive(Debug, Default)]
struct Visit {
    /// From where more can be asked; its own gaps are told at the end.
    desk: Option<Desk>,
    seen: Option<AccountSnapshot>,
    /// The Regions, and whether each could be read whole.
    regions: BTreeMap<String, bool>,
    gaps: Vec<Gap>,
}

async fn visit(
    request: &Request,
    office: &Office,
    session: &Session,
    account_id: &str,
    is_management: bool,
    places: &Arc<Semaphore>,
) -> Visit {
    let role = tokio::select! {
        biased;
        () = office.stopped() => Err(Refusal::new(GapReason::Error, "not asked: the scan was interrupted")),
        role = session.account(request, account_id) => role,
    };
    let config: SdkConfig = match role {
        Ok(config) => config,
        Err(refusal) => {
            let desk = Desk::of_account(office, &session.config, account_id, &session.home);
            // Nothing is assumed in the caller's own account.
            let is_own = account_id == session.caller.account_id;
            desk.miss(if is_own { "ec2:DescribeRegions" } else { "sts:AssumeRole" }, refusal);
            return Visit { gaps: desk.close(), ..Visit::default() };
        }
    };
    let desk = Desk::of_account(office, &config, account_id, &session.home);
    let mut visit = Visit::default();
    let Some(regions) = regions(&desk, &request.selection.regions, &mut visit.gaps).await else {
        visit.gaps.extend(desk.close());
        return visit;
    };
    office.tell(Event::RegionsFound { account_id: account_id.to_owned(), regions: regions.len() });
    let mut seen = AccountSnapshot::default();
    let mut answers: FuturesUnordered<_> = regions
        .into_iter()
        .map(|region| {
            let desk = &desk;
            async move {
                let _permit = places.acquire().await;
                let desk = desk.in_region(&region);
                let files = Box::pin(look_at(&desk, &region, request)).await;
                let instances =
                    files.instances.iter().flat_map(|file| &file.reservations).map(|reservation| reservation.instances.len()).sum();
                office.tell(Event::RegionDone { account_id: desk.account_id.clone(), region: region.clone(), instances });
                (region, files, desk.close())
            }
        })
        .collect();
    while let Some((region, files, gaps)) = answers.next().await {
        visit.regions.insert(region.clone(), gaps.is_empty());
        visit.gaps.extend(gaps);
        seen.regions.insert(region, files);
    }
    drop(answers);
    let (profiles, roles) = identities(&seen);
    if !(profiles.is_empty() && roles.is_empty()) {
        seen.global.iam = Box::pin(iam::look(&desk, &profiles, &roles)).await;
    }
    // Elsewhere there is no Quick Setup with patch policies.
    if is_management && session.partition == "aws" {
        seen.global.quick_setup = Box::pin(quick_setup::look(&desk, &request.quick_setup_regions)).await;
        if let Some(quick_setup) = &seen.global.quick_setup {
            seen.global.bucket_policies = Some(Box::pin(quick_setup::buckets(&desk, quick_setup)).await);
            for region in quick_setup::regions_of_baselines(quick_setup) {
                let Some(files) = seen.regions.get_mut(&region).filter(|files| files.patch_baselines.is_none()) else { continue };
                let desk = desk.in_region(&region);
                Box::pin(ssm::baselines(&desk, files)).await;
                visit.gaps.extend(desk.close());
            }
        }
    }
    visit.desk = Some(desk);
    visit.seen = Some(seen);
    visit
}

/// The Regions to look at: those that are enabled in the account, cut down to the named ones. A named one that is not enabled is a gap.
async fn regions(desk: &Desk, wanted: &Regions, gaps: &mut Vec<Gap>) -> Option<Vec<String>> {
    let answer = desk.once("ec2:DescribeRegions", desk.ec2().describe_regions().send()).await;
    let enabled = answer
        .map(|answer| answer.regions.unwrap_or_default().into_iter().filter_map(|region| region.region_name).collect::<BTreeSet<_>>());
    match (wanted, enabled) {
        (Regions::Enabled, enabled) => enabled.map(|enabled| enabled.into_iter().collect()),
        // Without the list every named Region is tried.
        (Regions::Named(names), None) => Some(names.clone()),
        (Regions::Named(names), Some(enabled)) => {
            let (open, closed): (Vec<String>, Vec<String>) = names.iter().cloned().partition(|name| enabled.contains(name));
            gaps.extend(closed.into_iter().map(|region| Gap {
                account_id: desk.account_id.clone(),
                message: format!("{region} is not enabled in the account"),
                region: Some(region),
                operation: "ec2:DescribeInstances".to_owned(),
                reason: GapReason::RegionDisabled,
                request_id: None,
            }));
            Some(open)
        }
    }
}

/// One Region: its instances, and all the rest only if there are any.
async fn look_at(desk: &Desk, region: &str, request: &Request) -> RegionFiles {
    let mut files = RegionFiles { instances: ec2::instances(desk).await, ..RegionFiles::default() };
    let Some(instances) = &files.instances else { return files };
    if ec2::judged(instances).next().is_none() {
        return files;
    }
    let vpcs = &ec2::judged_vpcs(instances);
    let mut zones = RegionFiles::default();
    let mut nodes = RegionFiles::default();
    let network = async {
        ec2::about_instances(desk, &mut files).await;
        ec2::network(desk, &mut files).await;
        ec2::of_vpcs(desk, vpcs, &mut files).await;
    };
    let names = async {
        route53::look(desk, &mut zones).await;
        route53::of_vpcs(desk, region, vpcs, &mut zones).await;
    };
    futures::join!(Box::pin(network), Box::pin(names), Box::pin(ssm::look(desk, request, &mut nodes)));
    RegionFiles {
        hosted_zones: zones.hosted_zones,
        record_sets: zones.record_sets,
        resolver_rules: zones.resolver_rules,
        profile_zones: zones.profile_zones,
        resolver_rule_associations: zones.resolver_rule_associations,
        firewall_associations: zones.firewall_associations,
        firewall_rules: zones.firewall_rules,
        firewall_domain_lists: zones.firewall_domain_lists,
        firewall_domains: zones.firewall_domains,
        profile_associations: zones.profile_associations,
        profile_resources: zones.profile_resources,
        instance_information: nodes.instance_information,
        patch_states: nodes.patch_states,
        connection_statuses: nodes.connection_statuses,
        installed_packages: nodes.installed_packages,
        associations: nodes.associations,
        service_setting: nodes.service_setting,
        patch_baselines: nodes.patch_baselines,
        patch_baseline_details: nodes.patch_baseline_details,
        patch_groups: nodes.patch_groups,
        default_patch_baselines: nodes.default_patch_baselines,
        maintenance_windows: nodes.maintenance_windows,
        maintenance_window_tasks: nodes.maintenance_window_tasks,
        maintenance_window_targets: nodes.maintenance_window_targets,
        group_queries: nodes.group_queries,
        ..files
    }
}

/// The instance profiles in use, and the roles of Default Host Management.
fn identities(seen: &AccountSnapshot) -> (BTreeSet<String>, BTreeSet<String>) {
    let files = || seen.regions.values();
    let instances = files().flat_map(|files| &files.instances).flat_map(ec2::judged);
    let profiles = instances.filter_map(|instance| instance.iam_instance_profile.as_ref()?.arn.clone()).collect();
    let settings = files().filter_map(|files| files.service_setting.as_ref()?.service_setting.setting_value.clone());
    (profiles, settings.filter(|role| !role.is_empty() && role != "$None").collect())
}
