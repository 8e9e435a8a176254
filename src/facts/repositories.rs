//! What an instance takes its patches from: what the user declared of mirrors, else what the table of repositories says of its operating system.

use std::net::IpAddr;

use ipnet::IpNet;

use super::learn::Surroundings;
use crate::model::Region;
use crate::model::known::Unknown;
use crate::network::{Alternative, AnsweredBy, Goal, Sources, Wanted};
use crate::platform::{Declared, FoundBy, Mirror, Needed, Observed, Platform, Repositories, Repository, ServedBy, Traits, repositories};
use crate::snapshot::ec2::Instance;

/// What the user declared of the instance's mirrors.
pub(super) fn declared<'s>(surroundings: Surroundings<'s>, platform: &Platform, region: &Region<'_>, instance: &Instance) -> Declared<'s> {
    let tags: Vec<(&str, &str)> = instance.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    surroundings.mirrors.of(&Traits { os: platform.os.as_deref(), account: region.account, region: region.name, tags: &tags })
}

pub(super) fn sources(
    declared: Declared<'_>,
    surroundings: Surroundings<'_>,
    platform: &Platform,
    observed: &Observed<'_>,
    region: &Region<'_>,
    instance: &Instance,
) -> Sources {
    let id = instance.instance_id.as_deref().unwrap_or_default();
    match declared {
        Declared::Mirrors(mirrors) => {
            let wanted = mirrors.into_iter().flat_map(of_mirror).collect();
            return Sources::Known(vec![Alternative { doubt: None, wanted }]);
        }
        Declared::Unknown => {
            let settled_by = format!("learn the operating system of {id}: the mirrors that you declared depend on it");
            return Sources::Unknown(vec![Unknown::new("platform_unknown", id, settled_by)]);
        }
        Declared::Nothing => {}
    }
    match repositories(surroundings.tables, platform, observed, region.name) {
        Repositories::Known(alternatives) => {
            let is_only = alternatives.len() == 1;
            let alternatives = alternatives.into_iter().map(|alternative| {
                let when = alternative.when.unwrap_or_default();
                let settled_by =
                    alternative.settled_by.unwrap_or_else(|| "the configuration of the package manager, on the node".to_owned());
                let doubt = Unknown::new("repository_unknown", id, format!("find out whether {when} ({settled_by})"));
                let wanted = alternative.hosts.iter().flat_map(|host| of_host(host, id)).collect();
                Alternative { doubt: (!is_only).then_some(doubt), wanted }
            });
            Sources::Known(alternatives.collect())
        }
        Repositories::Unknown { why, settled_by } => Sources::Unknown(vec![Unknown::new(
            "repository_unknown",
            id,
            format!("find out where it takes patches from: {why} ({settled_by})"),
        )]),
        Repositories::NotPatchedByPackages { why } => Sources::NotNeeded(why),
    }
}

fn of_mirror(mirror: &Mirror) -> impl Iterator<Item = Wanted> {
    mirror.ports.iter().map(|port| {
        let own = mirror.host.parse::<IpAddr>().ok().map(IpNet::from);
        let addresses: Vec<IpNet> = mirror.addresses.iter().copied().chain(own).collect();
        let answered_by = if addresses.is_empty() { AnsweredBy::Undeclared } else { AnsweredBy::Addresses(addresses) };
        Wanted { goal: Goal::of_repository(&mirror.host, *port, answered_by, None, false), perhaps: None }
    })
}

fn of_host<'h>(host: &'h Repository, id: &'h str) -> impl Iterator<Item = Wanted> {
    host.ports.iter().map(move |port| {
        let answered_by = match host.served_by {
            ServedBy::S3 => AnsweredBy::S3,
            ServedBy::S3Dualstack => AnsweredBy::DualStackS3,
            ServedBy::Internet | ServedBy::Unknown => AnsweredBy::Internet,
        };
        let goal = Goal::of_repository(&host.host, port.number, answered_by, host.has_ipv6, host.found_by == FoundBy::Dns);
        let perhaps = match &port.needed {
            Needed::Always => None,
            Needed::Perhaps { because, settled_by } => {
                let settled_by = format!("find out whether {} needs port {}: {because} ({settled_by})", host.host, port.number);
                Some(Unknown::new("repository_port", id, settled_by))
            }
        };
        Wanted { goal, perhaps }
    })
}
