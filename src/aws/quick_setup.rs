//! Quick Setup: the configurations that exist already, in the management account, and the buckets of its patch policies.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::desk::Desk;
use super::shapes::Shape;
use crate::snapshot::global::{self as file, patch_policy_bucket};

const LIST: &str = "ssm-quicksetup:ListConfigurationManagers";
const GET: &str = "ssm-quicksetup:GetConfigurationManager";
const POLICY: &str = "s3:GetBucketPolicy";
const PAGE: i32 = 100;
/// Of a bucket that has no policy.
const ABSENT: &str = "NoSuchBucketPolicy";

/// What Quick Setup holds. A Region lists what was made in it alone, so that all of them are asked; one that gives no answer makes the whole unknown.
pub(super) async fn look(desk: &Desk, regions: &[String]) -> Option<file::GetConfigurationManager> {
    let of_region = |region: &String| {
        let desk = desk.asking_in(region);
        async move {
            let managers = in_region(&desk).await;
            (managers, desk.close())
        }
    };
    let (mut all, mut is_whole) = (BTreeMap::new(), true);
    for (managers, gaps) in join_all(regions.iter().map(of_region)).await {
        desk.take_over(gaps);
        match managers {
            Some(managers) => all.extend(managers.into_iter().map(|manager| (manager.manager_arn.clone(), manager))),
            None => is_whole = false,
        }
    }
    is_whole.then(|| file::GetConfigurationManager { configuration_managers: all.into_values().collect() })
}

async fn in_region(desk: &Desk) -> Option<Vec<file::ConfigurationManager>> {
    let client = desk.quick_setup();
    let arns = desk.pages(
        LIST,
        |token| client.list_configuration_managers().max_items(PAGE).set_starting_token(token).send(),
        |page| {
            let arns = page.configuration_managers_list.map(|managers| managers.into_iter().map(|manager| manager.manager_arn).collect());
            (arns, page.next_token)
        },
    );
    let arns: Vec<String> = arns.await?;
    let mut managers = Vec::new();
    for arn in arns {
        let manager = desk.once(GET, client.get_configuration_manager().manager_arn(&arn).send()).await?;
        managers.push(file::ConfigurationManager {
            manager_arn: Some(manager.manager_arn),
            name: manager.name,
            description: manager.description,
            configuration_definitions: manager.configuration_definitions.shape(),
            status_summaries: manager.status_summaries.shape(),
            tags: manager.tags.shape(),
        });
    }
    Some(managers)
}

/// The Regions whose patch baselines its patch policies take, where they are not AWS's own: those may have no instances, and be looked at for nothing
/// else.
pub(super) fn regions_of_baselines(quick_setup: &file::GetConfigurationManager) -> BTreeSet<String> {
    let regions = quick_setup.configuration_managers.iter().flat_map(|manager| {
        let policies = manager.configuration_definitions.iter().filter(|definition| definition.is_patch_policy());
        // AWS's own are named by ARN.
        let has_own = |parameter: &String| parameter.contains("\"pb-");
        let with_own = policies.filter(move |definition| definition.parameters.get("SelectedPatchBaselines").is_some_and(has_own));
        with_own.filter_map(|definition| {
            let told = definition.parameters.get("PatchBaselineRegion").filter(|region| !region.is_empty());
            told.cloned().or_else(|| manager.region().map(str::to_owned))
        })
    });
    regions.collect()
}

/// The policies of the buckets of its patch policies, each asked for where the patch policy was made. One that gives no answer is not among them.
pub(super) async fn buckets(desk: &Desk, quick_setup: &file::GetConfigurationManager) -> file::GetBucketPolicy {
    let mut bucket_policies = BTreeMap::new();
    for manager in &quick_setup.configuration_managers {
        let account = manager.account().unwrap_or(&desk.account_id);
        let ids = manager.configuration_definitions.iter().filter(|definition| definition.is_patch_policy());
        for id in ids.filter_map(|definition| definition.id.as_deref()).filter(|id| !id.is_empty()) {
            let Some(region) = manager.region() else { continue };
            let name = patch_policy_bucket(account, id);
            let there = desk.asking_in(region);
            match there.attempt(POLICY, there.s3().get_bucket_policy().bucket(&name).expected_bucket_owner(account).send()).await {
                Ok(answer) => {
                    bucket_policies.insert(name, file::BucketPolicy { policy: answer.policy });
                }
                Err(refusal) if refusal.has_code(ABSENT) => {
                    bucket_policies.insert(name, file::BucketPolicy::default());
                }
                Err(refusal) => desk.miss(POLICY, refusal),
            }
        }
    }
    file::GetBucketPolicy { bucket_policies }
}
