//! Instances, some of them with a defect, and what is to be said of each.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::identity::{self, Dhmc, Profile};
use super::network::{Style, Vpc};
use super::{Place, insert, push, with};
use crate::random::Random;
use crate::store::Files;

/// What is wrong with an instance. The words that a report must find for it are in [`Defect::expected`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    NoRole,
    MetadataOff,
    ClosedGroup,
    Stopped,
    OldAgent,
    Unpatchable,
    Lost,
    NotTrusted,
    ProfileWithoutRole,
    MayNotRegister,
    ShutIn,
    NoChannels,
    MayNotReport,
    /// Everything that patching needs is allowed, and nothing else.
    FewActions,
    /// A patch policy targets it, whose bucket its role cannot read.
    BucketNotReadable,
    /// Quick Setup would attach what is lacking, and the boundary does not let it have it.
    CannotAttach,
}

const DEFECTS: [Defect; 16] = [
    Defect::NoRole,
    Defect::MetadataOff,
    Defect::ClosedGroup,
    Defect::Stopped,
    Defect::OldAgent,
    Defect::Unpatchable,
    Defect::Lost,
    Defect::NotTrusted,
    Defect::ProfileWithoutRole,
    Defect::MayNotRegister,
    Defect::ShutIn,
    Defect::NoChannels,
    Defect::MayNotReport,
    Defect::FewActions,
    Defect::BucketNotReadable,
    Defect::CannotAttach,
];
/// What an instance without a defect may have, and the patch policy that targets it. What the last role lacks Quick Setup may attach.
const SOUND: [(Profile, Option<&str>); 7] = [
    (Profile::Core, None),
    (Profile::Core, None),
    (Profile::Core, None),
    (Profile::Bounded, None),
    (Profile::Customer, None),
    (Profile::ReadsBucket, Some(identity::SCAN)),
    (Profile::Core, Some(identity::INSTALL)),
];
/// One instance in so many has a defect.
const ONE_IN: usize = 3;
const NEW_AGENT: &str = "3.3.4624.0";
/// What fails here is no obstacle to patching.
const HARMLESS: [&str; 3] = ["instance-stopped", "missed-by-every-policy", "role-lacks-agent-actions"];

/// Where an instance is, as far as it matters for what is said of it.
#[derive(Debug, Clone, Copy)]
struct Surroundings {
    style: Style,
    dhmc: Dhmc,
    region: &'static str,
    /// Whether it has the tag by which patch policies choose.
    is_chosen: bool,
}

impl Defect {
    /// Readiness, and the rules that fail.
    fn expected(self, at: Surroundings) -> (&'static str, Vec<&'static str>) {
        let no_path = vec!["ssm-path-blocked", "ssmmessages-path-blocked"];
        let is_targeted = at.region == identity::TARGET_REGION;
        let mut fail = match self {
            Self::None => vec![],
            Self::MetadataOff => vec!["metadata-endpoint-off"],
            Self::ClosedGroup | Self::Lost => vec!["connection-lost"],
            Self::Stopped => vec!["instance-stopped"],
            Self::OldAgent => vec!["agent-too-old-for-patching"],
            // Debian 13 comes with Python 3.13.
            Self::Unpatchable => vec!["os-not-patchable", "python-too-new"],
            // Where the profile gives the agent nothing, it turns to Default Host Management, which gives it everything.
            _ if self.relies_on_dhmc() && at.dhmc == Dhmc::On => vec![],
            Self::NoRole if at.dhmc == Dhmc::Off => vec!["no-instance-role"],
            Self::NotTrusted => vec!["role-not-trusted-by-ec2"],
            Self::ProfileWithoutRole => vec!["instance-profile-without-role"],
            Self::MayNotRegister | Self::ShutIn => vec!["role-cannot-register"],
            // A profile that lets the agent register is the one that it uses.
            Self::NoChannels if at.dhmc == Dhmc::Off => vec!["message-channels-not-allowed"],
            Self::NoChannels => vec!["profile-blocks-dhmc"],
            Self::MayNotReport => vec!["patch-actions-not-allowed"],
            Self::FewActions => vec!["role-lacks-agent-actions"],
            Self::BucketNotReadable if is_targeted => vec!["patch-policy-bucket-not-readable"],
            Self::CannotAttach if is_targeted => vec!["quick-setup-cannot-attach"],
            // A setting that names no role that exists counts as one that is on; what is wrong with it is said below.
            Self::NoRole | Self::BucketNotReadable | Self::CannotAttach => vec![],
        };
        if self.relies_on_dhmc() && at.dhmc == Dhmc::Broken {
            fail.push("dhmc-role-unusable");
        }
        if !self.is_registered(at.dhmc) {
            fail.push("not-registered");
        }
        if is_targeted && !at.is_chosen {
            fail.push("missed-by-every-policy");
        }
        if at.style == Style::Isolated {
            fail.extend(no_path);
            fail.extend(["s3-route-missing", "repository-path-blocked"]);
        } else if self == Self::ClosedGroup {
            fail.extend(no_path);
            fail.extend(["s3-egress-blocked", "repository-path-blocked"]);
        } else if self == Self::Unpatchable && at.style == Style::Endpoints {
            // Amazon's packages are in S3, behind the gateway endpoint; Debian's are on the internet.
            fail.push("repository-path-blocked");
        }
        fail.sort_unstable();
        let is_harmless = fail.iter().all(|rule| HARMLESS.contains(rule));
        (if is_harmless { "ready" } else { "not_ready" }, fail)
    }

    /// Whether the instance profile does not let the agent register.
    fn relies_on_dhmc(self) -> bool {
        matches!(self, Self::NoRole | Self::NotTrusted | Self::ProfileWithoutRole | Self::MayNotRegister | Self::ShutIn)
    }

    fn is_registered(self, dhmc: Dhmc) -> bool {
        self != Self::MetadataOff && (dhmc == Dhmc::On || !self.relies_on_dhmc())
    }

    /// The instance profile, and the patch policy that targets it.
    fn identity(self, random: &mut Random) -> (Option<Profile>, Option<&'static str>) {
        match self {
            Self::NoRole => (None, None),
            Self::NotTrusted => (Some(Profile::NotTrusted), None),
            Self::ProfileWithoutRole => (Some(Profile::Gone), None),
            Self::MayNotRegister => (Some(Profile::MayNotRegister), None),
            Self::ShutIn => (Some(Profile::ShutIn), None),
            Self::NoChannels => (Some(Profile::NoChannels), None),
            Self::MayNotReport => (Some(Profile::MayNotReport), None),
            Self::FewActions => (Some(Profile::Lean), None),
            Self::BucketNotReadable => (Some(Profile::Core), Some(identity::SCAN)),
            Self::CannotAttach => (Some(Profile::Bounded), Some(identity::INSTALL)),
            _ => random.pick(&SOUND).map_or((Some(Profile::Core), None), |(profile, policy)| (Some(*profile), *policy)),
        }
    }
}

/// The instances of a Region; what is told are the instance profiles that they have.
pub(super) fn instances(
    place: &Place,
    count: usize,
    vpcs: &[Vpc],
    dhmc: Dhmc,
    random: &mut Random,
    files: &mut Files,
    expected: &mut Map<String, Value>,
) -> BTreeSet<Profile> {
    let mut profiles = BTreeSet::new();
    for number in 0..count {
        let Some(vpc) = vpcs.get(number % vpcs.len().max(1)) else { break };
        let defect = if random.one_in(ONE_IN) { random.pick(&DEFECTS).copied().unwrap_or(Defect::None) } else { Defect::None };
        // Whoever has no path at all has lost its connection, if it ever had one.
        let defect = if vpc.style == Style::Isolated { Defect::Lost } else { defect };
        let name = format!("{defect:?}-{number:04}").to_lowercase();
        // The first addresses of the subnet, a /20, are the endpoints'; a VPC takes fewer instances than there are in a /24.
        let address = format!("{}.17.{}", vpc.network, 10 + number / vpcs.len().max(1));
        let (profile, policy) = defect.identity(random);
        profiles.extend(profile);
        let planted = Planted { defect, profile, policy, is_registered: defect.is_registered(dhmc) };
        instance(place, number, &name, &address, vpc, planted, files);
        let (readiness, fail) = defect.expected(Surroundings { style: vpc.style, dhmc, region: place.region, is_chosen: policy.is_some() });
        // Quick Setup may attach what is lacking, and has not done so.
        let waits = (profile, policy, place.region) == (Some(Profile::Core), Some(identity::INSTALL), identity::TARGET_REGION);
        let unknown: &[&str] = if waits { &["quick-setup-cannot-attach"] } else { &[] };
        let readiness = if waits && readiness == "ready" { "unknown" } else { readiness };
        expected.insert(
            place.id("i", number),
            json!({"account_id": place.account, "region": place.region, "name": name, "readiness": readiness, "fail": fail, "unknown": unknown}),
        );
    }
    profiles
}

/// What an instance is like.
#[derive(Debug, Clone, Copy)]
struct Planted {
    defect: Defect,
    profile: Option<Profile>,
    /// The patch policy whose tag it has.
    policy: Option<&'static str>,
    is_registered: bool,
}

fn instance(place: &Place, number: usize, name: &str, address: &str, vpc: &Vpc, planted: Planted, files: &mut Files) {
    let Planted { defect, profile, policy, is_registered } = planted;
    let id = &place.id("i", number);
    let (group, group_name) = if defect == Defect::ClosedGroup { (&vpc.closed_group, "closed") } else { (&vpc.open_group, "open") };
    let groups = json!([{"GroupId": group, "GroupName": group_name}]);
    let interface = place.id("eni", number);
    let mut tags = vec![json!({"Key": "Name", "Value": name})];
    tags.extend(policy.map(|policy| json!({"Key": identity::TARGET_TAG, "Value": policy})));
    let state = if defect == Defect::Stopped { json!({"Code": 80, "Name": "stopped"}) } else { json!({"Code": 16, "Name": "running"}) };
    let public = (vpc.style == Style::Public).then(|| format!("198.51.100.{}", number % 250 + 1));
    // Only an Elastic IP stays with an instance that is stopped.
    let owner = if defect == Defect::Stopped { place.account.as_str() } else { "amazon" };
    let association = public.as_ref().map(|public| json!({"PublicIp": public, "IpOwnerId": owner}));
    let addresses = json!([{"Primary": true, "PrivateIpAddress": address, "Association": association}]);
    let attachment = json!({"AttachmentId": place.id("eni-attach", number), "DeviceIndex": 0, "NetworkCardIndex": 0, "Status": "attached"});
    let own_interface = json!({"NetworkInterfaceId": interface, "SubnetId": vpc.subnet, "VpcId": vpc.id, "OwnerId": place.account, "Status": "in-use",
        "InterfaceType": "interface", "PrivateIpAddress": address, "PrivateIpAddresses": addresses, "Association": association, "Attachment": attachment,
        "Groups": groups, "SourceDestCheck": true});
    let mut instance = json!({"InstanceId": id, "ImageId": place.id("ami", 1), "InstanceType": "t3.medium", "Architecture": "x86_64", "State": state,
        "PlatformDetails": "Linux/UNIX", "UsageOperation": "RunInstances", "LaunchTime": "2025-03-11T07:42:18+00:00",
        "Placement": {"AvailabilityZone": format!("{}a", place.region), "AvailabilityZoneId": "sim1-az1", "Tenancy": "default"},
        "VpcId": vpc.id, "SubnetId": vpc.subnet, "PrivateIpAddress": address, "PublicIpAddress": public, "SourceDestCheck": true,
        "SecurityGroups": groups, "NetworkInterfaces": [own_interface], "Operator": {"Managed": false}, "Tags": tags,
        "MetadataOptions": {"State": "applied", "HttpTokens": "required", "HttpPutResponseHopLimit": 2, "InstanceMetadataTags": "disabled",
            "HttpEndpoint": if defect == Defect::MetadataOff { "disabled" } else { "enabled" }}});
    if let Some(profile) = profile {
        instance = with(instance, "IamInstanceProfile", identity::of_instance(&place.account, profile));
    }
    push(
        files,
        "ec2-describe-instances",
        "Reservations",
        pruned(json!({"ReservationId": place.id("r", number), "OwnerId": place.account, "Instances": [instance]})),
    );
    let attached = json!({"AttachmentId": place.id("eni-attach", number), "InstanceId": id, "InstanceOwnerId": place.account, "DeviceIndex": 0,
        "Status": "attached"});
    push(
        files,
        "ec2-describe-network-interfaces",
        "NetworkInterfaces",
        pruned(
            json!({"NetworkInterfaceId": interface, "InterfaceType": "interface", "SubnetId": vpc.subnet, "VpcId": vpc.id, "OwnerId": place.account,
            "AvailabilityZone": format!("{}a", place.region), "Status": "in-use", "PrivateIpAddress": address, "PrivateIpAddresses": addresses,
            "Association": association, "Attachment": attached, "Groups": groups, "SourceDestCheck": true}),
        ),
    );
    let (image, image_owner) = match defect {
        Defect::Unpatchable => ("debian-13-amd64-20260112-2355", "136693071363"),
        _ => ("al2023-ami-2023.9.20260914.0-kernel-6.12-x86_64", "137112412989"),
    };
    push(
        files,
        "ec2-describe-instance-image-metadata",
        "InstanceImageMetadata",
        json!({"InstanceId": id, "InstanceType": "t3.medium", "OwnerId": place.account, "Tags": tags, "ImageMetadata": {"ImageId": place.id("ami", 1),
            "Name": image, "OwnerId": image_owner, "State": "available", "IsPublic": true}}),
    );
    if defect != Defect::Stopped {
        push(
            files,
            "ec2-describe-instance-status",
            "InstanceStatuses",
            json!({"InstanceId": id, "InstanceState": state, "InstanceStatus": {"Status": "ok"}, "SystemStatus": {"Status": "ok"}}),
        );
    }
    if is_registered {
        node(id, address, defect, files);
    }
}

fn node(id: &str, address: &str, defect: Defect, files: &mut Files) {
    let (ping, last) = match defect {
        Defect::ClosedGroup | Defect::Lost | Defect::Stopped => ("ConnectionLost", "2026-10-08T14:31:05.882000+00:00"),
        _ => ("Online", "2026-11-23T09:58:51.417000+00:00"),
    };
    let (platform, version) = if defect == Defect::Unpatchable { ("Debian GNU/Linux", "13") } else { ("Amazon Linux", "2023") };
    let agent = if defect == Defect::OldAgent { "2.0.755.0" } else { NEW_AGENT };
    push(
        files,
        "ssm-describe-instance-information",
        "InstanceInformationList",
        json!({"InstanceId": id, "PingStatus": ping, "LastPingDateTime": last, "AgentVersion": agent, "IsLatestVersion": agent == NEW_AGENT,
            "PlatformType": "Linux", "PlatformName": platform, "PlatformVersion": version, "ResourceType": "EC2Instance", "IPAddress": address,
            "ComputerName": format!("{id}.internal"), "SourceId": id, "SourceType": "AWS::EC2::Instance"}),
    );
    // Of a node that nobody gathered the inventory of, AWS lists nothing.
    let python = if defect == Defect::Unpatchable { "3.13.5-1" } else { "3.9.25" };
    let packages = [("bash", "5.2.15"), ("python3", python), ("zstd", "1.5.5"), ("xz", "5.2.5"), ("unzip", "6.0")];
    let packages = if ping == "Online" { packages.as_slice() } else { &[] };
    let packages: Vec<Value> = packages.iter().map(|(name, version)| json!({"Name": name, "Version": version})).collect();
    insert(files, "ssm-list-inventory-entries", "Entries", id, Value::Array(packages));
    if ping == "Online" {
        // So old an agent has no channel of this kind.
        let status = if defect == Defect::OldAgent { "notconnected" } else { "connected" };
        insert(files, "ssm-get-connection-status", "ConnectionStatuses", id, json!({"Target": id, "Status": status}));
    }
}

/// Without the members that are null, as AWS leaves them out.
fn pruned(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, pruned(value)));
            Value::Object(kept.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(pruned).collect()),
        other => other,
    }
}
