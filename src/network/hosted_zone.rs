//! Private hosted zones: what one of the user's answers for a name that it claims
//! (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html>).

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::dns::{Answer, Place, Reached, Resolution, covers};
use super::goal::Goal;
use super::private_dns;
use crate::model::known::{Known, Unknown};
use crate::model::{Estate, Region, Zone, address, plain_name};
use crate::snapshot::ec2::VpcEndpoint;
use crate::snapshot::route53::ResourceRecordSet;

/// The answer of a private hosted zone of the user's that claims the name; `otherwise` is the answer without it.
pub(super) fn by_zone<'r, 'a>(
    place: &Place<'_, 'r, 'a>,
    zone: &Zone<'_>,
    hostnames: &Known<bool>,
    goal: &Goal,
    otherwise: &Resolution<'r, 'a>,
) -> Resolution<'r, 'a> {
    let (id, name) = (zone.id, zone.name);
    let host = &goal.asked;
    let (answers, depends_on) = match hostnames {
        // Without DNS host names the VPC asks no private zone.
        Known::Known(false) => (otherwise.answers.clone(), otherwise.depends_on.clone()),
        Known::Known(true) | Known::Unknown(_) => {
            let (mut answers, mut depends_on) = of_records(place, id, name, goal);
            if let Known::Unknown(why) = hostnames {
                answers.extend(otherwise.answers.clone());
                depends_on.extend(why.iter().cloned().chain(otherwise.depends_on.clone()));
            }
            (answers, depends_on)
        }
    };
    if hostnames.is(&false) {
        return Resolution::either(answers, depends_on, otherwise.because.clone());
    }
    Resolution::either(answers, depends_on, format!("private zone {name} claims {host}"))
}

fn of_records<'r, 'a>(place: &Place<'_, 'r, 'a>, id: &str, name: &str, goal: &Goal) -> (Vec<Answer<'r, 'a>>, Vec<Unknown>) {
    let records = match place.estate.records(place.region(), id) {
        Known::Known(records) => records,
        Known::Unknown(why) => return (vec![Answer::Anything], why),
    };
    if let Some(below) = some_below(records, &goal.asked) {
        let settled_by = format!("find out which names below {} are asked for: private zone {name} has a record for {below}", goal.host);
        return (vec![Answer::Anything], vec![Unknown::new("private_zone_record", id, settled_by)]);
    }
    if let Some(delegated) = delegated(records, name, &goal.asked) {
        let settled_by =
            format!("check on the instance what {} resolves to: private zone {name} leaves {delegated} to other name servers", goal.asked);
        return (vec![Answer::Anything], vec![Unknown::new("private_zone_record", id, settled_by)]);
    }
    let mut answers = Vec::new();
    let mut depends_on = Vec::new();
    for record in records_for(records, name, &goal.asked, place.is_ipv6) {
        match within(id, name, records, record, place.is_ipv6)
            .and_then(|record| endpoint_of(place.estate, place.region().name, record, goal))
        {
            Some(reached) => answers.push(Answer::Endpoint(reached)),
            None => {
                let settled_by = format!("check that the record for {} in private zone {name} leads to a working endpoint", goal.asked);
                depends_on.push(Unknown::new("private_zone_record", id, settled_by));
                answers.push(Answer::Anything);
            }
        }
    }
    if answers.is_empty() {
        answers.push(Answer::NoSuchName { zone: id.to_owned() });
    } else if answers.len() > 1 {
        let settled_by = format!("check which of the records for {} in private zone {name} answers", goal.asked);
        depends_on.push(Unknown::new("private_zone_record", id, settled_by));
    }
    (answers, depends_on)
}

/// The records that answer for a name in one family: those of the very name (several, where a routing policy chooses), else those of the wildcard
/// right below the closest name that exists (<https://www.rfc-editor.org/rfc/rfc4592#section-3.3.1>).
fn records_for<'r>(records: &'r [ResourceRecordSet], zone: &str, host: &str, is_ipv6: bool) -> Vec<&'r ResourceRecordSet> {
    let own_name = |record: &ResourceRecordSet| plain_name(record.name.as_deref().unwrap_or_default());
    let named = |name: &str| records.iter().filter(move |record| own_name(record) == name).collect::<Vec<_>>();
    let host = plain_name(host);
    let exists = |name: &str| records.iter().any(|record| own_name(record) == name || own_name(record).ends_with(&format!(".{name}")));
    let found = if exists(&host) {
        named(&host)
    } else {
        let zone = plain_name(zone);
        let mut encloser = host.as_str();
        while let Some((_, parent)) = encloser.split_once('.') {
            encloser = parent;
            if parent == zone || exists(parent) {
                break;
            }
        }
        named(&format!("*.{encloser}"))
    };
    // A name that exists with records of other kinds alone has no address.
    let wanted = if is_ipv6 { "AAAA" } else { "A" };
    found.into_iter().filter(|record| matches!(record.r#type.as_deref(), Some(kind) if kind == wanted || kind == "CNAME")).collect()
}

/// A record for some of the names for which a wildcard is asked.
fn some_below<'r>(records: &'r [ResourceRecordSet], asked: &str) -> Option<&'r str> {
    let ending = asked.strip_prefix('*')?;
    let mut names = records.iter().filter_map(|record| record.name.as_deref());
    names.find(|name| plain_name(name).ends_with(ending) && plain_name(name) != asked)
}

/// The name below the zone's own that a record leaves to other name servers, if the name asked for lies there.
fn delegated<'r>(records: &'r [ResourceRecordSet], zone: &str, asked: &str) -> Option<&'r str> {
    let mut of_servers = records.iter().filter(|record| record.r#type.as_deref() == Some("NS")).filter_map(|record| record.name.as_deref());
    of_servers.find(|name| plain_name(name) != plain_name(zone) && covers(name, asked).is_some())
}

/// How often a record may lead to another one of its zone: more than anybody writes, so that a circle ends.
const MOST_STEPS: usize = 8;

/// The record at the end, where an alias leads to another name of its own zone; `None` where it ends at none, or at several. A CNAME is answered with a
/// name that is asked for anew, and firewall, forwarding rules and other zones see it: it is not followed.
fn within<'r>(
    id: &str,
    zone: &str,
    records: &'r [ResourceRecordSet],
    record: &'r ResourceRecordSet,
    is_ipv6: bool,
) -> Option<&'r ResourceRecordSet> {
    let mut record = record;
    for _ in 0..MOST_STEPS {
        let is_of_zone = |own: &str| own.rsplit('/').next() == Some(id);
        let alias = record.alias_target.as_ref().filter(|alias| alias.hosted_zone_id.as_deref().is_some_and(is_of_zone));
        let Some(name) = alias.and_then(|alias| alias.dns_name.as_deref()).map(plain_name).filter(|name| covers(zone, name).is_some())
        else {
            return Some(record);
        };
        match records_for(records, zone, &name, is_ipv6).as_slice() {
            [next] => record = next,
            _ => return None,
        }
    }
    None
}

/// The name to which a record leads, where it gives no address.
fn name_in(record: &ResourceRecordSet) -> Option<&str> {
    let alias = record.alias_target.as_ref().and_then(|alias| alias.dns_name.as_deref());
    let first = record.resource_records.first().and_then(|value| value.value.as_deref());
    alias.or(if record.r#type.as_deref() == Some("CNAME") { first } else { None })
}

/// The interface endpoint to which a record points, by alias, by name or by address, in whatever VPC that was seen.
fn endpoint_of<'r, 'a>(estate: &'r Estate<'a>, region: &str, record: &ResourceRecordSet, goal: &Goal) -> Option<Reached<'r, 'a>> {
    let values: Vec<&str> = record.resource_records.iter().filter_map(|value| value.value.as_deref()).collect();
    let (home, endpoint, addresses) = match name_in(record) {
        Some(name) => {
            let (home, endpoint) = estate.endpoint_named(name)?;
            let addresses = if is_zonal(home, name) { Some(of_zone(home, endpoint, name)?) } else { None };
            (home, endpoint, addresses)
        }
        None => {
            let addresses = values.iter().map(|value| value.parse::<IpAddr>().ok()).collect::<Option<Vec<_>>>()?;
            let mut owners = addresses.iter().map(|address| estate.endpoint_at(*address));
            let (home, endpoint) = owners.next()??;
            if !owners.all(|owner| owner.is_some_and(|(_, other)| std::ptr::eq(other, endpoint))) {
                return None;
            }
            (home, endpoint, Some(addresses))
        }
    };
    let answers = private_dns::is_available(endpoint) && private_dns::is_interface_for(endpoint, goal, region);
    // Behind an alias nobody sees its name.
    let by_name = name_in(record).filter(|_| record.alias_target.is_none()).map(str::to_owned);
    answers.then_some(Reached { home, endpoint, addresses, by_name, is_private_name: false })
}

/// Of an endpoint's names some are of one Availability Zone, whose name ends the first label, and answer with the addresses there.
fn is_zonal(home: &Region<'_>, name: &str) -> bool {
    first_label(name).rsplit_once(home.name).is_some_and(|(_, letter)| letter.len() == 1)
}

fn first_label(name: &str) -> &str {
    name.trim_start_matches("*.").split('.').next().unwrap_or_default()
}

/// The addresses of an endpoint in the zone of one of its names; `None` where they are not known.
fn of_zone(home: &Region<'_>, endpoint: &VpcEndpoint, name: &str) -> Option<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    for id in &endpoint.network_interface_ids {
        let interface = home.interface(id).into_known()?;
        if first_label(name).ends_with(interface.availability_zone.as_deref()?) {
            addresses.push(address(interface.private_ip_address.as_ref())?);
        }
    }
    (!addresses.is_empty()).then_some(addresses)
}

/// The private hosted zones of this very name, of whatever VPC of the Region that was seen, and what each would answer in this place.
pub(super) fn elsewhere<'r, 'a>(place: &Place<'_, 'r, 'a>, goal: &Goal) -> Vec<(&'a str, Vec<Answer<'r, 'a>>)> {
    let regions = place.estate.regions().filter(|seen| seen.name == place.region().name);
    let zones = regions.filter_map(|seen| seen.files.hosted_zones.as_ref()).flat_map(|file| file.hosted_zone_summaries.values().flatten());
    let own = zones.filter(|zone| zone.owner.as_ref().is_none_or(|owner| owner.owning_service.is_none()));
    let named = own.filter(|zone| zone.name.as_deref().is_some_and(|name| name.trim_end_matches('.').eq_ignore_ascii_case(&goal.host)));
    let ids: BTreeSet<&str> = named.filter_map(|zone| zone.hosted_zone_id.as_deref()).collect();
    ids.into_iter().map(|id| (id, of_records(place, id, &goal.host, goal).0)).collect()
}
