//! From an HTTP request to the call that it makes, in the protocol of its service.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::http::Request;
use crate::wire::{Kind, Location, Operation, Protocol, Service, Shape, Shapes, Table};

/// What a request asks for.
#[derive(Debug)]
pub(crate) struct Call<'t> {
    pub service: &'t Service,
    pub operation: &'t Operation,
    pub input: Map<String, Value>,
}

/// The part of a signature that says who asks what, where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    pub access_key_id: String,
    pub region: String,
    pub signing_name: String,
}

/// A request that names no operation of the table.
#[derive(Debug)]
pub(crate) struct Unknown<'t> {
    /// `None` when the service is unknown, too.
    pub service: Option<&'t Service>,
    pub operation: String,
}

/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`
pub(crate) fn scope(request: &Request) -> Option<Scope> {
    let credential = request.header("authorization")?.split("Credential=").nth(1)?.split(',').next()?;
    let mut parts = credential.split('/');
    let access_key_id = parts.next()?.to_owned();
    let region = parts.nth(1)?.to_owned();
    Some(Scope { access_key_id, region, signing_name: parts.next()?.to_owned() })
}

pub(crate) fn call<'t>(table: &'t Table, scope: &Scope, request: &Request) -> Result<Call<'t>, Unknown<'t>> {
    let Some(service) = table.service(&scope.signing_name) else {
        return Err(Unknown { service: None, operation: format!("{}:{} {}", scope.signing_name, request.method, request.path()) });
    };
    let unknown = |name: &str| Unknown { service: Some(service), operation: format!("{}:{name}", service.name) };
    match service.protocol {
        Protocol::Ec2 | Protocol::Query => {
            let form = form(&String::from_utf8_lossy(&request.body));
            let action = form.get("Action").map(String::as_str).unwrap_or_default();
            let operation = service.operations.get(action).ok_or_else(|| unknown(action))?;
            Ok(Call { service, operation, input: of_form(&service.inputs, operation.input, &form) })
        }
        Protocol::Json => {
            let target = request.header("x-amz-target").unwrap_or_default();
            let (prefix, action) = target.rsplit_once('.').unwrap_or_default();
            let operation = service.operations.get(action).filter(|_| Some(prefix) == service.target_prefix.as_deref());
            let operation = operation.ok_or_else(|| unknown(target))?;
            Ok(Call { service, operation, input: object(&request.body) })
        }
        Protocol::RestJson | Protocol::RestXml => {
            let found = service.operations.values().find_map(|operation| {
                // `/{Bucket}?policy`: what stands behind the path tells S3's operations apart.
                let (path, asked) = operation.uri.split_once('?').unwrap_or((&operation.uri, ""));
                let is_asked = asked.is_empty() || form(request.query()).contains_key(asked);
                let labels = (operation.method == request.method && is_asked).then(|| labels(path, request.path())).flatten()?;
                Some((operation, labels, asked))
            });
            let (operation, labels, asked) = found.ok_or_else(|| unknown(&format!("{} {}", request.method, request.path())))?;
            let mut input = if service.protocol == Protocol::RestJson { object(&request.body) } else { Map::new() };
            let query = form(request.query());
            for (name, member) in operation.input.and_then(|kind| service.inputs.members(kind)).into_iter().flatten() {
                let given = match member.location {
                    Some(Location::Uri) => labels.get(&member.wire),
                    Some(Location::Query) => query.get(&member.wire),
                    _ => None,
                };
                if let Some(given) = given {
                    input.insert(name.clone(), Value::from(given.as_str()));
                }
            }
            // What stands in the query and belongs to no member is told as if it were one, so that it is not passed over.
            let known: Vec<&str> = operation
                .input
                .and_then(|kind| service.inputs.members(kind))
                .into_iter()
                .flatten()
                .map(|(_, member)| member.wire.as_str())
                .collect();
            for (name, value) in query.iter().filter(|(name, _)| *name != asked && !known.contains(&name.as_str())) {
                input.insert(name.clone(), Value::from(value.as_str()));
            }
            Ok(Call { service, operation, input })
        }
    }
}

fn object(body: &[u8]) -> Map<String, Value> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn form(text: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| (decode(name), decode(value))).collect()
}

/// The labels of a path, or `None` when it is another operation's.
fn labels(uri: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    // A bucket's path may end in a slash.
    let (wanted, given): (Vec<&str>, Vec<&str>) = (uri.split('/').collect(), path.trim_end_matches('/').split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    for (wanted, given) in wanted.into_iter().zip(given) {
        match wanted.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
            Some(label) => {
                found.insert(label.to_owned(), percent_decode_str(given).decode_utf8_lossy().into_owned());
            }
            None if wanted == given => {}
            None => return None,
        }
    }
    Some(found)
}

/// The input from `VpcId.1=…&Filter.1.Name=…`. Names that belong to no member are kept as they are.
fn of_form(shapes: &Shapes, input: Option<Kind>, form: &BTreeMap<String, String>) -> Map<String, Value> {
    let mut used = vec!["Action".to_owned(), "Version".to_owned()];
    let mut found = match input.and_then(|kind| value(shapes, kind, "", form, &mut used)) {
        Some(Value::Object(found)) => found,
        _ => Map::new(),
    };
    for (name, value) in form.iter().filter(|(name, _)| !used.contains(name)) {
        found.insert(name.clone(), Value::from(value.as_str()));
    }
    found
}

fn value(shapes: &Shapes, kind: Kind, prefix: &str, form: &BTreeMap<String, String>, used: &mut Vec<String>) -> Option<Value> {
    match shapes.get(kind) {
        Some(Shape::Structure { members, .. }) => {
            let within = |wire: &str| if prefix.is_empty() { wire.to_owned() } else { format!("{prefix}.{wire}") };
            let found: Map<String, Value> = members
                .iter()
                .filter_map(|(name, member)| Some((name.clone(), value(shapes, member.kind, &within(&member.wire), form, used)?)))
                .collect();
            (!found.is_empty() || prefix.is_empty()).then_some(Value::Object(found))
        }
        Some(Shape::List { item_name, item, flat }) => {
            let prefix = if *flat { prefix.to_owned() } else { format!("{prefix}.{item_name}") };
            let items: Vec<Value> = (1..).map_while(|at| value(shapes, *item, &format!("{prefix}.{at}"), form, used)).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Some(Shape::Map { .. }) => None,
        None => {
            let text = form.get(prefix)?;
            used.push(prefix.to_owned());
            Some(match kind {
                Kind::Number => text.parse::<i64>().map_or_else(|_| Value::from(text.as_str()), Value::from),
                Kind::Boolean => Value::from(text == "true"),
                _ => Value::from(text.as_str()),
            })
        }
    }
}
