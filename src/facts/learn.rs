//! Learns the facts of one instance from the model: the only place where the rules' vocabulary meets network, identity and platform.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::observation::{self, Observation, Proven, Seen};
use super::policies::{patch_policies, policy_buckets};
use super::repositories::{declared, sources};
use super::{
    AccountFacts, AgentFacts, Facts, IdentityFacts, InstanceFacts, InstanceState, PackagesFacts, PathFacts, PathVerdict, PathsFacts, Ping,
    PlatformFacts, PlatformSource, PolicyFacts, RegionFacts, Switch,
};
use crate::identity::{self, Identities, Identity};
use crate::model::Region;
use crate::model::known::{Known, Unknown};
use crate::network::{self, Authorization, Buckets, Code, Ec2Messages, Judged, Needs, Network, Path, Place, PortFamily, Target, Verdict};
use crate::platform::{self, AgentVersion, Answer, Declared, Family, Mirrors, Observed, Platform, Source, Tables};
use crate::policy::{Node, Policies, Reach, standing};
use crate::snapshot::ec2::{Instance, Tag};
use crate::snapshot::ssm::InstanceInformation;

/// What the facts of every instance of a scan share.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'s> {
    pub tables: &'s Tables,
    /// What the user declared of mirrors and proxies.
    pub mirrors: &'s Mirrors,
    /// The patch policies, planned and existing.
    pub policies: &'s Policies,
    /// When the snapshot was taken; without it nothing is fresh and nothing is past its end.
    pub captured_at: Option<Timestamp>,
}

/// The account of an instance, as the organization knows it.
#[derive(Debug, Clone, Copy)]
pub struct AccountNames<'s> {
    pub id: &'s str,
    pub name: &'s str,
    pub ou_path: &'s str,
    pub partition: &'s str,
}

/// The facts of one instance, with what stands behind them.
#[derive(Debug, Clone)]
pub struct Learned {
    pub facts: Facts,
    pub paths: Vec<Arc<Path>>,
    /// The one verdict over every host that patches come from.
    pub repository: Path,
    /// By what the paths were judged.
    pub needs: Needs,
    pub platform: Platform,
    /// Patch Manager's word for the operating system.
    pub patched_as: Option<String>,
    /// What each policy does with the instance, in their order.
    pub reaches: Vec<Reach>,
    pub last_ping_at: Option<String>,
    /// Whether the model agrees with a fresh sign of life; `None` without one.
    pub agrees: Option<bool>,
    /// What follows from a sign of life or from its absence, and what the user vouches for, in whole sentences.
    pub notes: Vec<String>,
}

pub fn learn<'r, 'a>(
    network: &Network<'r, 'a>,
    identities: &Identities<'a>,
    region: &'r Region<'a>,
    instance: &'a Instance,
    account: AccountNames<'_>,
    surroundings: Surroundings<'_>,
) -> Learned {
    let id = instance.instance_id.as_deref().unwrap_or_default();
    let node = region.node(id);
    let registered = node.known().copied().flatten();
    let observed = observed(region, instance, registered);
    let platform = platform::identify(surroundings.tables, &observed);
    let version = registered.and_then(|node| node.agent_version.as_deref()).and_then(|text| text.parse::<AgentVersion>().ok());
    let ports = match platform.family {
        Some(Family::Linux) => PortFamily::Linux,
        Some(Family::Windows | Family::MacOs) => PortFamily::WindowsOrMac,
        None => PortFamily::Unknown,
    };
    let agent = agent_facts(&node, version, id);
    let patched_as = platform::patch_baseline_operating_system(surroundings.tables, &platform);
    let target = Node { region, id, tags: &instance.tags, operating_system: patched_as, ou_path: account.ou_path };
    let reaches = surroundings.policies.reach(&target);
    let standing = standing(surroundings.policies, &reaches, &target);
    let patched_as = patched_as.map(str::to_owned);
    let patch_policies = patch_policies(surroundings.policies, &reaches, region);
    let has_ec2messages = has_ec2messages(region, surroundings.tables);
    let of_credentials = identity::Needs { has_ec2messages, agent_prefers_ssmmessages: agent.needs_no_ec2messages.clone() };
    let identity = Identity::of(identities, region, instance, account.partition, &of_credentials, &patch_policies);
    let metadata_endpoint = metadata_endpoint(instance, id);
    let ec2messages = Ec2Messages {
        exists: has_ec2messages,
        agent_prefers_ssmmessages: agent.needs_no_ec2messages.is(&true)
            && identity.permissions.ssmmessages.is(&true)
            && !metadata_endpoint.is(&Switch::Disabled),
    };
    let declared = declared(surroundings, &platform, region, instance);
    let has_mirrors = !matches!(declared, Declared::Nothing);
    let sources = sources(declared, surroundings, &platform, &observed, region, instance);
    let needs = Needs {
        ports,
        ec2messages,
        sources,
        buckets: buckets(surroundings.tables, region, platform.family),
        policy_buckets: policy_buckets(surroundings.policies, &reaches, region),
    };
    let Judged { paths, s3, policy_buckets, repository } = network.judge(region, instance, &needs);
    let state = instance_state(instance);
    let seen = Seen {
        region,
        instance: id,
        is_running: state.is(&InstanceState::Running),
        node: &node,
        captured_at: surroundings.captured_at,
        // That patches came from somewhere says nothing of a mirror, which may be new.
        needs_repositories: !has_mirrors && patched_as.as_deref().is_some_and(observation::fails_without_repositories),
    };
    let observation = Observation::of(&seen, &paths, &s3, &repository);
    let name = tag(&instance.tags, "Name").unwrap_or_default().to_owned();
    let partition = account.partition;
    let operator = instance.operator.as_ref().filter(|operator| operator.managed == Some(true));
    let facts = Facts {
        account: AccountFacts { id: account.id.to_owned(), name: account.name.to_owned(), ou_path: account.ou_path.to_owned() },
        region: RegionFacts {
            name: region.name.to_owned(),
            has_patch_policies: platform::patch_policies_supported(surroundings.tables, region.name),
        },
        instance: InstanceFacts {
            id: id.to_owned(),
            arn: format!("arn:{partition}:ec2:{}:{}:instance/{id}", region.name, account.id),
            name,
            state,
            r#type: present(instance.instance_type.clone(), id, "the instance type"),
            has_little_memory: instance.instance_type.as_deref().map_or_else(
                || missing(id, "the instance type"),
                |kind| {
                    answer(
                        platform::has_under_one_gib(surroundings.tables, kind),
                        kind,
                        "look up the memory of the instance type: the table does not have it",
                    )
                },
            ),
            metadata_endpoint,
            is_managed_by_aws: operator.is_some(),
            managed_by: operator.and_then(|operator| operator.principal.clone()).unwrap_or_default(),
            tags: instance.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
        },
        platform: platform_facts(
            &platform,
            region,
            id,
            Signs { is_registered: registered.is_some(), has_run: observation.has_run() },
            observed.image_name,
            surroundings,
        ),
        agent,
        identity: IdentityFacts::of(&identity),
        paths: paths_facts(&paths, &s3, policy_buckets.as_ref(), &repository, &observation),
        policy: PolicyFacts::of(standing, surroundings.policies),
    };
    let last_ping_at = registered.and_then(|node| node.last_ping_date_time.clone());
    let notes = observation.notes.into_iter().chain(identity.notes).collect();
    Learned { facts, paths, repository, needs, platform, patched_as, reaches, last_ping_at, agrees: observation.agrees, notes }
}

/// The buckets that patching reads in a Region.
fn buckets(tables: &Tables, region: &Region<'_>, family: Option<Family>) -> Option<Buckets> {
    let buckets = platform::patch_buckets(tables, region.name)?;
    let modules = if family == Some(Family::MacOs) { buckets.patch_manager_macos } else { buckets.patch_manager };
    Some(Buckets { unsigned: vec![buckets.documents, modules], presigned: Some(buckets.baseline_snapshot) })
}

fn missing<T>(id: &str, what: &str) -> Known<T> {
    Known::unknown("fact_not_collected", id, format!("collect ec2-describe-instances.json again: {what} of {id} is missing"))
}

fn present<T>(value: Option<T>, id: &str, what: &str) -> Known<T> {
    value.map_or_else(|| missing(id, what), Known::Known)
}

fn answer(answer: Answer, resource: &str, settled_by: &str) -> Known<bool> {
    match answer {
        Answer::Yes => Known::Known(true),
        Answer::No => Known::Known(false),
        Answer::Unknown => Known::unknown("table_has_no_row", resource, settled_by),
    }
}

fn instance_state(instance: &Instance) -> Known<InstanceState> {
    let word = instance.state.as_ref().and_then(|state| state.name.as_deref());
    let id = instance.instance_id.as_deref().unwrap_or_default();
    word.and_then(InstanceState::from_word).map_or_else(|| missing(id, "a state that is known here"), Known::Known)
}

fn metadata_endpoint(instance: &Instance, id: &str) -> Known<Switch> {
    let word = instance.metadata_options.as_ref().and_then(|options| options.http_endpoint.as_deref());
    word.and_then(Switch::from_word).map_or_else(|| missing(id, "MetadataOptions"), Known::Known)
}

fn tag<'t>(tags: &'t [Tag], key: &str) -> Option<&'t str> {
    tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str())
}

fn observed<'a>(region: &Region<'a>, instance: &'a Instance, node: Option<&'a InstanceInformation>) -> Observed<'a> {
    let image = region.image(instance.instance_id.as_deref().unwrap_or_default()).known().copied().flatten();
    Observed {
        platform_type: node.and_then(|node| node.platform_type.as_deref()),
        platform_name: node.and_then(|node| node.platform_name.as_deref()),
        platform_version: node.and_then(|node| node.platform_version.as_deref()),
        image_name: image.and_then(|image| image.name.as_deref()),
        image_owner: image.and_then(|image| image.owner_id.as_deref()),
        image_owner_alias: image.and_then(|image| image.image_owner_alias.as_deref()),
        platform: instance.platform.as_deref(),
        platform_details: instance.platform_details.as_deref(),
        usage_operation: instance.usage_operation.as_deref(),
        instance_type: instance.instance_type.as_deref(),
        architecture: instance.architecture.as_deref(),
    }
}

/// The list of endpoint services is the truth at run time; without it the table of Regions decides.
fn has_ec2messages(region: &Region<'_>, tables: &Tables) -> bool {
    let names = region.files.endpoint_services.as_ref().map(|file| &file.service_names);
    let offers = |service: &str| names.is_some_and(|names| names.iter().any(|name| name.ends_with(service)));
    if offers(".ssm") {
        return offers(".ec2messages");
    }
    !matches!(platform::region_has_ec2messages(tables, region.name), Answer::No)
}

/// What was seen of the node at work.
#[derive(Debug, Clone, Copy)]
struct Signs {
    is_registered: bool,
    /// A patch run came to its end of late.
    has_run: bool,
}

fn platform_facts(
    platform: &Platform,
    region: &Region<'_>,
    id: &str,
    signs: Signs,
    image_name: Option<&str>,
    surroundings: Surroundings<'_>,
) -> PlatformFacts {
    let Signs { is_registered, has_run } = signs;
    let tables = surroundings.tables;
    let unidentified = || {
        let settled_by =
            format!("learn the operating system of {id}: it is not registered with Systems Manager, and its image does not tell");
        Unknown::new("platform_unknown", id, settled_by)
    };
    let or_unidentified = |text: Option<String>| text.map_or_else(|| Known::Unknown(vec![unidentified()]), Known::Known);
    let mut support = platform::patch_manager_support(tables, platform);
    // A registered node proves that the agent runs there, whatever the table of agents says.
    if !is_registered && support.answer != Answer::No {
        let agent = platform::agent_support(tables, platform);
        if agent.answer == Answer::No {
            support = agent;
        }
    }
    let ends = platform::vendor_support_end(tables, platform);
    let today = surroundings.captured_at.map(|captured_at| Offset::UTC.to_datetime(captured_at).date());
    let is_past_support = match (platform.os.is_some(), today) {
        (false, _) => Known::Unknown(vec![unidentified()]),
        (true, None) => Known::unknown("fact_not_collected", "snapshot.json", "add the capture time to snapshot.json"),
        (true, Some(today)) => {
            let over = platform::vendor_support_over(tables, platform, today);
            answer(over.answer, id, &format!("look up whether the vendor still supports it: {}", over.reason))
        }
    };
    let by_image = platform::updated_as_image(tables, platform);
    let preinstalled = platform::preinstalled_agent(tables, platform, image_name);
    PlatformFacts {
        name: or_unidentified(platform.os.as_ref().map(|_| platform.label())),
        os: or_unidentified(platform.os.clone()),
        version: or_unidentified(platform.version.clone()),
        source: match platform.source {
            Source::Agent => PlatformSource::Agent,
            Source::Image => PlatformSource::Image,
            Source::PlatformDetails => PlatformSource::PlatformDetails,
            Source::Unknown => PlatformSource::Unknown,
        },
        is_patchable: match platform.os {
            Some(_) => answer(support.answer, id, &format!("settle on the instance what it runs: {}", support.reason)),
            None => Known::Unknown(vec![unidentified()]),
        },
        patchable_because: support.reason,
        is_updated_as_image: by_image.is_some(),
        updated_as_image_by: by_image.unwrap_or_default().to_owned(),
        is_past_support,
        support_ends: ends.map_or_else(
            || Known::unknown("table_has_no_row", id, "look up when the vendor's support ends: the table has no date"),
            |end| Known::Known(end.on.to_string()),
        ),
        has_agent: if is_registered || preinstalled.answer == Answer::Yes {
            Known::Known(true)
        } else {
            Known::unknown(
                "agent_not_seen",
                id,
                format!("look whether SSM Agent is installed on {id}: AWS's images of its system are not known to bring it"),
            )
        },
        has_preinstalled_agent: answer(preinstalled.answer, id, "look on the instance whether SSM Agent is installed"),
        packages: PackagesFacts::of(tables, platform, region, id, has_run),
    }
}

fn agent_facts(node: &Known<Option<&InstanceInformation>>, version: Option<AgentVersion>, id: &str) -> AgentFacts {
    let unreported = || {
        Unknown::new(
            "agent_version_unknown",
            id,
            format!("look on {id} which version of SSM Agent it runs: Systems Manager does not report it"),
        )
    };
    let at_least = |minimum: AgentVersion| match (node, version) {
        (Known::Unknown(why), _) => Known::Unknown(why.clone()),
        (_, Some(version)) => Known::Known(version >= minimum),
        (_, None) => Known::Unknown(vec![unreported()]),
    };
    let ping = node.as_ref().and_then(|node| match node {
        None => Known::Known(Ping::None),
        Some(node) => match node.ping_status.as_deref() {
            Some(word) if word.eq_ignore_ascii_case("Online") => Known::Known(Ping::Online),
            Some(word) if word.eq_ignore_ascii_case("ConnectionLost") => Known::Known(Ping::ConnectionLost),
            Some(word) if word.eq_ignore_ascii_case("Inactive") => Known::Known(Ping::Inactive),
            word => Known::unknown(
                "fact_not_collected",
                id,
                format!("check PingStatus {:?} by hand: it is not known here", word.unwrap_or_default()),
            ),
        },
    });
    AgentFacts {
        is_registered: node.as_ref().map(Option::is_some),
        ping,
        version: match (node, version) {
            (Known::Unknown(why), _) => Known::Unknown(why.clone()),
            (_, Some(version)) => Known::Known(version.to_string()),
            (_, None) => Known::Unknown(vec![unreported()]),
        },
        can_patch: at_least(AgentVersion::PATCHING_MINIMUM),
        can_use_dhmc: at_least(AgentVersion::DHMC_MINIMUM),
        needs_no_ec2messages: at_least(AgentVersion::WITHOUT_EC2MESSAGES),
    }
}

fn paths_facts(paths: &[Arc<Path>], s3: &Path, policy_buckets: Option<&Path>, repository: &Path, observation: &Observation) -> PathsFacts {
    // A fresh sign of life proves a path, whatever the model says (the mismatch is told apart).
    let seen = |path: &Path| match observation.proof_of(path) {
        Some(proven) => proved(path_facts(path), proven),
        None => path_facts(path),
    };
    let of = |target: Target| paths.iter().find(|path| path.target == target).map_or_else(|| unjudged(target), |path| seen(path));
    PathsFacts {
        ssm: of(Target::Ssm),
        ssmmessages: of(Target::SsmMessages),
        ec2messages: of(Target::Ec2Messages),
        // That earlier runs read AWS's own buckets proves nothing of a patch policy's.
        s3: policy_buckets.map(path_facts).into_iter().fold(seen(s3), worse),
        repository: seen(repository),
    }
}

/// Of the facts on two paths that are both needed those that decide.
fn worse(one: PathFacts, other: PathFacts) -> PathFacts {
    let rank = |facts: &PathFacts| match (&facts.verdict, &facts.is_refused) {
        (Known::Known(PathVerdict::Blocked | PathVerdict::Partial), _) => 0,
        (_, Known::Known(true)) => 1,
        (Known::Unknown(_), _) | (_, Known::Unknown(_)) => 2,
        _ => 3,
    };
    if rank(&other) < rank(&one) { other } else { one }
}

fn unjudged(target: Target) -> PathFacts {
    let why = || Known::unknown("fact_not_collected", target.service(), "report this: the path was not judged");
    PathFacts {
        host: target.service().to_owned(),
        verdict: why(),
        summary: "it was not judged".to_owned(),
        blocking_resource: String::new(),
        is_route_missing: Known::Known(false),
        is_egress_closed: Known::Known(false),
        is_blocked_elsewhere: Known::unknown("fact_not_collected", target.service(), "report this: the path was not judged"),
        is_refused: Known::unknown("fact_not_collected", target.service(), "report this: the path was not judged"),
        refusing_endpoint: String::new(),
        refusal: String::new(),
    }
}

fn proved(facts: PathFacts, proven: Proven<'_>) -> PathFacts {
    let facts = if proven.is_refused_by_nobody {
        PathFacts { is_refused: Known::Known(false), refusing_endpoint: String::new(), refusal: String::new(), ..facts }
    } else {
        facts
    };
    PathFacts {
        verdict: Known::Known(PathVerdict::Reachable),
        summary: proven.seen.to_owned(),
        blocking_resource: String::new(),
        is_route_missing: Known::Known(false),
        is_egress_closed: Known::Known(false),
        is_blocked_elsewhere: Known::Known(false),
        ..facts
    }
}

fn path_facts(path: &Path) -> PathFacts {
    let verdict = match path.verdict {
        Verdict::Reachable => Known::Known(PathVerdict::Reachable),
        Verdict::Partial => Known::Known(PathVerdict::Partial),
        Verdict::Blocked => Known::Known(PathVerdict::Blocked),
        Verdict::NotNeeded => Known::Known(PathVerdict::NotNeeded),
        Verdict::Unknown => Known::Unknown(path.unknowns.clone()),
    };
    let is_failing = matches!(path.verdict, Verdict::Blocked | Verdict::Partial);
    let has = |holds: fn(&network::Blocker) -> bool| is_failing && path.blockers.iter().any(holds);
    // What never arrives is refused by nobody.
    let arrives = !matches!(path.verdict, Verdict::Blocked | Verdict::NotNeeded);
    let (is_refused, refusing_endpoint, refusal) = match &path.authorization {
        Authorization::Denied { endpoint, because, .. } if arrives => (Known::Known(true), endpoint.clone(), because.clone()),
        Authorization::Unknown(why) if arrives => (Known::Unknown(why.clone()), String::new(), String::new()),
        _ => (Known::Known(false), String::new(), String::new()),
    };
    PathFacts {
        is_refused,
        refusing_endpoint,
        refusal,
        host: path.host.clone(),
        summary: summary(path),
        blocking_resource: path.blockers.first().map(|blocker| blocker.resource.clone()).unwrap_or_default(),
        is_route_missing: Known::Known(has(is_route)),
        is_egress_closed: Known::Known(has(is_egress)),
        is_blocked_elsewhere: verdict.as_ref().map(|_| has(|blocker| !is_route(blocker) && !is_egress(blocker))),
        verdict,
    }
}

fn is_route(blocker: &network::Blocker) -> bool {
    matches!(blocker.place, Place::Route { .. } | Place::NoEndpoint { .. }) && blocker.code != Code::PcxRequiresAddressInVpcCidr
}

fn is_egress(blocker: &network::Blocker) -> bool {
    matches!(blocker.place, Place::InstanceEgress { .. })
}

fn summary(path: &Path) -> String {
    if !matches!(path.verdict, Verdict::Blocked | Verdict::Partial) {
        return "nothing blocks it".to_owned();
    }
    let causes: Vec<String> = path.blockers.iter().map(|blocker| format!("{} {}", blocker.resource, blocker.told())).collect();
    let prefix = if path.verdict == Verdict::Partial { "it works for a part of the connections only: " } else { "" };
    format!("{prefix}{}", causes.join("; "))
}
