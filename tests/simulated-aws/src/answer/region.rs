//! EC2, Systems Manager and DNS: what is kept by Region.

use serde_json::{Value, json};

use super::{Parameters, Question, is_on, items, list, part};
use crate::refusal::{Refusal, Trouble};
use crate::render::{Body, Part};
use crate::store::{Account, Files, text};

/// Calls that take an id, kept as a map from that id: the operation, the parameter with the id, the map, and the answer's member.
const BY_ID: &[(&str, &str, &str, &str)] = &[
    ("GetManagedPrefixListEntries", "PrefixListId", "PrefixListEntries", "Entries"),
    ("SearchTransitGatewayRoutes", "TransitGatewayRouteTableId", "TransitGatewayRoutes", "Routes"),
    ("GetTransitGatewayRouteTableAssociations", "TransitGatewayRouteTableId", "Associations", "Associations"),
    (
        "GetTransitGatewayRouteTablePropagations",
        "TransitGatewayRouteTableId",
        "TransitGatewayRouteTablePropagations",
        "TransitGatewayRouteTablePropagations",
    ),
    ("ListHostedZonesByVPC", "VPCId", "HostedZoneSummaries", "HostedZoneSummaries"),
    ("ListResourceRecordSets", "HostedZoneId", "ResourceRecordSets", "ResourceRecordSets"),
    ("GetHostedZone", "Id", "HostedZones", "HostedZone"),
    ("ListFirewallRules", "FirewallRuleGroupId", "FirewallRules", "FirewallRules"),
    ("ListFirewallDomains", "FirewallDomainListId", "Domains", "Domains"),
    ("ListProfileResourceAssociations", "ProfileId", "ProfileResourceAssociations", "ProfileResourceAssociations"),
    ("DescribeMaintenanceWindowTasks", "WindowId", "Tasks", "Tasks"),
    ("DescribeMaintenanceWindowTargets", "WindowId", "Targets", "Targets"),
    ("GetGroupQuery", "Group", "GroupQueries", "GroupQuery"),
    ("GetConnectionStatus", "Target", "ConnectionStatuses", "Status"),
    ("ListInventoryEntries", "InstanceId", "Entries", "Entries"),
    ("GetPatchBaseline", "BaselineId", "PatchBaselines", "BaselineId"),
    ("GetDefaultPatchBaseline", "OperatingSystem", "DefaultPatchBaselines", "BaselineId"),
];
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstancePatchStates.html>
const MOST_INSTANCES: usize = 50;
/// Regions that are off unless somebody turns them on, for `--all-regions`.
const OPT_IN: [&str; 2] = ["af-south-1", "ap-east-1"];

pub(super) fn answer<'a>(question: &Question<'a>, account: &'a Account, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    let operation = question.call.operation.name.as_str();
    if operation == "DescribeRegions" {
        return regions(question, account, parameters);
    }
    if let Some(by_id) = BY_ID.iter().find(|(name, ..)| *name == operation) {
        return by_id_answer(question, account, parameters, *by_id);
    }
    let files = region_files(question, account, question.region)?;
    let file = files.get(&file_name(&question.call.service.name, operation)).ok_or_else(|| question.missing(Some(question.region)))?;
    match operation {
        "DescribeVpcAttribute" => vpc_attribute(question, file, parameters),
        "GetServiceSetting" => service_setting(question, file, parameters),
        "DescribeInstances" => instances(question, file, parameters),
        "DescribeInstancePatchStates" => patch_states(question, file, parameters),
        _ => plain(question, file, parameters),
    }
}

/// The files of a Region, if it is on.
fn region_files<'a>(question: &Question<'a>, account: &'a Account, region: &str) -> Result<&'a Files, Refusal> {
    let off = || {
        let gap = question.store.gap(&question.identity.account, Some(region), &question.name());
        gap.unwrap_or_else(|| question.refuse(Trouble::BadCredentials, ""))
    };
    account.regions.get(region).ok_or_else(off)
}

/// `DescribeVpcs` of `ec2` is kept in `ec2-describe-vpcs.json`.
pub(super) fn file_name(service: &str, operation: &str) -> String {
    let letters: Vec<char> = operation.chars().collect();
    let mut name = format!("{service}-");
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        if letter.is_ascii_uppercase() && before.is_some_and(char::is_ascii_lowercase) {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name + ".json"
}

fn regions<'a>(question: &Question<'a>, account: &'a Account, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    question.stop_at_gap()?;
    let wanted = parameters.words("RegionNames");
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted.contains(&name));
    let entry =
        |name: &str, status: &str| json!({"RegionName": name, "Endpoint": format!("ec2.{name}.amazonaws.com"), "OptInStatus": status});
    let on = account.regions.keys().filter(|name| is_wanted(name)).map(|name| entry(name, "opt-in-not-required"));
    let mut regions: Vec<Value> = on.collect();
    if parameters.is_true("AllRegions") {
        let off = OPT_IN.iter().filter(|name| !is_on(account, name) && is_wanted(name));
        regions.extend(off.map(|name| entry(name, "not-opted-in")));
    }
    Ok(vec![part("Regions", Value::Array(regions))])
}

fn by_id_answer<'a>(
    question: &Question<'a>,
    account: &'a Account,
    parameters: &Parameters<'a>,
    (operation, parameter, map, member): (&'static str, &str, &str, &'static str),
) -> Result<Body<'a>, Refusal> {
    let id = parameters.text(parameter).unwrap_or_default();
    if operation == "ListInventoryEntries" && parameters.text("TypeName") != Some("AWS:Application") {
        return Ok(vec![list(member, &[])]);
    }
    // Route 53 is global: it is told the Region of a VPC, and knows zones without one.
    let (keeper, region) = match operation {
        "ListHostedZonesByVPC" => (None, parameters.text("VPCRegion").unwrap_or_default().to_owned()),
        "ListResourceRecordSets" | "GetHostedZone" => match zone_place(question, map, id)? {
            Some((keeper, region)) => (Some(keeper), region),
            None => (None, question.region.to_owned()),
        },
        _ => (None, question.region.to_owned()),
    };
    let keeper = keeper.unwrap_or(&question.identity.account);
    let account = question.store.accounts.get(keeper).unwrap_or(account);
    let file = region_files(question, account, &region)?.get(&file_name(&question.call.service.name, operation));
    let missing = || {
        let gap = question.store.gap(keeper, Some(&region), &question.name());
        gap.unwrap_or_else(|| match file {
            // The file is there, and has no such id: neither has AWS.
            Some(_) if question.call.service.name == "ec2" => Refusal::new(
                format!("Invalid{}.NotFound", parameter.replace("Id", "ID")),
                400,
                format!("The {parameter} '{id}' does not exist"),
            ),
            Some(_) => question.refuse(Trouble::NotFound, format!("No {parameter} found with id {id}")),
            None => question.missing(Some(&region)),
        })
    };
    let found = file.and_then(|file| file.get(map)).and_then(|map| map.get(id)).ok_or_else(missing)?;
    Ok(match found {
        Value::Array(items) if operation == "SearchTransitGatewayRoutes" => vec![list(member, of_states(question, items, parameters)?)],
        Value::Array(items) => vec![list(member, items)],
        Value::Object(answer) => answer.iter().map(|(name, value)| (name.as_str().into(), value.into())).collect(),
        other => vec![part(member, other), part("OperatingSystem", Value::from(id))],
    })
}

/// The account and Region whose files hold what is asked of a zone, or else those where it was refused. Route 53 shows it to the zone's
/// owner alone; a snapshot keeps it wherever the zone answers for a VPC, by itself or by a Profile.
fn zone_place<'a>(question: &Question<'a>, map: &str, zone: &str) -> Result<Option<(&'a String, String)>, Refusal> {
    let caller = &question.identity.account;
    let accounts = || question.store.accounts.iter();
    let owners = |files: &'a Files| {
        let lists = |file: &str, member: &str| {
            let map = files.get(file).and_then(|file| file.get(member)).and_then(Value::as_object);
            map.into_iter().flat_map(|map| map.values()).filter_map(Value::as_array).flatten()
        };
        let summaries = lists("route53-list-hosted-zones-by-vpc.json", "HostedZoneSummaries");
        let resources = lists("route53profiles-list-profile-resource-associations.json", "ProfileResourceAssociations");
        let is_it = |arn: &str| arn.split_once(":hostedzone/").is_some_and(|(_, id)| id == zone);
        let of_vpcs =
            summaries.filter(|summary| text(summary, "HostedZoneId") == Some(zone)).map(|one| one.pointer("/Owner/OwningAccount"));
        let of_profiles = resources.filter(move |resource| text(resource, "ResourceArn").is_some_and(is_it)).map(|one| one.get("OwnerId"));
        of_vpcs.chain(of_profiles).collect::<Vec<_>>()
    };
    let mut seen = accounts().flat_map(|(_, account)| account.regions.values()).flat_map(owners);
    let owner = seen.find_map(|owner| owner?.as_str());
    if owner.is_some_and(|owner| owner != caller) {
        return Err(question.refuse(Trouble::AccessDenied, format!("User is not authorized to access the hosted zone {zone}")));
    }
    let file = file_name(&question.call.service.name, &question.call.operation.name);
    let holds = |files: &Files| files.get(&file).and_then(|file| file.get(map)).is_some_and(|map| map.get(zone).is_some());
    let is_refused = |id: &str, region: &str| question.store.gap(id, Some(region), &question.name()).is_some();
    let places = || accounts().flat_map(|(id, account)| account.regions.iter().map(move |(region, files)| (id, region, files)));
    let own = || places().filter(|(id, ..)| *id == caller);
    let of_zone = || places().filter(|(_, _, files)| owner.is_some() && !owners(files).is_empty());
    let found = own().chain(of_zone()).find(|(_, _, files)| holds(files));
    let found = found.or_else(|| of_zone().chain(own()).find(|(id, region, _)| is_refused(id, region)));
    Ok(found.map(|(id, region, _)| (id, region.clone())))
}

/// The routes in the states that the filter names; AWS demands a filter.
fn of_states<'a>(question: &Question<'a>, routes: &'a [Value], parameters: &Parameters<'a>) -> Result<Vec<&'a Value>, Refusal> {
    let filters = parameters.take("Filters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [filter] = filters else { return Err(question.refuse(Trouble::BadParameter, "Exactly one filter is honoured: state.")) };
    if text(filter, "Name") != Some("state") {
        return Err(question.refuse(Trouble::BadParameter, "Exactly one filter is honoured: state."));
    }
    let states: Vec<&str> = items(Some(filter), "Values").unwrap_or_default().iter().filter_map(Value::as_str).collect();
    // The snapshot may leave a state out; such a route is active.
    Ok(routes.iter().filter(|route| states.contains(&text(route, "State").unwrap_or("active"))).collect())
}

fn vpc_attribute<'a>(question: &Question<'a>, file: &'a Value, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    let id = parameters.text("VpcId").unwrap_or_default();
    let member = match parameters.text("Attribute") {
        Some("enableDnsSupport") => "EnableDnsSupport",
        Some("enableDnsHostnames") => "EnableDnsHostnames",
        other => return Err(question.refuse(Trouble::BadParameter, format!("The attribute {other:?} is not kept."))),
    };
    let vpc = items(Some(file), "VpcAttributes").unwrap_or_default().iter().find(|vpc| text(vpc, "VpcId") == Some(id));
    let gap = || question.store.gap(&question.identity.account, Some(question.region), &question.name());
    let absent = || gap().unwrap_or_else(|| Refusal::new("InvalidVpcID.NotFound", 400, format!("The vpc ID '{id}' does not exist")));
    let value = vpc.ok_or_else(absent)?.get(member).ok_or_else(|| question.missing(Some(question.region)))?;
    Ok(vec![part("VpcId", Value::from(id)), part(member, value)])
}

fn service_setting<'a>(_question: &Question<'a>, file: &'a Value, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    let wanted = parameters.text("SettingId").unwrap_or_default();
    let setting = file.get("ServiceSetting").filter(|setting| {
        let id = text(setting, "SettingId").unwrap_or_default();
        wanted == id || wanted.ends_with(&format!(":servicesetting{id}"))
    });
    let setting = setting.ok_or_else(|| Refusal::new("ServiceSettingNotFound", 400, format!("{wanted} is not a setting")))?;
    Ok(vec![part("ServiceSetting", setting)])
}

fn instances<'a>(_question: &Question<'a>, file: &'a Value, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    let reservations = items(Some(file), "Reservations").unwrap_or_default();
    let ids = parameters.words("InstanceIds");
    let all = parameters.is_true("IncludeManagedResources");
    let of = |reservation: &'a Value| items(Some(reservation), "Instances").unwrap_or_default();
    let is_shown = |instance: &Value| {
        let is_hidden = instance.pointer("/Operator/HiddenByDefault").and_then(Value::as_bool).unwrap_or_default();
        let is_wanted = ids.as_ref().is_none_or(|ids| text(instance, "InstanceId").is_some_and(|id| ids.contains(&id)));
        is_wanted && (all || !is_hidden)
    };
    if let Some(ids) = &ids {
        if parameters.take("MaxResults").is_some() {
            let message = "The parameter instancesSet cannot be used with the parameter maxResults";
            return Err(Refusal::new("InvalidParameterCombination", 400, message));
        }
        let known: Vec<&str> = reservations.iter().flat_map(of).filter_map(|instance| text(instance, "InstanceId")).collect();
        if let Some(id) = ids.iter().find(|id| !known.contains(*id)) {
            return Err(Refusal::new("InvalidInstanceID.NotFound", 400, format!("The instance ID '{id}' does not exist")));
        }
    }
    if reservations.iter().flat_map(of).all(is_shown) {
        return Ok(vec![list("Reservations", reservations)]);
    }
    let cut = reservations.iter().filter_map(|reservation| {
        let shown: Vec<Value> = of(reservation).iter().filter(|instance| is_shown(instance)).cloned().collect();
        let mut reservation = reservation.clone();
        let is_empty = shown.is_empty();
        *reservation.get_mut("Instances")? = Value::Array(shown);
        (!is_empty).then_some(reservation)
    });
    Ok(vec![part("Reservations", Value::Array(cut.collect()))])
}

fn patch_states<'a>(question: &Question<'a>, file: &'a Value, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    let ids = parameters.words("InstanceIds").unwrap_or_default();
    if ids.is_empty() || ids.len() > MOST_INSTANCES {
        return Err(question.refuse(Trouble::BadParameter, format!("InstanceIds must have 1 to {MOST_INSTANCES} members")));
    }
    let states = items(Some(file), "InstancePatchStates").unwrap_or_default();
    let of_ids = states.iter().filter(|state| text(state, "InstanceId").is_some_and(|id| ids.contains(&id)));
    Ok(vec![list("InstancePatchStates", of_ids)])
}

/// A file whose members are the answer's.
fn plain<'a>(question: &Question<'a>, file: &'a Value, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    // What is shown by default is what the snapshot kept.
    for switch in ["IncludeManagedResources", "IncludeAllInstances"] {
        parameters.take(switch);
    }
    let mut body = Body::new();
    for (name, value) in file.as_object().into_iter().flatten() {
        body.push((
            name.as_str().into(),
            match value {
                Value::Array(items) => Part::List(items.iter().collect()),
                other => other.into(),
            },
        ));
    }
    if let (Some((given, ids)), [(_, Part::List(items))]) = (ids(question, parameters), body.as_mut_slice()) {
        let member = given.trim_end_matches('s');
        let known = |id: &str| items.iter().any(|item| text(item, member) == Some(id));
        if let Some(id) = ids.iter().find(|id| !known(id)) {
            let code = format!("Invalid{}.NotFound", member.replace("Id", "ID"));
            return Err(Refusal::new(code, 400, format!("The {member} '{id}' does not exist")));
        }
        items.retain(|item| text(item, member).is_some_and(|id| ids.contains(&id)));
    }
    Ok(body)
}

/// The list of ids that the request names: `VpcIds` of `DescribeVpcs`.
fn ids<'a>(question: &Question<'a>, parameters: &Parameters<'a>) -> Option<(&'a str, Vec<&'a str>)> {
    let name = question.call.input.keys().find(|name| question.call.service.name == "ec2" && name.ends_with("Ids"))?;
    Some((name, parameters.words(name)?))
}
