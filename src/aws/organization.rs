//! Organizations: the accounts, the tree of units above them, walked top-down once, and the policies that are attached to it.

use std::collections::BTreeMap;

use aws_sdk_organizations::types::PolicyType;

use super::desk::Desk;
use super::gap::Refusal;
use super::shapes::Shape;
use crate::snapshot::OrganizationFiles;
use crate::snapshot::global as file;

const ACCOUNTS: &str = "organizations:ListAccounts";
const ORGANIZATION: &str = "organizations:DescribeOrganization";
const POLICIES: &str = "organizations:ListPolicies";
const POLICY: &str = "organizations:DescribePolicy";
const TARGETS: &str = "organizations:ListTargetsForPolicy";
const UNITS: &str = "organizations:ListOrganizationalUnitsForParent";
const MEMBERS: &str = "organizations:ListAccountsForParent";
/// The largest page of every list of Organizations.
const PAGE: i32 = 20;

/// Where Organizations of a partition is asked: it has one endpoint each.
pub(super) fn home(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-northwest-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// Reads the organization. Whatever could not be read is a gap of the desk; an account outside any organization has none to read.
pub(super) async fn look(desk: &Desk) -> OrganizationFiles {
    let mut files = OrganizationFiles::default();
    let client = desk.organizations();
    match organization(desk).await {
        Ok(organization) => files.organization = organization,
        Err(refusal) => desk.miss(ORGANIZATION, refusal),
    }
    let accounts = desk.pages(
        ACCOUNTS,
        |token| client.list_accounts().max_results(PAGE).set_next_token(token).send(),
        |page| (page.accounts, page.next_token),
    );
    files.accounts = accounts.await.map(|accounts| file::ListAccounts { accounts });
    files.units = match tree(desk).await {
        Ok(units) => Some(units),
        Err((operation, refusal)) => {
            desk.miss(operation, refusal);
            None
        }
    };
    files.policies = policies(desk).await;
    files
}

/// What an account may learn of the organization that it is in without being asked for it: whose it is, which decides whether policies bind the
/// account. What is refused is no gap.
pub(super) async fn of_account(desk: &Desk) -> OrganizationFiles {
    match organization(desk).await {
        Ok(organization) => OrganizationFiles { organization, ..OrganizationFiles::default() },
        // Outside of an organization there are no policies of one.
        Err(refusal) if refusal.has_code("AWSOrganizationsNotInUseException") => {
            OrganizationFiles { policies: Some(file::OrganizationPolicies::default()), ..OrganizationFiles::default() }
        }
        Err(_) => OrganizationFiles::default(),
    }
}

async fn organization(desk: &Desk) -> Result<Option<file::DescribeOrganization>, Refusal> {
    let answer = desk.attempt(ORGANIZATION, desk.organizations().describe_organization().send()).await?;
    let organization: Option<file::OrganizationDetail> = answer.organization.shape();
    Ok(organization.map(|organization| file::DescribeOrganization { organization }))
}

/// The service control policies and resource control policies. One whose document or targets were refused stands there without.
async fn policies(desk: &Desk) -> Option<file::OrganizationPolicies> {
    let client = desk.organizations();
    let mut all = file::OrganizationPolicies::default();
    for kind in [PolicyType::ServiceControlPolicy, PolicyType::ResourceControlPolicy] {
        let listed = desk.pages(
            POLICIES,
            |token| client.list_policies().filter(kind.clone()).max_results(PAGE).set_next_token(token).send(),
            |page| (page.policies, page.next_token),
        );
        let listed: Vec<file::OrganizationPolicy> = listed.await?;
        for mut policy in listed {
            let Some(id) = policy.id.clone() else { continue };
            if let Some(answer) = desk.once(POLICY, client.describe_policy().policy_id(&id).send()).await {
                policy.content = answer.policy.and_then(|policy| policy.content);
            }
            let targets = desk.pages(
                TARGETS,
                |token| client.list_targets_for_policy().policy_id(&id).max_results(PAGE).set_next_token(token).send(),
                |page| {
                    let ids = page.targets.map(|targets| targets.into_iter().filter_map(|target| target.target_id).collect());
                    (ids, page.next_token)
                },
            );
            if let Some(mut targets) = targets.await {
                targets.sort();
                all.targets.insert(id, targets);
            }
            all.policies.push(policy);
        }
    }
    Some(all)
}

/// The units with their parents, and the parent of each account. A tree of which one branch is missing is unknown.
async fn tree(desk: &Desk) -> Result<file::OrganizationalUnits, (&'static str, Refusal)> {
    const ROOTS: &str = "organizations:ListRoots";
    let client = desk.organizations();
    let roots = desk.try_pages(
        ROOTS,
        |token| client.list_roots().max_results(PAGE).set_next_token(token).send(),
        |page| (page.roots.map(|roots| roots.into_iter().filter_map(|root| root.id).collect()), page.next_token),
    );
    let mut open: Vec<String> = roots.await.map_err(|refusal| (ROOTS, refusal))?;
    let mut organizational_units = Vec::new();
    let mut parents = BTreeMap::new();
    while let Some(parent) = open.pop() {
        let units = desk.try_pages(
            UNITS,
            |token| client.list_organizational_units_for_parent().parent_id(&parent).max_results(PAGE).set_next_token(token).send(),
            |page| {
                let named = page.organizational_units.map(|units| {
                    units.into_iter().map(|unit| [unit.id.unwrap_or_default(), unit.name.unwrap_or_default()].join("\n")).collect()
                });
                (named, page.next_token)
            },
        );
        let units: Vec<String> = units.await.map_err(|refusal| (UNITS, refusal))?;
        for unit in units {
            let (id, name) = unit.split_once('\n').unwrap_or((&unit, ""));
            parents.insert(id.to_owned(), parent.clone());
            organizational_units.push(file::OrganizationalUnit {
                id: Some(id.to_owned()),
                name: Some(name.to_owned()),
                parent_id: Some(parent.clone()),
            });
            open.push(id.to_owned());
        }
        let members = desk.try_pages(
            MEMBERS,
            |token| client.list_accounts_for_parent().parent_id(&parent).max_results(PAGE).set_next_token(token).send(),
            |page| (page.accounts.map(|accounts| accounts.into_iter().filter_map(|account| account.id).collect()), page.next_token),
        );
        let members: Vec<String> = members.await.map_err(|refusal| (MEMBERS, refusal))?;
        parents.extend(members.into_iter().map(|account| (account, parent.clone())));
    }
    organizational_units.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(file::OrganizationalUnits { organizational_units, parents })
}
